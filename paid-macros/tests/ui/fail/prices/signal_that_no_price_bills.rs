#![deny(deprecated)]

use paid::PaidSignal;

#[paid::signal("call_made", customer = "acme")]
fn anywhere() {}

#[paid::signal("call_made", customer = "acme", product = "caller")]
fn of_a_product() {}

#[paid::signal("call_made", customer = "acme", product = "ai-sdr-001")]
fn of_a_product_with_prices() {}

#[derive(PaidSignal)]
#[paid(signal = "call_made", product = "caller")]
struct CallMade;

fn main() {}
