use paid::signal::value::Words;
use paid::{PaidSignal, SignalValue};

#[derive(serde::Serialize, SignalValue)]
#[serde(rename_all = "lowercase")]
enum Channel {
    Email,
    Phone,
    #[serde(skip)]
    Unknown,
}

#[derive(serde::Serialize, SignalValue)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
enum Spelled {
    HTTPCall,
    #[serde(rename = "own", alias = "other")]
    Renamed,
}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked<'a> {
    lead_id: &'a str,
    channel: &'a str,
}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct ByChannel {
    lead_id: String,
    channel: Channel,
}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct BySomeChannel {
    lead_id: String,
    channel: Option<Box<Channel>>,
}

fn main() {
    assert_eq!(Channel::WORDS, ["email", "phone"]);
    assert_eq!(Spelled::WORDS, ["H-T-T-P-CALL", "own"]);
    assert_eq!(Spelled::WORDS[0], serde_plain(&Spelled::HTTPCall));
    let _ = (Spelled::Renamed, Channel::Unknown);
}

/// What serde makes of it.
fn serde_plain(value: &Spelled) -> String {
    let signal = paid::Signal::new("e").field("word", value);
    let text = signal.data().to_string();
    text.trim_start_matches("{\"word\":\"").trim_end_matches("\"}").to_owned()
}
