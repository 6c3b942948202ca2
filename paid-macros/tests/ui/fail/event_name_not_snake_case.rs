use paid::PaidSignal;

#[paid::signal("MeetingBooked")]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "meeting-booked")]
struct MeetingBooked;

fn main() {}
