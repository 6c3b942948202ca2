use paid::PaidSignal;

type Minutes = String;

#[paid::signal("meeting_booked", customer = "acme", data(lead_id, duration_minutes = minutes))]
fn work(lead_id: u32, minutes: f64) {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    lead_id: Option<u64>,
    duration_minutes: Minutes,
}

fn main() {}
