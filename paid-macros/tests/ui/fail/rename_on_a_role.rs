use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    #[paid(customer, rename = "account_id")]
    account: String,
}

fn main() {}
