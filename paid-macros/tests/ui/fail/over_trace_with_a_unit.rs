// A signal over the collector cannot carry a unit, and neither can a traced scope.

#[paid::signal("email_sent", customer = "acme", unit = "sales", over = "trace")]
fn send() {}

#[paid::trace(customer = "acme", unit = "sales")]
fn work() {}

fn main() {}
