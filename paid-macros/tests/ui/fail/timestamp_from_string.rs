use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    #[paid(timestamp)]
    at: String,
}

#[paid::signal("meeting_booked", timestamp = at)]
fn work(at: String) {}

fn main() {}
