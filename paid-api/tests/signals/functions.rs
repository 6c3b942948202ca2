//! `#[paid::signal(...)]` on every kind of function.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;

use paid::testing::Recorder;
use paid::{DeliveryError, Emit, Signal, assert_emitted};
use serde_json::json;

#[derive(Debug, PartialEq)]
pub(crate) struct Failed(&'static str);

pub(crate) type Fallible<T> = Result<T, Failed>;

struct Lead {
    id: String,
    account: String,
}

fn lead() -> Lead {
    Lead { id: "l1".into(), account: "acme".into() }
}

#[derive(Debug, PartialEq)]
pub(crate) struct Meeting {
    pub(crate) minutes: u32,
}

pub(crate) fn record<R>(function: impl FnOnce() -> R) -> (R, Vec<Signal>) {
    let recorder = Recorder::new();
    let result = recorder.run_sync(function);
    (result, recorder.signals())
}

pub(crate) async fn record_async<F: Future>(future: F) -> (F::Output, Vec<Signal>) {
    let recorder = Recorder::new();
    let result = recorder.run(future).await;
    (result, recorder.signals())
}

/// For functions that do something before they return a future.
async fn record_made<F: Future>(make: impl FnOnce() -> F) -> (F::Output, Vec<Signal>) {
    let recorder = Recorder::new();
    let result = recorder.run(make()).await;
    (result, recorder.signals())
}

pub(crate) fn data(signals: &[Signal]) -> serde_json::Value {
    assert_eq!(signals.len(), 1, "{signals:?}");
    signals[0].data().to_json()
}

struct Sdr {
    name: String,
    sent: u32,
}

impl Sdr {
    /// Books a meeting.
    #[paid::signal("meeting_booked", customer = lead.account, data(lead_id = lead.id, duration_minutes = ret.minutes, by = self.name))]
    async fn book(&self, lead: &Lead, minutes: u32) -> Fallible<Meeting> {
        if minutes == 0 {
            return Err(Failed("no time"));
        }
        tokio::task::yield_now().await;
        let minutes = check(minutes)?;
        Ok(Meeting { minutes })
    }

    #[paid::signal("email_sent", customer = "acme", data(sent = self.sent, total = *ret))]
    fn send(&mut self, words: u32) -> u32 {
        self.sent += words;
        self.sent
    }

    #[paid::signal("name_read", customer = "acme")]
    fn name(&mut self) -> &mut String {
        &mut self.name
    }

    #[paid::signal("self_taken", customer = "acme", data(name = self.name))]
    fn into_name(self) -> String {
        self.name
    }
}

pub(crate) fn check(minutes: u32) -> Fallible<u32> {
    if minutes > 600 { Err(Failed("too long")) } else { Ok(minutes) }
}

#[tokio::test]
async fn an_async_method_emits_once_after_ok_and_never_after_err() {
    let sdr = Sdr { name: "Ann".into(), sent: 0 };
    let (result, signals) = record_async(sdr.book(&lead(), 30)).await;
    assert_eq!(result, Ok(Meeting { minutes: 30 }));
    assert_eq!(data(&signals), json!({"lead_id": "l1", "by": "Ann", "duration_minutes": 30}));
    assert_eq!(signals[0].to_json()["customer"], json!({"externalCustomerId": "acme"}));
    for minutes in [0, 601] {
        let (result, signals) = record_async(sdr.book(&lead(), minutes)).await;
        assert!(result.is_err() && signals.is_empty());
    }
}

#[tokio::test]
async fn a_dropped_future_and_a_panic_emit_nothing() {
    let sdr = Sdr { name: "Ann".into(), sent: 0 };
    let recorder = Recorder::new();
    let lead = lead();
    let mut future = Box::pin(recorder.run(sdr.book(&lead, 30)));
    assert!(futures_util::poll!(future.as_mut()).is_pending());
    drop(future);
    assert!(recorder.signals().is_empty());
    #[paid::signal("never", customer = "acme")]
    fn panics(yes: bool) -> u32 {
        assert!(!yes, "on purpose");
        1
    }
    let caught = std::panic::catch_unwind(|| record(|| panics(true)));
    assert!(caught.is_err());
}

#[test]
fn arguments_are_read_at_entry_and_results_at_the_end() {
    let mut sdr = Sdr { name: "Ann".into(), sent: 5 };
    let (total, signals) = record(|| sdr.send(7));
    assert_eq!((total, data(&signals)), (12, json!({"sent": 5, "total": 12})));
    let (name, signals) = record(|| sdr.name().clone());
    assert_eq!((name.as_str(), signals.len()), ("Ann", 1));
    let (name, signals) = record(|| sdr.into_name());
    assert_eq!((name.as_str(), data(&signals)), ("Ann", json!({"name": "Ann"})));
}

#[paid::signal("moved", customer = lead.account, data(id = lead.id, len = ret.len()))]
fn consume(lead: Lead) -> String {
    lead.id + &lead.account
}

#[paid::signal("moved_async", customer = lead.account, data(id = lead.id, len = ret.len()))]
async fn consume_async(lead: Lead) -> String {
    tokio::task::yield_now().await;
    lead.id + &lead.account
}

#[tokio::test]
async fn the_body_may_move_its_arguments() {
    assert_eq!(data(&record(|| consume(lead())).1), json!({"id": "l1", "len": 6}));
    assert_eq!(data(&record_async(consume_async(lead())).await.1), json!({"id": "l1", "len": 6}));
}

#[paid::signal("both", customer = "acme", data(sum = ret + offset))]
async fn uses_both(offset: u32) -> u32 {
    offset * 2
}

#[paid::signal("short", customer = who, data(words, r#type, shout = format!("{words}!")))]
fn shorthand(who: &str, words: u32, r#type: &str) {
    let _ = (who, words, r#type);
}

#[tokio::test]
async fn after_expressions_may_use_arguments_too_and_a_name_alone_is_enough() {
    assert_eq!(data(&record_async(uses_both(2)).await.1), json!({"sum": 6}));
    let signals = record(|| shorthand("acme", 3, "x")).1;
    assert_eq!(data(&signals), json!({"words": 3, "type": "x", "shout": "3!"}));
}

#[paid::signal("failed", customer = "acme", on = "error", data(why = err.0))]
fn on_error(fail: bool) -> Fallible<u32> {
    if fail { Err(Failed("on purpose")) } else { Ok(1) }
}

#[paid::signal("tried", customer = "acme", on = "always", data(ok = result.is_ok()))]
fn always(fail: bool) -> Fallible<u32> {
    if fail { Err(Failed("on purpose")) } else { Ok(1) }
}

#[paid::signal("big", customer = "acme", when = *ret > limit)]
fn only_when(value: u32, limit: u32) -> u32 {
    value
}

#[paid::signal("asked", customer = "acme", when = yes)]
fn only_when_asked(yes: bool) -> bool {
    yes
}

#[paid::signal("renamed", customer = "acme", ret = meeting, data(minutes = meeting.minutes))]
fn renamed() -> Fallible<Meeting> {
    Ok(Meeting { minutes: 15 })
}

#[test]
fn on_and_when_decide_whether() {
    assert_eq!(data(&record(|| on_error(true)).1), json!({"why": "on purpose"}));
    assert!(record(|| on_error(false)).1.is_empty());
    assert_eq!(data(&record(|| always(true)).1), json!({"ok": false}));
    assert_eq!(data(&record(|| always(false)).1), json!({"ok": true}));
    assert_eq!(record(|| only_when(3, 2)).1.len(), 1);
    assert!(record(|| only_when(2, 2)).1.is_empty());
    assert_eq!(record(|| only_when_asked(true)).1.len(), 1);
    assert!(record(|| only_when_asked(false)).1.is_empty());
    assert_eq!(data(&record(renamed).1), json!({"minutes": 15}));
}

#[paid::signal("paid_out", customer = "acme", data(amount = *ret))]
#[paid::signal("payout_failed", customer = "acme", on = "error", data(why = err.0))]
#[paid::signal("payout_tried", customer = "acme", on = "always")]
async fn pay_out(fail: bool) -> Fallible<u32> {
    tokio::task::yield_now().await;
    if fail {
        return Err(Failed("broke"));
    }
    Ok(7)
}

#[tokio::test]
async fn one_function_may_have_several_signals() {
    let names = |signals: &[Signal]| signals.iter().map(|signal| signal.name().to_owned()).collect::<Vec<_>>();
    let (_, signals) = record_async(pay_out(false)).await;
    assert_eq!(names(&signals), ["paid_out", "payout_tried"]);
    let (_, signals) = record_async(pay_out(true)).await;
    assert_eq!(names(&signals), ["payout_failed", "payout_tried"]);
}

trait Work {
    type Out;
    fn work(&self, input: u32) -> Self::Out;
    fn later<'a>(&'a self, input: &'a str) -> Pin<Box<dyn Future<Output = Fallible<usize>> + Send + 'a>>;
}

impl Work for Sdr {
    type Out = Fallible<u32>;

    #[paid::signal("worked", customer = "acme", data(input, output = ret))]
    fn work(&self, input: u32) -> Self::Out {
        check(input)
    }

    #[paid::signal("worked_later", customer = self.name, data(input, len = ret))]
    fn later<'a>(&'a self, input: &'a str) -> Pin<Box<dyn Future<Output = Fallible<usize>> + Send + 'a>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if input.is_empty() { Err(Failed("empty")) } else { Ok(input.len()) }
        })
    }
}

