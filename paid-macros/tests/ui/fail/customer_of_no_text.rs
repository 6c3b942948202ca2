use paid::PaidSignal;

struct Account {
    id: u32,
}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    #[paid(customer)]
    account: Account,
}

fn main() {}
