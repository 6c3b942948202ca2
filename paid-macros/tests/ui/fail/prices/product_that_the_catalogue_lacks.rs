#![deny(deprecated)]

#[paid::signal("call_made", customer = "acme", product = "callr")]
fn work() {}

fn main() {}
