use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    #[paid(idempotency_key)]
    key: f64,
}

#[paid::signal("meeting_booked", idempotency_key = score)]
fn work(score: f64) {}

fn main() {}
