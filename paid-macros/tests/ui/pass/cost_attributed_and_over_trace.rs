#![allow(dead_code)]

#[paid::signal("email_sent", cost_attributed)]
fn send() {}

#[paid::signal("email_sent", over = "trace")]
fn send_over_the_collector() {}

fn main() {}
