//! `#[derive(PaidSignal)]`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, TimeZone, Utc};
use paid::PaidSignal;
use paid::signal::CostData;
use paid::types::{CustomerId, ExternalProductId};
use serde::Serialize;
use serde_json::{Value, json};

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

fn json_of(signal: impl PaidSignal) -> Value {
    signal.to_signal().to_json()
}

#[test]
fn every_field_goes_where_its_role_says() {
    let booked = MeetingBooked {
        account: AccountId("acme"),
        meeting: MeetingId(7),
        at: Utc.with_ymd_and_hms(2026, 1, 31, 23, 0, 0).unwrap(),
        lead_id: "l1".into(),
        duration_minutes: 30,
        via: Channel::Email,
        internal: Instant::now(),
    };
    assert_eq!(MeetingBooked::NAMES, ["meeting_booked"]);
    assert_eq!(
        json_of(&booked),
        json!({
            "eventName": "meeting_booked",
            "customer": {"externalCustomerId": "acme"},
            "timestamp": "2026-01-31T23:00:00Z",
            "idempotencyKey": "m-7",
            "data": {"lead_id": "l1", "duration_minutes": 30, "channel": "email"}
        })
    );
}

#[derive(PaidSignal)]
#[paid(signal = "tokens_used", rename_all = "camelCase", product = "ai-sdr-001", skip_none)]
struct TokensUsed<'a, T: Serialize> {
    #[paid(customer_id)]
    who: &'a CustomerId,
    #[paid(quantity)]
    tokens: u64,
    #[paid(user)]
    by: Option<String>,
    #[paid(cost)]
    cost: Option<CostData>,
    #[paid(flatten)]
    more: BTreeMap<String, Value>,
    model_name: Cow<'a, str>,
    detail: Option<T>,
    #[paid(timestamp)]
    at: Option<SystemTime>,
}

#[test]
fn generics_lifetimes_options_and_the_fields_that_mean_something_to_paid() {
    let who = CustomerId::from("cus_1");
    let used = TokensUsed::<u8> {
        who: &who,
        tokens: 12,
        by: Some("jane".into()),
        cost: Some(CostData::amount("openai", paid::Money::parse("0.5", paid::Currency::USD).unwrap()).into()),
        more: BTreeMap::from([("region".into(), json!("eu"))]),
        model_name: "m".into(),
        detail: None,
        at: Some(UNIX_EPOCH),
    };
    assert_eq!(
        json_of(&used),
        json!({
            "eventName": "tokens_used",
            "customer": {"customerId": "cus_1"},
            "attribution": {"externalProductId": "ai-sdr-001"},
            "timestamp": "1970-01-01T00:00:00Z",
            "data": {
                "quantity": 12, "external_user_id": "jane", "region": "eu", "modelName": "m",
                "costData": {"vendor": "openai", "cost": {"amount": 0.5, "currency": "USD"}}
            }
        })
    );
    let bare = TokensUsed { by: None, cost: None, more: BTreeMap::new(), detail: Some(1), at: None, ..used };
    assert_eq!(json_of(bare)["data"], json!({"quantity": 12, "modelName": "m", "detail": 1}));
}

#[derive(PaidSignal)]
enum Call {
    #[paid(signal = "call_made")]
    Made {
        #[paid(customer)]
        account: String,
        seconds: u32,
    },
    #[paid(signal = "call_missed")]
    Missed,
    #[paid(signal = "call_returned")]
    Returned {
        #[paid(product)]
        product: ExternalProductId,
        #[paid(idempotency_key)]
        key: String,
        r#type: &'static str,
    },
}

#[test]
fn every_variant_is_a_signal_of_its_own() {
    assert_eq!(Call::NAMES, ["call_made", "call_missed", "call_returned"]);
    assert_eq!(
        json_of(Call::Made { account: "acme".into(), seconds: 3 }),
        json!({"eventName": "call_made", "customer": {"externalCustomerId": "acme"}, "data": {"seconds": 3}})
    );
    assert_eq!(json_of(Call::Missed), json!({"eventName": "call_missed"}));
    assert_eq!(
        json_of(Call::Returned { product: "sdr".into(), key: "k".into(), r#type: "back" }),
        json!({
            "eventName": "call_returned", "attribution": {"externalProductId": "sdr"}, "idempotencyKey": "k",
            "data": {"type": "back"}
        })
    );
}

#[derive(PaidSignal)]
#[paid(signal = "nothing_to_add")]
struct NothingToAdd;

#[test]
fn a_signal_may_have_no_fields() {
    assert_eq!(json_of(NothingToAdd), json!({"eventName": "nothing_to_add"}));
}