#[async_trait::async_trait]
trait AsyncWork {
    async fn run(&self, input: &str) -> Fallible<usize>;
}

#[async_trait::async_trait]
impl AsyncWork for Sdr {
    #[paid::signal("ran", customer = self.name, data(input, len = ret))]
    async fn run(&self, input: &str) -> Fallible<usize> {
        tokio::task::yield_now().await;
        if input.is_empty() {
            return Err(Failed("empty"));
        }
        Ok(input.len())
    }
}

#[tokio::test]
async fn trait_impls_boxed_futures_and_async_trait() {
    let sdr = Sdr { name: "acme".into(), sent: 0 };
    assert_eq!(data(&record(|| sdr.work(7)).1), json!({"input": 7, "output": 7}));
    assert!(record(|| sdr.work(700)).1.is_empty());
    let (_, signals) = record_made(|| sdr.later("abc")).await;
    assert_eq!(data(&signals), json!({"input": "abc", "len": 3}));
    assert!(record_made(|| sdr.later("")).await.1.is_empty());
    let (_, signals) = record_made(|| sdr.run("abcd")).await;
    assert_eq!(data(&signals), json!({"input": "abcd", "len": 4}));
    assert!(record_made(|| sdr.run("")).await.1.is_empty());
}

#[paid::signal("generic", customer = who.as_ref(), data(value, back = ret), success = |_| true)]
fn generic<T: serde::Serialize + Clone, S>(who: S, value: T) -> T
where
    S: AsRef<str>,
{
    value.clone()
}

