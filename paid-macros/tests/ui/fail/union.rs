use paid::PaidSignal;

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
union MeetingBooked {
    number: u32,
    float: f32,
}

fn main() {}
