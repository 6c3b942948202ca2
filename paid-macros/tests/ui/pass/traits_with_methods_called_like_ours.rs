#![allow(dead_code)]

trait Everything: Sized {
    fn field(self, _: &str, _: &u32) -> u8 {
        1
    }
    fn customer(self, _: &str) -> u8 {
        1
    }
    fn emit(self) -> u8 {
        1
    }
    fn listens(self) -> u8 {
        1
    }
    fn outcome(self) -> u8 {
        1
    }
    fn run_sync(self) -> u8 {
        1
    }
    fn finish(self) -> u8 {
        1
    }
    fn metadata(self) -> u8 {
        1
    }
    fn flatten(self) -> u8 {
        1
    }
}

impl<T> Everything for T {}

type Fallible = Result<u32, String>;

#[paid::signal("email_sent", customer = "acme", data(words = 1_u32))]
#[paid::trace(customer = "acme", metadata(words = 1_u32))]
fn send() -> Fallible {
    Ok(1)
}

#[derive(paid::PaidSignal)]
#[paid(signal = "email_sent")]
struct Email {
    #[paid(customer)]
    account: String,
    words: u32,
}

fn main() {}
