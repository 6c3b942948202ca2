use paid::PaidSignal;

#[paid::signal("meting_booked", customer = "acme")]
fn work() {}

#[paid::signal("invoice_paid", customer = "acme")]
fn more_work() {}

#[derive(PaidSignal)]
#[paid(signal = "MeetingBooked")]
struct MeetingBooked {
    lead_id: String,
}

fn main() {}
