#[paid::signal("meeting_booked", customer)]
fn work() {}

#[paid::signal("meeting_booked", data = 7)]
fn more_work() {}

fn main() {}
