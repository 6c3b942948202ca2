use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    #[paid(flatten)]
    more: u32,
}

fn main() {}
