use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    minutes: u32,
}

impl From<&u32> for MeetingBooked {
    fn from(minutes: &u32) -> Self {
        Self { minutes: *minutes }
    }
}

#[paid::signal(MeetingBooked, data(minutes = *ret))]
fn work() -> u32 {
    7
}

fn main() {}
