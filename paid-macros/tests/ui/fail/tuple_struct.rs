use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked(String, u32);

#[derive(PaidSignal)]
enum Call {
    #[paid(signal = "call_made")]
    Made(u32),
}

fn main() {}
