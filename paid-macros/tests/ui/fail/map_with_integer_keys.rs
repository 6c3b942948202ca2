use paid::PaidSignal;
use std::collections::HashMap;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    minutes_by_day: HashMap<u32, u32>,
}

fn main() {}
