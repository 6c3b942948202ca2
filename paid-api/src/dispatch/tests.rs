//! The worker in virtual time, against a sink that misbehaves as it is told.

mod aside;
mod ends;
mod last_word;
mod policies;
mod waiting;
#[cfg(feature = "outbox")]
mod with_disk;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::cargo::Cargo;
use super::courier::CourierPolicy;
use super::disk::DiskNews;
use super::event::DispatchEvent;
use super::host::Machine;
use super::mode::Mode;
use super::queue::{Content, FlushTell, Pushed, Queue, Queued};
use super::receipt::{Outcome, Receipt};
use super::record::RecordWriter;
use super::settings::{DispatchSettings, Limits, Overflow, Partial};
use super::shared::DispatchShared;
use super::sink::{Batch, Sink, SinkFuture};
use super::told as watch;
use super::worker::{Pace, Worker};
use crate::error::{ApiError, Error};
use crate::report::{Counts, DeliveryError, RecordKind, Reporter};

/// Cargo of a test: a name, a key and a lane.
struct Parcels;

struct Parcel {
    name: &'static str,
    key: String,
    lane: u32,
}

impl Cargo for Parcels {
    type Load = Parcel;
    type Ink = ();

    const KIND: RecordKind = RecordKind::Signal;
    const HAS_RANKS: bool = true;

    fn name(parcel: &Parcel) -> std::borrow::Cow<'static, str> {
        parcel.name.into()
    }

    fn weight(_: &Parcel) -> usize {
        400
    }

    fn makes_way(parcel: &Parcel) -> bool {
        parcel.name == "modest"
    }

    fn ink(&self) {}

    fn write(parcel: Parcel, (): &(), page: &mut RecordWriter) {
        let body = serde_json::json!({
            "eventName": parcel.name,
            "idempotencyKey": parcel.key,
            "customer": { "externalCustomerId": format!("c-{:03}", parcel.lane) },
        });
        page.add(RecordKind::Signal, parcel.name, &parcel.key, parcel.lane, |text| {
            text.extend_from_slice(body.to_string().as_bytes());
        });
    }
}

/// What is set of a rig.
#[derive(Clone, Copy)]
struct Settings {
    max_batch: usize,
    max_bytes: usize,
    queue: usize,
    overflow: Overflow,
    partial: Partial,
    has_disk: bool,
    keeps_order: bool,
    take_in: Duration,
    window: Option<Limits>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_batch: 500,
            max_bytes: 1 << 20,
            queue: 10_000,
            overflow: Overflow::Reject,
            partial: Partial::SendAgain,
            has_disk: false,
            keeps_order: false,
            take_in: Duration::from_millis(100),
            window: None,
        }
    }
}

/// What the server does with the next request.
#[derive(Clone, Copy, Debug)]
enum Act {
    Take,
    /// Accepts the signals; the response is lost.
    TakeAndLose,
    Status(u16),
    /// Asks for a wait, in seconds.
    Ask(u16),
    Hang,
}

/// What the server does with every batch that has a signal called `poison`.
#[derive(Clone, Copy, Debug)]
enum Poison {
    Status(u16),
    Hang,
    Panic,
}

/// A server with Paid's rules: a known key is a duplicate, a batch with a signal called `bad` is refused, a signal
/// called `failing` is counted as failed.
#[derive(Default)]
struct Server {
    acts: Mutex<VecDeque<Act>>,
    poison: Mutex<Option<Poison>>,
    /// The keys that were billed.
    billed: Mutex<BTreeSet<String>>,
    order: Mutex<Vec<String>>,
    requests: Mutex<Vec<(Instant, usize)>>,
}

fn status(status: u16) -> Error {
    let status = StatusCode::from_u16(status).unwrap();
    Error::Api(Box::new(ApiError::read("create-signals".into(), 1, status, HeaderMap::new(), "{}".into())))
}

fn asking(seconds: u16) -> Error {
    let headers = [(reqwest::header::RETRY_AFTER, seconds.into())].into_iter().collect();
    let status = StatusCode::TOO_MANY_REQUESTS;
    Error::Api(Box::new(ApiError::read("create-signals".into(), 1, status, headers, "{}".into())))
}

