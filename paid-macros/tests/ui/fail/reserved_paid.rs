use paid::PaidSignal;

#[paid::signal("meeting_booked", data(paid = 1))]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    paid: bool,
}

fn main() {}
