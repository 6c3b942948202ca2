#![allow(dead_code)]

#[derive(paid::PaidSignal)]
#[paid(signal = "email_sent")]
struct Email {
    #[paid(customer)]
    account: Option<u64>,
    #[paid(user)]
    user: Option<String>,
    #[paid(unit)]
    team: Option<String>,
}

fn main() {}
