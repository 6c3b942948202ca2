use std::collections::BTreeMap;

use paid::{Hashed, PaidSignal};

type Phone = Hashed<String>;

#[derive(PaidSignal)]
#[paid(signal = "lead_contacted", skip_none)]
struct LeadContacted<'a> {
    #[paid(customer)]
    account: String,
    email: &'a str,
    phone: Phone,
    token: Option<Hashed<String>>,
    city: Option<String>,
    #[paid(user)]
    user: Hashed<Option<&'a str>>,
    #[paid(flatten)]
    others: BTreeMap<String, String>,
}

#[derive(PaidSignal)]
#[paid(signal = "lead_contacted")]
struct Optional {
    email: Option<String>,
    token: Option<Hashed<String>>,
    phone: Hashed<Option<String>>,
}

#[derive(PaidSignal)]
#[paid(signal = "lead_contacted")]
struct Generic<T: serde::Serialize + paid::signal::value::Text> {
    email: Hashed<T>,
    phone: Hashed<T>,
}

struct Lead {
    email: String,
    phone: String,
    user: String,
}

#[paid::signal(
    "lead_contacted",
    customer = "acme",
    user = Hashed::new(&lead.user),
    data(email = lead.email, phone = Hashed::new(&lead.phone), token = ret, city = "Bonn")
)]
fn call(lead: &Lead) -> Hashed<String> {
    Hashed::new(String::new())
}

#[paid::signal("lead_contacted", customer = "acme", data(email = "jane@globex.example", phone = Some(Hashed::new("1"))))]
fn literal() {}

struct Contact {
    email_id: u64,
    email: String,
}

/// What is no value of a protected field.
#[paid::signal(
    "lead_contacted",
    customer = key.hash(&contact.email),
    idempotency_key = [contact.email_id, city],
    data(email = contact.email, city = city)
)]
fn hashed(key: &paid::HashKey, contact: &Contact, city: &str) {}

/// `user` writes a field that is hashed itself.
#[paid::signal("lead_contacted", customer = email_of("acme"), user = Hashed::new(&contact.email))]
fn user(contact: &Contact) {}

fn email_of(account: &str) -> &str {
    account
}

fn main() {}
