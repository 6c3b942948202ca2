#![deny(warnings)]

#[derive(paid::PaidSignal, Debug, Clone, serde::Serialize)]
#[paid(signal = "email_sent")]
pub struct Email {
    pub words: u32,
    #[deprecated]
    pub old: u32,
}

fn main() {}
