use paid::PaidSignal;

#[paid::signal("meeting_booked", customer = "acme", product = "ai-sdr-002", data(lead_id = "l1"))]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked", product = "ai-sdr-002")]
struct MeetingBooked {
    lead_id: String,
}

fn main() {}
