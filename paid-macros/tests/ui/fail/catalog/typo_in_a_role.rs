use paid::PaidSignal;

// Neither `account` nor the role that is missing is a second mistake.
#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct Booked {
    #[paid(custommer)]
    account: String,
    lead_id: String,
}

fn main() {}
