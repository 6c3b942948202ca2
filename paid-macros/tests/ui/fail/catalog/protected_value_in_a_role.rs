struct Lead {
    id: String,
    email: String,
    phone: Option<String>,
    mobile: String,
    token: String,
}

#[paid::signal("lead_contacted", customer = lead.email.as_str())]
fn write(lead: &Lead) {}

#[paid::signal("lead_contacted", customer = "acme", idempotency_key = [lead.id, lead.phone])]
fn call(lead: &Lead) {}

#[paid::signal("lead_contacted", idempotency_key = format!("{email}:{}", token.clone()))]
fn register(email: &str, token: &str) {}

#[paid::signal("lead_contacted", unit = lead.mobile, data(phone = paid::Hashed::new(&lead.mobile)))]
fn call_again(lead: &Lead) {}

#[derive(paid::PaidSignal)]
#[paid(signal = "lead_contacted")]
struct Contacted {
    #[paid(customer)]
    email: String,
    #[paid(idempotency_key)]
    token: String,
}

fn main() {}
