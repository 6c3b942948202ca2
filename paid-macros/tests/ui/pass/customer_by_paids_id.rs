#![allow(dead_code)]

#[paid::signal("email_sent", customer_id = account)]
fn send(account: &paid::types::CustomerId) {
    let _ = account;
}

fn main() {}
