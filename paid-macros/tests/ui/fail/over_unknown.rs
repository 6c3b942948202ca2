//! There are two ways.

#[paid::signal("email_sent", customer = "acme", over = "traces")]
fn work() {}

#[paid::signal("email_sent", customer = "acme", over = 1)]
fn more_work() {}

fn main() {}
