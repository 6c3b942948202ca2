#[paid::signal("lead_contacted", customer = "acme")]
fn work() {}

fn main() {}
