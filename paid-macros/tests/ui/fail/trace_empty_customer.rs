//! Nobody's work.

#[paid::trace(customer = "")]
fn work() {}

fn main() {}
