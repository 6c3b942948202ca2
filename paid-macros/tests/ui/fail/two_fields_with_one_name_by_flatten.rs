use paid::PaidSignal;
use paid::signal::value::Flatten;

#[derive(serde::Serialize)]
struct More {
    lead_id: String,
}

impl Flatten for More {
    const FIELDS: &'static [&'static str] = &["lead_id"];
}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    lead_id: String,
    #[paid(flatten)]
    more: More,
}

fn main() {}
