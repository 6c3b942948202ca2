//! Metadata needs a key.

struct Lead {
    campaign: String,
}

#[paid::trace(customer = "acme", metadata(lead.campaign))]
fn work(lead: &Lead) {}

fn main() {}