impl Server {
    fn handle(&self, body: &[u8]) -> Result<Counts, Error> {
        let body: Value = serde_json::from_slice(body).unwrap();
        let signals = body["signals"].as_array().unwrap();
        self.requests.lock().unwrap().push((Instant::now(), signals.len()));
        let act = self.acts.lock().unwrap().pop_front().unwrap_or(Act::Take);
        match act {
            Act::Status(code) => return Err(status(code)),
            Act::Ask(seconds) => return Err(asking(seconds)),
            Act::Take | Act::TakeAndLose | Act::Hang => {}
        }
        if signals.iter().any(|signal| signal["eventName"] == "bad") {
            return Err(status(400));
        }
        let mut counts = Counts::default();
        for signal in signals {
            let key = signal["idempotencyKey"].as_str().unwrap().to_owned();
            let mut billed = self.billed.lock().unwrap();
            if signal["eventName"] == "failing" {
                counts.failed += 1;
            } else if billed.insert(key.clone()) {
                counts.ingested += 1;
                self.order.lock().unwrap().push(key);
            } else {
                counts.duplicates += 1;
            }
        }
        if matches!(act, Act::TakeAndLose) { Err(status(502)) } else { Ok(counts) }
    }
}

impl Sink for Arc<Server> {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        let body = batch.to_body();
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if matches!(self.acts.lock().unwrap().front(), Some(Act::Hang)) {
                std::future::pending::<()>().await;
            }
            let is_poisoned = batch.records().any(|record| record.name() == "poison");
            let poison = self.poison.lock().unwrap().filter(|_| is_poisoned);
            match poison {
                None => return self.handle(&body),
                Some(Poison::Hang) => tokio::time::sleep(Duration::from_secs(60)).await,
                Some(Poison::Status(_)) => {}
                Some(Poison::Panic) => std::panic::resume_unwind(Box::new("a bug in the sink")),
            }
            self.requests.lock().unwrap().push((Instant::now(), batch.len()));
            Err(status(if let Some(Poison::Status(code)) = poison { code } else { 504 }))
        })
    }
}

/// A worker with its queue, on this runtime and its clock.
struct Rig {
    server: Arc<Server>,
    queue: Arc<Queue<Parcels>>,
    end: watch::Sender<Option<Instant>>,
    shared: Arc<DispatchShared>,
    failures: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
    keeper: Option<tokio::task::JoinHandle<()>>,
}

impl Rig {
    fn start(acts: impl IntoIterator<Item = Act>, settings: Settings) -> Self {
        let server = Arc::new(Server { acts: Mutex::new(acts.into_iter().collect()), ..Server::default() });
        Self::assemble(server, settings, |worker, _| worker)
    }

    fn assemble(
        server: Arc<Server>,
        settings: Settings,
        finish: impl FnOnce(Worker<Parcels>, DiskNews) -> Worker<Parcels>,
    ) -> Self {
        let failures = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&failures);
        let mut reporter = Reporter::default();
        reporter.add_hook(move |failure: &DeliveryError| heard.lock().unwrap().push(failure.to_string()));
        let shared = Arc::new(DispatchShared::new(RecordKind::Signal, reporter, Arc::new(Machine)));
        let (tell, events) = mpsc::unbounded_channel::<DispatchEvent>();
        let defaults = DispatchSettings::default();
        let batch = Limits { records: settings.max_batch, bytes: settings.max_bytes };
        let limits = Limits { records: settings.queue, bytes: 64 << 20 };
        let window =
            settings.window.unwrap_or(Limits { records: 4_000.min(settings.queue.div_ceil(2)), bytes: 8 << 20 });
        let pace = Pace { batch, linger: defaults.linger, in_flight: 4, take_in: settings.take_in, window };
        let policy = CourierPolicy {
            kind: RecordKind::Signal,
            backoff: defaults.backoff,
            longest_asked: defaults.longest_asked,
            mode: Mode::Live,
            partial: settings.partial,
            has_disk: settings.has_disk,
            keeps_order: settings.keeps_order,
        };
        let queue = Arc::new(Queue::new(limits, settings.overflow, batch, settings.has_disk, tell.clone()));
        let (end, ending) = watch::channel(None);
        let sink: Arc<dyn Sink> = Arc::new(Arc::clone(&server));
        let news = DiskNews::new(tell.clone());
        let worker = Worker::new(
            (Parcels, sink),
            Arc::clone(&shared),
            (pace, policy),
            Arc::clone(&queue),
            ending,
            (tell, events),
        );
        let task = tokio::spawn(finish(worker, news).run());
        Self { server, queue, end, shared, failures, task, keeper: None }
    }

    async fn emit(&self, name: &'static str, key: &str) -> Receipt {
        self.emit_for(0, name, key)
    }

    fn emit_for(&self, lane: u32, name: &'static str, key: &str) -> Receipt {
        let (tell, receipt) = Receipt::new(RecordKind::Signal);
        self.shared.counts.accepted.add(1);
        let parcel = Parcel { name, key: key.to_owned(), lane };
        match self.queue.push(Queued { content: Content::Load(parcel), receipt: Some(tell), stored: None }) {
            Pushed::Queued => {}
            Pushed::Instead(others) => {
                for other in others {
                    self.shared.counts.dropped.add(1);
                    let failure = DeliveryError::Dropped { kind: RecordKind::Signal, name: other.content.name() };
                    other.answer(Err(failure));
                }
            }
            Pushed::Refused(queued, failure) => {
                self.shared.counts.accepted.subtract(1);
                queued.answer(Err(failure));
            }
        }
        receipt
    }

    async fn flush(&self) {
        let (tell, told) = crate::dispatch::tell::channel();
        assert!(self.queue.flush(FlushTell::Task(tell)));
        told.await.unwrap();
    }

    /// Drops the last handle, and waits for the thread's end.
    async fn close(self) -> (Arc<Server>, Arc<DispatchShared>, Vec<String>) {
        self.end.send_replace(Some(Instant::now() + Duration::from_secs(5)));
        self.queue.close();
        self.task.await.unwrap();
        if let Some(keeper) = self.keeper {
            keeper.await.unwrap();
        }
        let failures = self.failures.lock().unwrap().clone();
        (self.server, self.shared, failures)
    }
}

