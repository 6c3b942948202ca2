#![allow(dead_code)]

#[paid::signal("email_sent", customer = account)]
fn send(account: u64) {
    let _ = account;
}

fn main() {}
