#![allow(dead_code)]

use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_held")]
struct MeetingHeld {
    minutes: u32,
}

#[paid::signal]
fn hold() -> Result<MeetingHeld, ()> {
    Err(())
}

#[paid::signal]
fn held<S: PaidSignal>(signal: S) -> S {
    signal
}

fn main() {}
