use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    #[paid(quantity)]
    many: bool,
}

#[paid::signal("meeting_booked", quantity = many)]
fn work(many: bool) {}

fn main() {}
