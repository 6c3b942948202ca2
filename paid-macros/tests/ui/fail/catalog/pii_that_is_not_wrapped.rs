struct Lead {
    phone: String,
    user: String,
}

#[paid::signal("lead_contacted", customer = "acme", data(phone = lead.phone))]
fn call(lead: &Lead) {}

#[paid::signal("lead_contacted", customer = "acme", user = lead.user)]
fn write(lead: &Lead) {}

fn main() {}
