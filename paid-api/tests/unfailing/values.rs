//! Values that are empty or odd, or whose code panics.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use paid::PaidSignal;
use paid::signal::Data;
use paid::testing::Recorder;
use paid::types::CustomerAttribution;
use paid::{DeliveryError, Signal};

use super::{Heard, Server, block_on, flush, signal};

#[derive(PaidSignal)]
#[paid(signal = "order")]
struct Order {
    #[paid(idempotency_key)]
    id: String,
    #[paid(customer)]
    customer: String,
    n: u32,
}

#[test]
fn orders_without_a_key_or_customer_are_refused_and_not_billed_as_one() {
    let server = Server::default();
    let emitter = server.emitter().build().unwrap();
    let order = |id: &str, customer: &str| Order { id: id.into(), customer: customer.into(), n: 1 };
    for (order, field) in [
        (order("", "acme"), "idempotency_key"),
        (order("\u{200b} ", "acme"), "idempotency_key"),
        (order("o-1", ""), "customer"),
        (order("o-1", "\u{0}\t"), "customer"),
    ] {
        let outcome = block_on(emitter.send(order));
        let Err(DeliveryError::Data { problem, .. }) = outcome else { panic!("{field}: {outcome:?}") };
        assert_eq!(problem.field, field);
        assert!(problem.problem.contains("leave it out"), "{problem}");
    }
    block_on(emitter.send(order("o-1", "acme"))).unwrap();
    assert_eq!((emitter.stats().refused, server.names().len()), (4, 1));
}

#[test]
fn a_blank_id_of_an_inner_scope_is_refused_and_not_taken_from_the_outer_one() {
    let recorder = Recorder::new();
    recorder.scope().customer("acme").product("p").run_sync(|| {
        paid::scope().customer("").run_sync(|| paid::emit(Signal::new("e")));
        paid::scope().product(" ").run_sync(|| paid::emit(Signal::new("e")));
        paid::emit(Signal::new(""));
    });
    assert!(recorder.signals().is_empty());
    let failures: Vec<_> = recorder.failures().iter().map(ToString::to_string).collect();
    for (failure, start) in failures.iter().zip([
        "signal `e`: `customer` is empty: ",
        "signal `e`: `product` is empty (it has no visible character): ",
        "signal ``: `event_name` is empty: ",
    ]) {
        assert!(failure.starts_with(start), "{failure}");
    }
    assert_eq!(failures.len(), 3);
}

/// A customer's id whose code panics, and a value that panics in every other way.
struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("on purpose")
    }
}

impl serde::Serialize for Panics {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("on purpose")
    }
}

struct PanicsAsText;

impl AsRef<str> for PanicsAsText {
    fn as_ref(&self) -> &str {
        panic!("on purpose")
    }
}

impl PaidSignal for Panics {
    const NAMES: &'static [&'static str] = &["panics"];

    fn write_data(&self, _: &mut Data) {
        panic!("on purpose")
    }
}

impl Drop for PanicsAsText {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "on purpose");
    }
}

impl PaidSignal for PanicsAsText {
    const NAMES: &'static [&'static str] = &["panics_when_dropped"];

    fn customer(&self) -> Option<CustomerAttribution> {
        Some("acme".into())
    }

    fn write_data(&self, _: &mut Data) {}
}

#[paid::signal("by_display", customer = Panics)]
fn by_display() -> u32 {
    1
}

#[paid::signal("by_text", product = std::mem::ManuallyDrop::into_inner(std::mem::ManuallyDrop::new("")))]
fn by_empty_text() -> u32 {
    2
}

#[paid::signal("user", user = Panics, data(n = 1))]
fn by_user() -> u32 {
    3
}

#[paid::signal("field", data(field = Panics))]
async fn by_field() -> u32 {
    4
}

#[paid::signal]
fn by_payload() -> Panics {
    Panics
}

