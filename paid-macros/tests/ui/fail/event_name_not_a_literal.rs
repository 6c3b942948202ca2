use paid::PaidSignal;

const NAME: &str = "meeting_booked";

#[paid::signal(NAME)]
fn work() {}

#[paid::signal(concat!("meeting", "_booked"))]
fn more_work() {}

#[derive(PaidSignal)]
#[paid(signal = NAME)]
struct MeetingBooked;

fn main() {}
