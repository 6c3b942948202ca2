#![deny(deprecated)]

#[paid::signal("page_viewed", customer = "acme")]
fn work() {}

fn main() {}
