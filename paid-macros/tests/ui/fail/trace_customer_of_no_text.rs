//! A customer is a text, or something that shows as one.

struct Account;

#[paid::trace(customer = account)]
fn work(account: &Account) {}

fn main() {}
