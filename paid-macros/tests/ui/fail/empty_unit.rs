#[paid::signal("email_sent", customer = "acme", unit = "", user = " ")]
fn send() {}

fn main() {}
