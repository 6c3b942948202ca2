#[paid::signal("meeting_booked", quantity = 0)]
fn work() {}

#[paid::signal("meeting_booked", quantity = -1.5)]
fn more_work() {}

fn main() {}
