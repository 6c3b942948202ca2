#[paid::signal("meeting_booked", customer = "")]
fn work() {}

fn main() {}
