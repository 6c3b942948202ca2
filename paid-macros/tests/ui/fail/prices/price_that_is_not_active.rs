#![deny(deprecated)]

#[paid::signal("email_opened", customer = "acme")]
fn work() {}

fn main() {}
