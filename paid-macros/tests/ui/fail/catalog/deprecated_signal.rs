#![deny(deprecated)]

use paid::PaidSignal;

#[paid::signal("meeting_made", customer = "acme")]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_made")]
struct MeetingMade;

fn main() {}
