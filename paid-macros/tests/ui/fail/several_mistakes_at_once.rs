use paid::PaidSignal;

#[paid::signal("MeetingBooked", custmer = "acme", quantity = 0, data(paid = 1, lead.id))]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "meeting booked")]
struct MeetingBooked {
    #[paid(custmer)]
    account: String,
    quantity: u32,
}

fn main() {}
