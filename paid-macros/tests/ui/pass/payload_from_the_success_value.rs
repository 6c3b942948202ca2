#![allow(dead_code)]

use paid::PaidSignal;

struct Meeting {
    minutes: u32,
}

#[derive(PaidSignal)]
#[paid(signal = "meeting_held")]
struct MeetingHeld {
    minutes: u32,
}

impl From<&Meeting> for MeetingHeld {
    fn from(meeting: &Meeting) -> Self {
        Self { minutes: meeting.minutes }
    }
}

#[paid::signal(MeetingHeld)]
fn hold() -> Result<Meeting, ()> {
    Ok(Meeting { minutes: 3 })
}

fn main() {}
