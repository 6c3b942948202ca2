use paid::PaidSignal;

#[derive(PaidSignal)]
struct MeetingBooked {
    lead_id: String,
}

#[derive(PaidSignal)]
enum Call {
    Made { seconds: u32 },
}

fn main() {}
