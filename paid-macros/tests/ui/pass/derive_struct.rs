use std::fmt;
use std::time::Instant;

use chrono::{DateTime, Utc};
use paid::PaidSignal;
use serde::Serialize;

struct AccountId(&'static str);

impl AsRef<str> for AccountId {
    fn as_ref(&self) -> &str {
        self.0
    }
}

struct MeetingId(u64);

impl fmt::Display for MeetingId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "m-{}", self.0)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Channel {
    Email,
}

#[derive(PaidSignal)]
#[paid(signal = "meeting_booked")]
struct MeetingBooked {
    #[paid(customer)]
    account: AccountId,
    #[paid(idempotency_key)]
    meeting: MeetingId,
    #[paid(timestamp)]
    at: DateTime<Utc>,
    lead_id: String,
    duration_minutes: u32,
    #[paid(rename = "channel")]
    via: Channel,
    #[paid(skip)]
    #[allow(dead_code)]
    internal: Instant,
}

fn main() {}
