//! Two customers, and one key of metadata twice.

#[paid::trace(customer = "acme", customer = "other", metadata(a = 1, a = 2))]
fn work() {}

fn main() {}
