#![allow(dead_code)]

type Maybe = Option<u32>;

#[derive(paid::PaidSignal)]
#[paid(signal = "email_sent", skip_none)]
struct Email<T: serde::Serialize> {
    limit: Maybe,
    subject: Option<String>,
    #[paid(skip_none)]
    other: Maybe,
    words: u32,
    more: T,
}

fn main() {}
