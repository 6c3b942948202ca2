use std::collections::BTreeMap;

use paid::PaidSignal;
use paid::signal::value::Integer;

type Id = String;

#[derive(serde::Serialize)]
struct Minutes(u32);

impl Integer for Minutes {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked<'a> {
    lead_id: Id,
    duration_minutes: Option<Minutes>,
    price: f64,
    tags: &'a [&'a str],
    more: BTreeMap<String, u32>,
    urgent: bool,
    channel: &'a str,
}

#[paid::signal("meeting_booked", customer = "acme", product = "ai-sdr-001", data(lead_id = "l1", duration_minutes = 30, price = 5, channel = "email"))]
fn work() {}

#[paid::signal("Legacy Event", customer = "acme")]
fn legacy() {}

fn main() {}
