use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked", rename_all = "camel")]
struct MeetingBooked {
    lead_id: String,
}

fn main() {}
