use paid::PaidSignal;

#[paid::signal("meeting_booked", customer = "acme", data(lead_id = "l1", duration = 30))]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    lead_id: String,
    colour: String,
}

fn main() {}
