#[paid::signal("meeting_booked", customer = "acme", customer = "umbrella")]
fn work() {}

#[paid::signal("meeting_booked", data(a = 1), data(b = 2))]
fn more_work() {}

fn main() {}
