use paid::Hashed;

#[paid::signal("lead_contacted", customer = "acme", data(email = number, phone = Hashed::new(number)))]
fn call(number: u64) {}

fn main() {}