#[test]
fn a_value_that_panics_leaves_the_functions_outcome_alone_and_is_reported() {
    let recorder = Recorder::new();
    recorder.scope().customer("acme").run_sync(|| {
        assert_eq!((by_display(), by_empty_text(), by_user()), (1, 2, 3));
        assert_eq!(block_on(by_field()), 4);
        by_payload();
        paid::emit(Panics);
        paid::emit(&Panics);
    });
    // Not billed to the scope's customer: the function names another one.
    assert!(recorder.signals().is_empty(), "{recorder:?}");
    let failures: Vec<_> = recorder.failures().iter().map(ToString::to_string).collect();
    let starts = [
        "signal `by_display`: `customer` panicked when it was turned into text",
        "signal `by_text`: `product` is empty",
        "signal `user`: `user` panicked when it was turned into text",
        "signal `field`: `field` panicked: on purpose",
        "signal `panics`: `to_signal` panicked: on purpose",
        "signal `panics`: `to_signal` panicked: on purpose",
        "signal `panics`: `to_signal` panicked: on purpose",
    ];
    assert_eq!(failures.len(), starts.len(), "{failures:?}");
    for (failure, start) in failures.iter().zip(starts) {
        assert!(failure.starts_with(start), "{failure}");
    }
}

#[test]
fn a_value_that_panics_when_it_is_dropped_is_sent() {
    let server = Server::default();
    let emitter = server.emitter().build().unwrap();
    drop(emitter.emit(PanicsAsText));
    paid::scope().emitter(emitter.clone()).run_sync(|| paid::emit(PanicsAsText));
    flush(&emitter);
    assert_eq!(server.names(), ["panics_when_dropped"; 2]);
    // Without anybody who listens, too.
    paid::emit(PanicsAsText);
}

struct At(SystemTime);

impl PaidSignal for At {
    const NAMES: &'static [&'static str] = &["at"];

    fn name(&self) -> Cow<'static, str> {
        "at".into()
    }

    fn customer(&self) -> Option<CustomerAttribution> {
        Some("acme".into())
    }

    fn timestamp(&self) -> Option<paid::Timestamp> {
        paid::signal::value::AsTimestamp::as_timestamp(&self.0)
    }

    fn write_data(&self, _: &mut Data) {}
}

#[paid::signal("annotated_time", customer = "acme", timestamp = time)]
fn at(time: SystemTime) {
    let _ = time;
}

#[test]
fn times_of_any_year_are_sent_or_refused() {
    let recorder = Recorder::new();
    let year = Duration::from_secs(31_556_952);
    recorder.run_sync(|| {
        for time in [
            UNIX_EPOCH + year * 300_000,
            UNIX_EPOCH.checked_add(Duration::from_secs(i64::MAX.unsigned_abs())).unwrap(),
            UNIX_EPOCH - year * 5_000,
            UNIX_EPOCH.checked_sub(Duration::from_secs(i64::MAX.unsigned_abs())).unwrap(),
        ] {
            at(time);
            paid::emit(At(time));
        }
    });
    assert!(recorder.signals().is_empty());
    let failures = recorder.failures();
    assert_eq!(failures.len(), 8);
    assert!(
        failures.iter().all(|failure| failure.to_string().contains("`timestamp` is before the year 0 or after 9999"))
    );
    recorder.run_sync(|| {
        paid::emit(At(UNIX_EPOCH - Duration::from_millis(1)));
        at(UNIX_EPOCH - year);
        let leap: paid::Timestamp = "2016-12-31T23:59:60.5Z".parse().unwrap();
        paid::emit(signal("leap").timestamp(leap));
    });
    let times: Vec<_> = recorder.signals().iter().map(|signal| signal.to_json()["timestamp"].clone()).collect();
    assert_eq!(times, ["1969-12-31T23:59:59.999Z", "1968-12-31T18:10:48Z", "2016-12-31T23:59:59.999999999Z"]);
}

#[test]
fn what_servers_cannot_read_is_refused_and_large_signals_are_not() {
    let server = Server::default();
    let heard = Heard::default();
    let emitter = server.emitter().on_error(heard.hook()).build().unwrap();
    let deep = (0..1_000).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
    drop(emitter.emit(signal("deep").field("n", &deep)));
    drop(emitter.emit(signal("large").field("n", &"y".repeat(3 << 20))));
    drop(emitter.emit(signal("twice").field("n", &1).field("n", &2)));
    flush(&emitter);
    assert_eq!(server.names(), ["large", "twice"]);
    assert_eq!(server.0.lock().unwrap()[1]["data"]["n"], 2);
    let heard = heard.wait_for(1);
    assert!(heard[0].starts_with("signal `deep`: `n` is nested more than 100 levels deep"), "{heard:?}");
}
