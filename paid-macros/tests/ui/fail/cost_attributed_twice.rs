//! Two signals of one function take the same costs.

#[paid::signal("email_sent", customer = "acme", cost_attributed)]
#[paid::signal("meeting_booked", customer = "acme", cost_attributed)]
fn work() {}

fn main() {}
