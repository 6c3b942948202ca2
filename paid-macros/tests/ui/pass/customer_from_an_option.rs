#![allow(dead_code)]

#[paid::signal("email_sent", customer = account, user = name)]
fn send(account: Option<u64>, name: Option<String>) {
    let _ = (account, name);
}

fn main() {}
