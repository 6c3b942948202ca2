use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    lead_id: String,
    #[paid(rename = "lead_id")]
    lead: String,
}

fn main() {}