#[paid::signal("opaque", customer = "acme", data(first = items.len()))]
fn opaque<'a>(items: &'a [u32], by: impl Fn(u32) -> u32 + 'a) -> impl Iterator<Item = u32> + 'a {
    items.iter().map(move |item| by(*item))
}

#[paid::signal("opaque_result", customer = "acme")]
fn opaque_result(ok: bool) -> Fallible<impl Iterator<Item = u32>> {
    if !ok {
        return Err(Failed("no"));
    }
    Ok([1, 2].into_iter())
}

#[paid::signal("future", customer = "acme", data(input, output = ret))]
fn returns_future(input: u32) -> impl Future<Output = Fallible<u32>> {
    async move { check(input) }
}

#[tokio::test]
async fn generics_impl_trait_arguments_and_returns() {
    assert_eq!(data(&record(|| generic("acme", vec![1])).1), json!({"value": [1], "back": [1]}));
    let (sum, signals) = record(|| opaque(&[1, 2], |item| item * 10).sum::<u32>());
    assert_eq!((sum, data(&signals)), (30, json!({"first": 2})));
    let (sum, signals) = record(|| opaque_result(true).map(Iterator::sum::<u32>));
    assert_eq!((sum, signals.len()), (Ok(3), 1));
    assert!(record(|| opaque_result(false).is_err()).1.is_empty());
    assert_eq!(data(&record_made(|| returns_future(5)).await.1), json!({"input": 5, "output": 5}));
    assert!(record_made(|| returns_future(601)).await.1.is_empty());
}

