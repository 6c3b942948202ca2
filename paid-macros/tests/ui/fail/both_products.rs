use paid::PaidSignal;

#[paid::signal("meeting_booked", product_id = "prod_1", product = "sdr")]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    #[paid(product)]
    product: String,
    #[paid(product_id)]
    id: String,
}

#[derive(PaidSignal)]
#[paid(signal = "meeting_held", product = "sdr")]
struct MeetingHeld {
    #[paid(product)]
    product: String,
}

fn main() {}
