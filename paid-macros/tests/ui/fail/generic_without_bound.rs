use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked<T> {
    detail: T,
}

#[paid::signal("meeting_booked", data(detail))]
fn work<T>(detail: T) {}

fn main() {}
