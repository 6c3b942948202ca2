//! Metadata is written as JSON.

struct Campaign;

#[paid::trace(customer = "acme", metadata(campaign = campaign))]
fn work(campaign: &Campaign) {}

fn main() {}
