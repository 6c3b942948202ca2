#![allow(dead_code)]

#[paid::signal("email_sent", customer = account)]
fn send(account: &str) {
    let _ = account;
}

fn main() {}
