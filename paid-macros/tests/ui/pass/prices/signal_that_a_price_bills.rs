#![deny(deprecated)]

use paid::PaidSignal;

#[paid::signal("meeting_booked", customer = "acme")]
fn by_the_catalogues_product() {}

#[paid::signal("meeting_booked", customer = "acme", product = product)]
fn by_a_product_that_only_the_program_knows(product: &str) {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked", product = "ai-sdr-001")]
struct MeetingBooked;

fn main() {}
