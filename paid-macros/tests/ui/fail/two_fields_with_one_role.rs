use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    #[paid(customer)]
    account: String,
    #[paid(customer)]
    tenant: String,
}

fn main() {}
