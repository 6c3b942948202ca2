#![deny(deprecated)]

use paid::PaidSignal;

#[paid::signal("meeting_booked", customer = "acme", idempotency_key = [lead, day])]
fn work(lead: &str, day: u32) {}

#[paid::signal("email_sent", customer = "acme")]
fn activity() {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    #[paid(idempotency_key)]
    meeting: u64,
}

fn main() {}
