use paid::{PaidSignal, SignalValue};

#[derive(serde::Serialize, SignalValue)]
#[serde(rename_all = "snake_case")]
enum Lacking {
    Email,
}

#[derive(serde::Serialize, SignalValue)]
enum Beyond {
    #[serde(rename = "email")]
    Email,
    #[serde(rename(serialize = "phone"))]
    Phone,
    TeleFax,
}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct ByEmail {
    lead_id: String,
    channel: Option<Lacking>,
}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct ByFax<'a> {
    lead_id: &'a str,
    channel: Beyond,
}

fn main() {}
