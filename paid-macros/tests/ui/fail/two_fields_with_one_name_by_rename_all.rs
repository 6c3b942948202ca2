use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked", rename_all = "camelCase")]
struct MeetingBooked {
    lead_id: String,
    #[paid(rename = "leadId")]
    lead: String,
}

fn main() {}
