//! A struct does no work.

#[paid::trace(customer = "acme")]
struct Work;

fn main() {}
