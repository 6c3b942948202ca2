#![allow(dead_code)]

macro_rules! billed {
    ($name:ident, $event:literal, $returns:ty, $value:expr) => {
        #[paid::signal($event, data(name = stringify!($name)))]
        fn $name() -> $returns {
            $value
        }
    };
}

billed!(email, "email_sent", Result<u32, ()>, Ok(1));

macro_rules! signal {
    ($name:ident, $event:literal, $fields:tt) => {
        #[derive(paid::PaidSignal)]
        #[paid(signal = $event, skip_none)]
        struct $name $fields
    };
}

signal!(Email, "email_sent", { #[paid(customer)] account: String, words: u32, #[paid(idempotency_key)] message: u64, #[paid(user)] user: u8 });

macro_rules! by_type {
    ($name:ident { $($field:ident: $ty:ty),* }) => {
        #[derive(paid::PaidSignal)]
        #[paid(signal = "sms_sent")]
        struct $name { $(#[paid(skip_none)] $field: $ty),* }
    };
}

by_type!(Sms { words: Option<u32> });

fn main() {}
