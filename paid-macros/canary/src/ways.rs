//! Every way in which a value comes into a signal.

use std::collections::BTreeMap;

use paid::signal::value::Text;
use paid::{Hashed, PaidSignal, Signal};
use serde::ser::Error;
use serde::{Serialize, Serializer};

/// What must not be found anywhere.
const CANARY: &str = "canary-6b1f@globex.example";

pub(crate) fn all() {
    annotated(CANARY, &Hashed::new(CANARY.to_owned()));
    returned();
    called(CANARY);
    paid::signal_block!("lead_contacted", data(way = "block", email = CANARY), {});
    for signal in
        [derived("derived", BTreeMap::new()), derived("flat", flat("email")), derived("flat-secret", flat("token"))]
    {
        println!("{:?}", signal.to_signal());
        paid::emit(signal);
    }
    merged();
    let signal = Signal::new("by_hand").field("way", "by_hand").field("anything", &Hashed::new(CANARY));
    println!("{signal:?} {} {}", signal.to_json(), signal.data());
    paid::emit(signal);
    paid::emit(Signal::new("by_hand").field("way", "replaced").field("x", &Hashed::new(CANARY)).field("x", "plain"));
    unwritable();
}

#[paid::signal("lead_contacted", user = address, data(way = "annotated", email = address, phone = phone, token = Hashed::new(address)))]
fn annotated(address: &str, phone: &Hashed<String>) {}

#[paid::signal("lead_contacted", data(way = "returned", email = ret, phone = Some(Hashed::new(ret))))]
fn returned() -> String {
    CANARY.to_owned()
}

#[paid::signal("lead_called", user = Hashed::new(address), data(way = "called"))]
fn called(address: &str) {}

#[derive(PaidSignal)]
#[paid(signal = "lead_contacted")]
struct LeadContacted {
    way: &'static str,
    email: Option<String>,
    phone: Hashed<String>,
    #[paid(skip_none)]
    token: Option<Hashed<String>>,
    #[paid(user)]
    user: String,
    #[paid(flatten)]
    others: BTreeMap<String, String>,
}

fn derived(way: &'static str, others: BTreeMap<String, String>) -> LeadContacted {
    let text = CANARY.to_owned();
    let email = others.is_empty().then(|| text.clone());
    LeadContacted { way, email, phone: text.clone().into(), token: Some(text.clone().into()), user: text, others }
}

fn flat(field: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(field.to_owned(), CANARY.to_owned())])
}

#[derive(PaidSignal)]
#[paid(signal = "lead_called")]
struct LeadCalled {
    way: &'static str,
}

/// The annotation's user comes into a signal that protects it, and knows nothing of that.
fn merged() {
    refused_user();
    hashed_user();
}

#[paid::signal(user = CANARY)]
fn refused_user() -> LeadCalled {
    LeadCalled { way: "merged-refused" }
}

#[paid::signal(user = CANARY)]
fn hashed_user() -> LeadContacted {
    LeadContacted { user: String::new(), ..derived("merged-hashed", BTreeMap::new()) }
}

/// A value whose error shows it.
struct Talkative;

impl Serialize for Talkative {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom(format!("{CANARY} cannot be written")))
    }
}

impl Text for Talkative {}

fn unwritable() {
    plainly();
    paid::emit(Signal::new("by_hand").field("way", "talkative").field("x", &Hashed::new(Talkative)));
}

#[paid::signal("lead_contacted", data(way = "talkative", email = Talkative))]
fn plainly() {}

#[paid::signal("lead_contacted", over = "trace", data(way = "over-trace", email = CANARY))]
pub(crate) fn over_trace() {}
