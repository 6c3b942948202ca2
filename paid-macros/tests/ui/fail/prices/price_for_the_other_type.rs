#![deny(deprecated)]

#[paid::signal("email_sent", customer = "acme")]
fn work() {}

fn main() {}
