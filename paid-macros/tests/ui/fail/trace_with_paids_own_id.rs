//! The collector knows only the caller's own ids.

#[paid::trace(customer_id = "cus_1", product_id = "prod_1")]
fn work() {}

fn main() {}