#[paid::signal("outside", customer = "acme")]
#[tracing::instrument(skip_all, err(Debug))]
async fn signal_outside(minutes: u32) -> Fallible<u32> {
    check(minutes)
}

#[tracing::instrument(skip_all, err(Debug))]
#[paid::signal("inside", customer = "acme")]
async fn signal_inside(minutes: u32) -> Fallible<u32> {
    check(minutes)
}

#[tokio::test]
async fn composes_with_instrument_in_either_order() {
    for (minutes, count) in [(1, 1), (601, 0)] {
        assert_eq!(record_async(signal_outside(minutes)).await.1.len(), count);
        assert_eq!(record_async(signal_inside(minutes)).await.1.len(), count);
    }
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[paid::signal("sendable", customer = "acme", data(len = *ret))]
async fn takes_what_is_send_and_not_sync(cell: std::cell::Cell<u32>) -> u32 {
    tokio::task::yield_now().await;
    cell.get()
}

#[tokio::test]
async fn the_future_stays_send() {
    assert_eq!(assert_send(takes_what_is_send_and_not_sync(std::cell::Cell::new(3))).await, 3);
}

#[derive(Default)]
struct Own(Mutex<Vec<String>>);

impl Emit for Own {
    fn emit(&self, signal: Signal) -> bool {
        self.0.lock().unwrap().push(signal.name().to_owned());
        true
    }

    fn fail(&self, failure: DeliveryError) {
        self.0.lock().unwrap().push(failure.to_string());
    }
}

#[test]
fn via_names_another_emitter() {
    #[paid::signal("elsewhere", customer = "acme", via = own.clone())]
    fn work(own: &std::sync::Arc<Own>) {
        let _ = own;
    }
    let own = std::sync::Arc::new(Own::default());
    assert!(record(|| work(&own)).1.is_empty());
    assert_eq!(*own.0.lock().unwrap(), ["elsewhere"]);
}

#[paid::signal("nobody", data(x = 1))]
fn for_nobody() -> u32 {
    7
}

#[paid::signal("not_a_number", customer = "acme", data(x = f64::NAN))]
fn not_a_number() -> u32 {
    8
}

#[test]
fn what_cannot_be_sent_is_offered_to_the_hook_and_changes_no_result() {
    let recorder = Recorder::new();
    assert_eq!(recorder.run_sync(for_nobody), 7);
    assert_eq!(recorder.run_sync(not_a_number), 8);
    assert!(recorder.signals().is_empty());
    let failures: Vec<_> = recorder.failures().iter().map(ToString::to_string).collect();
    assert!(failures[0].contains("`nobody` has no customer"), "{failures:?}");
    assert!(failures[1].contains("`x` is NaN or infinite, which JSON cannot represent"), "{failures:?}");
}

#[test]
fn a_key_and_a_time_are_made_at_emission() {
    let signals = record(|| {
        for _ in 0..2 {
            paid::emit(Signal::new("x").customer("acme"));
        }
    });
    let keys: Vec<_> = signals.1.iter().map(|signal| signal.idempotency_key_ref().unwrap().to_owned()).collect();
    assert_ne!(keys[0], keys[1]);
    assert_eq!(uuid::Uuid::parse_str(&keys[0]).unwrap().get_version_num(), 7);
    assert!(signals.1[0].timestamp_ref().is_some());
}

#[test]
fn assertions_show_what_was_emitted() {
    let recorder = Recorder::new();
    recorder.run_sync(|| {
        paid::emit(Signal::new("meeting_booked").customer("acme").product("sdr").field("lead", &json!({"id": "l1"})));
        assert_emitted!("meeting_booked", data.lead.id == "l1", customer == "acme", product == "sdr");
    });
    assert_emitted!(recorder, "meeting_booked");
    let missed = std::panic::catch_unwind(|| assert_emitted!(recorder, "meeting_booked", data.lead.id == "l2"));
    let message = *missed.unwrap_err().downcast::<String>().unwrap();
    assert!(
        message.contains("no `meeting_booked` with data.lead.id == \"l2\"") && message.contains("\"l1\""),
        "{message}"
    );
}
