#[paid::signal("meeting_booked", customer = "acme")]
fn work() {}

fn main() {}
