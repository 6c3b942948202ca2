#![allow(dead_code)]

#[paid::signal("email_sent", product = "ai-sdr")]
fn send() {}

fn main() {}
