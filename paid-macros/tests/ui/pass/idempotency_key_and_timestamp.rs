#![allow(dead_code)]

#[paid::signal("email_sent", idempotency_key = message, timestamp = at)]
fn send(message: &str, at: std::time::SystemTime) {
    let _ = (message, at);
}

fn main() {}
