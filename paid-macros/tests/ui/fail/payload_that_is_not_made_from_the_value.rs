use paid::PaidSignal;

struct Meeting;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    minutes: u32,
}

#[paid::signal(MeetingBooked)]
fn work() -> Meeting {
    Meeting
}

fn main() {}
