//! `#[paid::signal(Payload)]`: payloads that are made from the success value, and the roles beside them.

use paid::PaidSignal;
use serde_json::json;

use crate::functions::{Fallible, Meeting, check, data, record, record_async};

#[derive(PaidSignal)]
#[paid(signal = "meeting_held")]
struct MeetingHeld {
    #[paid(customer)]
    account: String,
    minutes: u32,
}

impl From<&Meeting> for MeetingHeld {
    fn from(meeting: &Meeting) -> Self {
        Self { account: "acme".into(), minutes: meeting.minutes }
    }
}

#[paid::signal(MeetingHeld)]
async fn hold(minutes: u32) -> Fallible<Meeting> {
    Ok(Meeting { minutes: check(minutes)? })
}

#[paid::signal(MeetingHeld, customer = "other", idempotency_key = format!("held-{minutes}"))]
fn hold_for(minutes: u32) -> Meeting {
    Meeting { minutes }
}

#[paid::signal(MeetingHeld, customer = (ret.minutes > 9).then_some("late"))]
fn hold_and_see(minutes: u32) -> Meeting {
    Meeting { minutes }
}

/// Says everything of itself.
#[derive(PaidSignal)]
#[paid(signal = "shift_worked")]
struct Shift {
    #[paid(customer)]
    account: String,
    #[paid(product)]
    product: String,
    #[paid(unit)]
    team: String,
    #[paid(idempotency_key)]
    id: String,
    #[paid(timestamp)]
    at: paid::Timestamp,
    #[paid(user)]
    who: String,
    #[paid(quantity)]
    hours: u32,
}

impl From<&Meeting> for Shift {
    fn from(meeting: &Meeting) -> Self {
        let text = |name: &str| name.to_owned();
        Self {
            account: text("acme"),
            product: text("night"),
            team: text("blue"),
            id: text("shift-1"),
            at: "2026-01-02T03:04:05Z".parse().unwrap(),
            who: text("ada"),
            hours: meeting.minutes,
        }
    }
}

#[paid::signal(Shift)]
fn work_a_shift(minutes: u32) -> Meeting {
    Meeting { minutes }
}

fn nothing<T>(_: &Meeting) -> Option<T> {
    None
}

#[paid::signal(
    Shift,
    customer = nothing::<String>(ret),
    product = nothing::<String>(ret),
    unit = nothing::<String>(ret),
    idempotency_key = nothing::<String>(ret),
    timestamp = nothing::<paid::Timestamp>(ret),
    user = nothing::<String>(ret),
    quantity = nothing::<u32>(ret)
)]
fn work_an_unnamed_shift(minutes: u32) -> Meeting {
    Meeting { minutes }
}

#[paid::signal(
    Shift,
    customer = None::<String>,
    product = None::<String>,
    unit = None::<String>,
    idempotency_key = None::<String>,
    timestamp = None::<paid::Timestamp>,
    user = None::<String>,
    quantity = None::<u32>
)]
fn work_a_shift_of_nobody(minutes: u32) -> Meeting {
    Meeting { minutes }
}

#[paid::signal(MeetingHeld, customer = account)]
fn hold_for_some(account: Option<&str>) -> Meeting {
    Meeting { minutes: 5 }
}

#[paid::signal]
fn held() -> Fallible<MeetingHeld> {
    Ok(MeetingHeld { account: "acme".into(), minutes: 1 })
}

#[tokio::test]
async fn payload_types_are_made_from_the_success_value_or_are_it() {
    let (_, signals) = record_async(hold(45)).await;
    assert_eq!((signals[0].name(), data(&signals)), ("meeting_held", json!({"minutes": 45})));
    let (_, signals) = record(|| hold_for(5));
    assert_eq!(signals[0].to_json()["customer"]["externalCustomerId"], "other");
    assert_eq!(signals[0].idempotency_key_ref(), Some("held-5"));
    assert_eq!(data(&record(held).1), json!({"minutes": 1}));
}

#[test]
fn a_role_that_is_none_keeps_what_the_payload_says() {
    let customer = |work: &dyn Fn() -> Meeting| {
        let (_, signals) = record(work);
        signals[0].to_json()["customer"]["externalCustomerId"].as_str().unwrap().to_owned()
    };
    assert_eq!(customer(&|| hold_and_see(45)), "late");
    assert_eq!(customer(&|| hold_and_see(5)), "acme");
    assert_eq!(customer(&|| hold_for_some(Some("early"))), "early");
    assert_eq!(customer(&|| hold_for_some(None)), "acme");

    let shift = |work: fn(u32) -> Meeting| record(|| work(8)).1[0].to_json();
    let as_the_payload_says = shift(work_a_shift);
    assert_eq!(as_the_payload_says["timestamp"], "2026-01-02T03:04:05Z");
    assert_eq!(shift(work_an_unnamed_shift), as_the_payload_says);
    assert_eq!(shift(work_a_shift_of_nobody), as_the_payload_says);
}
