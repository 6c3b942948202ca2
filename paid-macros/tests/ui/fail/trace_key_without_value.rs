//! A key stands alone.

#[paid::trace(customer, product = "ai-sdr")]
fn work() {}

fn main() {}
