//! The collector knows only the caller's own ids.

#[paid::signal("email_sent", customer_id = "cus_1", over = "trace")]
fn work() {}

fn main() {}
