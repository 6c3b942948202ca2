#![allow(dead_code)]

use paid::signal as billed;
use paid::trace as traced;

#[paid::trace(customer = "acme")]
#[billed("email_sent")]
async fn send() -> Result<u32, String> {
    Ok(1)
}

#[traced(customer = "acme")]
#[billed("email_sent")]
#[inline]
fn sent() {}

fn main() {}
