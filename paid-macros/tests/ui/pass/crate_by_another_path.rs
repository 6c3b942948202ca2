#![allow(dead_code)]

mod deeply {
    pub use paid as billing;
}

#[deeply::billing::signal("email_sent", crate = crate::deeply::billing, customer = "acme")]
fn send() {}

fn main() {}
