#![allow(dead_code)]

#[paid::signal("email_sent")]
fn send() {}

fn main() {}
