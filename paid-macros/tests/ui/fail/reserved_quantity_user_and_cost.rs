use paid::PaidSignal;

#[paid::signal("meeting_booked", data(quantity = 1, external_user_id = "jane", costData = 3))]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    quantity: u32,
    external_user_id: String,
    #[paid(rename = "costData")]
    cost: f64,
}

fn main() {}
