#![deny(deprecated)]

use paid::PaidSignal;

#[paid::signal("meeting_booked", customer = "acme")]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked;

fn main() {}
