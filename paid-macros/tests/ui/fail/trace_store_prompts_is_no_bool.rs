//! `store_prompts` is yes or no.

#[paid::trace(customer = "acme", store_prompts = "yes")]
fn work() {}

fn main() {}
