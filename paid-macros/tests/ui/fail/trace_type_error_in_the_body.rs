//! A mistake in the body is reported as if there were no annotation.

#[paid::trace(customer = "acme")]
fn work() -> u32 {
    "seven"
}

#[paid::trace(customer = "acme")]
async fn more_work() -> u32 {
    "seven"
}

fn main() {}
