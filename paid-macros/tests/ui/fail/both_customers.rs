use paid::PaidSignal;

#[paid::signal("meeting_booked", customer = "acme", customer_id = "cus_1")]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    #[paid(customer)]
    account: String,
    #[paid(customer_id)]
    id: String,
}

fn main() {}