fn sizes(server: &Server) -> Vec<usize> {
    server.requests.lock().unwrap().iter().map(|(_, size)| *size).collect()
}

#[tokio::test(start_paused = true)]
async fn a_batch_goes_when_it_is_full_or_has_lingered() {
    let rig = Rig::start([], Settings { max_batch: 3, ..Settings::default() });
    let begun = Instant::now();
    for key in ["a", "b", "c", "d"] {
        rig.emit("x", key).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(sizes(&rig.server), [3]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(sizes(&rig.server), [3, 1]);
    let times: Vec<_> = rig.server.requests.lock().unwrap().iter().map(|(at, _)| *at - begun).collect();
    // The second batch waits for its own time, not for the first one.
    assert_eq!(times[1] - times[0], Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn a_batch_goes_before_it_has_too_many_bytes() {
    let rig = Rig::start([], Settings { max_bytes: 200, ..Settings::default() });
    for key in ["a", "b", "c", "d", "e"] {
        rig.emit("x", key).await;
    }
    rig.flush().await;
    assert_eq!(sizes(&rig.server), [2, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_for_hours_loses_nothing() {
    let down = (0..200).map(|number| if number % 2 == 0 { Act::Status(503) } else { Act::TakeAndLose });
    let rig = Rig::start(down, Settings::default());
    let begun = Instant::now();
    let receipt = rig.emit("x", "a").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(rig.shared.counts.read().circuit_open);
    rig.flush().await;
    assert!(begun.elapsed() > Duration::from_secs(600), "{:?}", begun.elapsed());
    let stats = rig.shared.counts.read();
    assert_eq!((stats.delivered, stats.rejected, stats.retries, stats.circuit_open), (1, 0, 200, false));
    assert!(receipt.await.is_ok());
    assert_eq!(*rig.server.billed.lock().unwrap(), BTreeSet::from(["a".to_owned()]));
    let gaps: Vec<_> = rig.server.requests.lock().unwrap().windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert!(gaps.iter().all(|gap| *gap <= Duration::from_secs(61)), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_pauses_and_keeps_everything() {
    for refusal in [401, 403] {
        let rig = Rig::start([Act::Status(refusal); 5], Settings::default());
        let receipt = rig.emit("x", "a").await;
        rig.flush().await;
        assert!(receipt.await.is_ok());
        assert!(rig.failures.lock().unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn bad_signals_are_isolated_and_the_good_ones_get_through_in_order() {
    let rig = Rig::start([], Settings::default());
    let mut receipts = Vec::new();
    for number in 0..64 {
        let name = match number {
            7 | 40 => "bad",
            21 => "failing",
            _ => "good",
        };
        receipts.push((number, rig.emit(name, &format!("{number:02}")).await));
    }
    rig.flush().await;
    for (number, receipt) in receipts {
        assert_eq!(receipt.await.is_ok(), ![7, 21, 40].contains(&number), "{number}");
    }
    let (server, shared, failures) = rig.close().await;
    assert_eq!(failures.len(), 3);
    assert!(
        failures.iter().any(|failure| failure.starts_with("Paid counted signal `failing` as failed")),
        "{failures:?}"
    );
    let stats = shared.counts.read();
    assert_eq!((stats.delivered, stats.rejected, stats.queued()), (61, 3, 0));
    let order = server.order.lock().unwrap().clone();
    assert_eq!(order.len(), 61);
    assert!(order.is_sorted(), "{order:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lone_duplicate_says_so() {
    let rig = Rig::start([], Settings::default());
    let first = rig.emit("x", "a").await;
    rig.flush().await;
    let second = rig.emit("x", "a").await;
    rig.flush().await;
    assert_eq!(first.await.unwrap(), super::Delivery::Delivered);
    assert_eq!(second.await.unwrap(), super::Delivery::Duplicate);
    assert_eq!(rig.shared.counts.read().duplicates, 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_sends_what_is_queued_and_gives_up_within_its_patience() {
    let rig = Rig::start([], Settings::default());
    for key in ["a", "b"] {
        rig.emit("x", key).await;
    }
    let (server, _, _) = rig.close().await;
    assert_eq!(server.billed.lock().unwrap().len(), 2);

    for acts in [vec![Act::Hang; 2], vec![Act::Status(503); 10_000]] {
        let rig = Rig::start(acts, Settings::default());
        let receipt = rig.emit("x", "a").await;
        rig.emit("x", "b").await;
        let begun = Instant::now();
        let (_, shared, failures) = rig.close().await;
        assert!(begun.elapsed() <= Duration::from_millis(5_500), "{:?}", begun.elapsed());
        assert!(failures[0].starts_with("2 signals not delivered"), "{failures:?}");
        assert_eq!(shared.counts.read().dropped, 2);
        assert!(matches!(receipt.await, Err(DeliveryError::NotDelivered { records: 2, .. })));
    }
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Take),
        1 => Just(Act::TakeAndLose),
        1 => prop::sample::select(vec![400, 401, 403, 408, 409, 413, 429, 500, 503]).prop_map(Act::Status),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever the server does: every signal is answered, none is billed twice, and a good one is lost only if Paid
    /// refused it when it was alone.
    #[test]
    fn delivered_is_accepted_but_for_what_was_refused_and_nothing_is_billed_twice(
        acts in prop::collection::vec(act(), 0..60),
        names in prop::collection::vec(prop::sample::select(vec!["good", "good", "good", "bad", "failing"]), 1..40),
        pauses in prop::collection::vec(0_u64..300, 1..40),
        max_batch in 1_usize..12,
        keeps_order in any::<bool>(),
    ) {
        let refusals = acts.iter().filter(|act| matches!(act, Act::Status(400 | 409 | 413))).count();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let rig = Rig::start(acts, Settings { max_batch, keeps_order, ..Settings::default() });
            let mut receipts: Vec<(&str, String, Receipt)> = Vec::new();
            for (number, name) in names.iter().copied().enumerate() {
                let key = format!("{number:03}");
                let receipt = rig.emit(name, &key).await;
                receipts.push((name, key, receipt));
                tokio::time::sleep(Duration::from_millis(pauses[number % pauses.len()])).await;
            }
            rig.flush().await;
            let mut refused_good = 0;
            for (name, key, receipt) in receipts {
                let outcome: Outcome = receipt.await;
                let billed = rig.server.billed.lock().unwrap().contains(&key);
                match outcome {
                    Ok(_) => {
                        prop_assert_eq!(name, "good");
                        prop_assert!(billed);
                    }
                    Err(_) => refused_good += usize::from(name == "good"),
                }
            }
            prop_assert!(refused_good <= refusals, "{} of {}", refused_good, refusals);
            let (server, shared, _) = rig.close().await;
            prop_assert_eq!(shared.counts.read().queued(), 0);
            prop_assert!(!keeps_order || server.order.lock().unwrap().is_sorted());
            Ok(())
        })?;
    }
}
