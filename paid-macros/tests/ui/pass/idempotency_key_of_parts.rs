#![allow(dead_code)]

#[paid::signal("report_made", idempotency_key = [account, day.to_string(), 7])]
fn report(account: &str, day: u32) {
    let _ = (account, day);
}

fn main() {}
