use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked", renam_all = "camelCase")]
struct MeetingBooked {
    #[paid(custommer)]
    account: String,
    #[paid(key)]
    id: u32,
}

fn main() {}
