use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "lead_contacted")]
struct LeadContacted {
    token: String,
    phone: Option<String>,
}

#[paid::signal("lead_contacted", customer = "acme", data(token = "a literal"))]
fn work() {}

fn main() {}
