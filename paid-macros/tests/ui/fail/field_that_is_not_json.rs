use paid::PaidSignal;
use std::time::Instant;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    began: Instant,
}

#[paid::signal("meeting_booked", data(began))]
fn work(began: Instant) {}

fn main() {}
