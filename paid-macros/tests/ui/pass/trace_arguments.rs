#![allow(dead_code)]

#[paid::trace(
    customer = account,
    product = "ai-sdr",
    unit = team,
    store_prompts = true,
    metadata(campaign = 7, team),
)]
fn work(account: u64, team: &str) {
    let _ = (account, team);
}

fn main() {}
