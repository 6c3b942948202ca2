#[paid::signal("meeting_booked", customer = "acme")]
fn work() {}

#[paid::signal("email_sent", customer = "acme")]
fn more_work() {}

fn main() {}
