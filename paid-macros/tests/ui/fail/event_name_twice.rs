#[paid::signal("meeting_booked", "email_sent")]
fn work() {}

fn main() {}
