//! A `const fn` may run while compiling.

#[paid::trace(customer = "acme")]
const fn work() {}

fn main() {}
