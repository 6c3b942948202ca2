//! It stands alone.

#[paid::signal("email_sent", customer = "acme", cost_attributed = true)]
fn work() {}

fn main() {}
