#[paid::signal("", customer = "acme")]
fn work() {}

fn main() {}
