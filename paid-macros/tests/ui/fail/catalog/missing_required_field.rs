use paid::PaidSignal;

#[paid::signal("meeting_booked", customer = "acme", data(duration_minutes = 30))]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    duration_minutes: u32,
}

fn main() {}
