//! Records that are sent once more, beside the queue and within a time limit: each is answered, or it is known that it
//! was not.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::courier::{Courier, CourierPolicy, Tries};
use super::end;
use super::event::Finished;
use super::host::Host;
use super::lanes::Lanes;
use super::mode::Mode;
use super::receipt::Receipt;
use super::record::{Item, Record};
use super::settings::{DispatchSettings, Partial};
use super::shared::DispatchShared;
use super::sink::{Batch, Sink, SinkFuture};
use super::told as watch;
use crate::error::Error;
use crate::report::{Counts, DeliveryError, RecordKind, Reporter};
use crate::verdict::{Backoff, Verdict};

const IN_FLIGHT: usize = 4;
const DELAYS: Backoff = Backoff { base: Duration::from_millis(500), max: Duration::from_secs(5) };
/// After this many attempts in a row, a key or an address is wrong.
const HOPELESS: u32 = 3;
/// A server that restarts may refuse connections for this long.
const RESTART: Duration = Duration::from_secs(3);

/// Sends records outside of any queue.
#[derive(Clone)]
pub(crate) struct Errand {
    pub(crate) kind: RecordKind,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) mode: Mode,
}

/// What became of a record.
#[derive(Debug)]
pub(crate) enum Answer {
    Delivered,
    Refused(DeliveryError),
    /// No answer came in time.
    Unanswered {
        /// True if the record was sent, so that it may have arrived.
        is_sent: bool,
    },
}

/// The answers, in the order of the records, and why some are missing.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) answers: Vec<Answer>,
    pub(crate) stopped: Option<String>,
}

impl Errand {
    /// Sends records until each is answered, the time is over, or the server will not answer: the key or the address is
    /// wrong, or there is no connection. Nothing more is sent if the result is dropped; `hold` is dropped when nothing is
    /// being sent any more, and before the answers are returned.
    ///
    /// # Errors
    ///
    /// If no thread can be started, or nothing is sent on purpose.
    pub(crate) async fn run(
        &self,
        records: Vec<Record>,
        timeout: Duration,
        hold: impl Send + 'static,
        mut answered: impl FnMut(),
    ) -> io::Result<Answers> {
        if self.mode != Mode::Live {
            return Err(io::Error::other("sending is turned off, or this is a dry run: nothing is sent again"));
        }
        let (end, ending) = watch::channel(None);
        let sink = Arc::new(Watched { sink: Arc::clone(&self.sink), end, state: Mutex::default() });
        let keys: Vec<String> = records.iter().map(|record| record.key().to_owned()).collect();
        let (mut lanes, mut receipts) = (Lanes::new(), Vec::new());
        for record in records {
            let (tell, receipt) = Receipt::new(self.kind);
            receipts.push(receipt);
            lanes.push(Item::new(record, 0, Some(tell)));
        }
        let defaults = DispatchSettings::default();
        let policy = CourierPolicy {
            kind: self.kind,
            backoff: DELAYS,
            longest_asked: defaults.longest_asked,
            mode: Mode::Live,
            partial: Partial::SendAgain,
            // What is not delivered is kept elsewhere, and is not lost.
            has_disk: true,
            keeps_order: false,
        };
        // There is no queue in which others could wait.
        let (tell, _) = mpsc::unbounded_channel();
        let courier = {
            let shared = DispatchShared::new(self.kind, Reporter::default(), Arc::clone(&self.host));
            let (sink, shared) = (Arc::clone(&sink), Arc::new(shared));
            move |taken| Courier {
                sink: Arc::clone(&sink) as Arc<dyn Sink>,
                shared: Arc::clone(&shared),
                policy,
                tries: Tries::UntilDecided,
                end: ending.clone(),
                tell: tell.clone(),
                customers: Vec::new(),
                finished: Finished { taken, ..Finished::default() },
            }
        };
        let (watched, host) = (Arc::clone(&sink), Arc::clone(&self.host));
        let (batch, kind) = (defaults.batch, self.kind);
        let (ends, ended) = oneshot::channel::<()>();
        let work = async move {
            // Dropped after the hold.
            let _ends = ends;
            let _hold = hold;
            let waits = Arc::clone(&watched);
            let alarm = tokio::spawn(async move {
                tokio::time::sleep_until(end::after(&*host, timeout)).await;
                waits.stop(|| format!("not answered within {timeout:?}"));
            });
            let mut couriers = JoinSet::new();
            loop {
                while couriers.len() < IN_FLIGHT
                    && let Some((items, taken)) = lanes.next_batch(batch.records, batch.bytes)
                {
                    couriers.spawn(courier(taken).deliver(items));
                }
                match couriers.join_next().await {
                    Some(Ok(finished)) => {
                        lanes.free(finished.taken);
                        finished.aside.into_iter().for_each(|(item, error)| watched.fails_on(item, error, kind));
                    }
                    Some(Err(_)) => {}
                    None => break,
                }
            }
            alarm.abort();
        };
        self.host.start("paid-resubmission", Box::pin(work))?;
        let _stops = StopsWhenDropped(Arc::clone(&sink));
        let mut outcomes = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            outcomes.push(receipt.await);
            answered();
        }
        // Whoever has the answers can begin the next errand.
        let _ = ended.await;
        let state = sink.state();
        let answer = |(outcome, key): (_, String)| match outcome {
            Ok(_) => Answer::Delivered,
            Err(DeliveryError::InOutbox { .. } | DeliveryError::NotDelivered { error: None, .. }) => {
                Answer::Unanswered { is_sent: state.sent.contains(&key) }
            }
            Err(failure) => Answer::Refused(failure),
        };
        let answers = outcomes.into_iter().zip(keys).map(answer).collect();
        Ok(Answers { answers, stopped: state.stopped.clone() })
    }
}

impl fmt::Debug for Errand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Errand").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A sink that ends the errand when it gets nowhere.
struct Watched {
    sink: Arc<dyn Sink>,
    end: watch::Sender<Option<Instant>>,
    state: Mutex<WatchedState>,
}

#[derive(Default)]
struct WatchedState {
    /// Attempts since a server last answered about the content, and when the first of them ended.
    fruitless: u32,
    since: Option<Instant>,
    last: Option<String>,
    stopped: Option<String>,
    /// The keys of records that are in a request.
    sent: BTreeSet<String>,
}

/// Whoever asked no longer waits.
struct StopsWhenDropped(Arc<Watched>);

impl Drop for StopsWhenDropped {
    fn drop(&mut self) {
        self.0.stop(|| "nobody waits for the result".to_owned());
    }
}

impl Watched {
    /// The server fails on a record while others get through.
    fn fails_on(&self, item: Item, error: Arc<Error>, kind: RecordKind) {
        if kind == RecordKind::Cost && error.verdict() == Verdict::Unknown {
            // It may have arrived.
            self.state().sent.insert(item.record.key().to_owned());
            return;
        }
        let failure = item.record.not_delivered(error);
        item.answer(Err(failure));
    }

    fn state(&self) -> MutexGuard<'_, WatchedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self, why: impl FnOnce() -> String) {
        let mut state = self.state();
        if state.stopped.is_none() {
            let last = state.last.as_ref().map(|last| format!(": {last}")).unwrap_or_default();
            state.stopped = Some(format!("{}{last}", why()));
            self.end.send_replace(Some(Instant::now()));
        }
    }

    fn note(&self, answer: &Result<Counts, Error>) {
        let error = match answer {
            Err(error) if error.verdict() != Verdict::BadContent => error,
            _ => {
                let mut state = self.state();
                (state.fruitless, state.since, state.last) = (0, None, None);
                return;
            }
        };
        let is_hopeless = {
            let mut state = self.state();
            state.fruitless += 1;
            state.last = Some(error.to_string());
            let since = *state.since.get_or_insert_with(Instant::now);
            let is_unreachable = matches!(error, Error::Transport(error) if error.connect);
            state.fruitless >= HOPELESS
                && (matches!(error.verdict(), Verdict::BadKey | Verdict::Misdirected)
                    || is_unreachable && since.elapsed() >= RESTART)
        };
        if is_hopeless {
            self.stop(|| "given up".to_owned());
        }
    }
}

impl Sink for Watched {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async move {
            let keys: Vec<String> = batch.records().map(|record| record.key().to_owned()).collect();
            self.state().sent.extend(keys.iter().cloned());
            let answer = self.sink.send(batch).await;
            {
                let mut state = self.state();
                for key in &keys {
                    state.sent.remove(key);
                }
            }
            self.note(&answer);
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::host::Work;

    /// Runs on the runtime of the test, and on its clock.
    #[derive(Debug)]
    struct Here;

    impl Host for Here {
        fn now(&self) -> std::time::SystemTime {
            std::time::SystemTime::now()
        }

        fn instant(&self) -> Instant {
            Instant::now()
        }

        fn start(&self, _: &str, work: Work) -> io::Result<tokio::runtime::Handle> {
            tokio::spawn(work);
            Ok(tokio::runtime::Handle::current())
        }
    }

    struct Server<F>(F);

    impl<F: Fn(&Record) -> Result<(), Error> + Send + Sync> Sink for Server<F> {
        fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                for record in batch.records() {
                    (self.0)(record)?;
                }
                Ok(Counts { ingested: batch.len() as u64, ..Counts::default() })
            })
        }
    }

    async fn run(server: impl Fn(&Record) -> Result<(), Error> + Send + Sync + 'static) -> (Answers, Duration) {
        let begun = Instant::now();
        let errand =
            Errand { kind: RecordKind::Signal, sink: Arc::new(Server(server)), host: Arc::new(Here), mode: Mode::Live };
        let record = |key: u32| Record::new(RecordKind::Signal, "e", &format!("k-{key}"), key % 3, b"{}");
        let mut progress = 0;
        let answers =
            errand.run((0..2_000).map(record).collect(), Duration::from_secs(60), (), || progress += 1).await.unwrap();
        assert_eq!((answers.answers.len(), progress), (2_000, 2_000));
        (answers, begun.elapsed())
    }

    fn misdirected() -> Error {
        use reqwest::{StatusCode, header::HeaderMap};
        let (status, headers) = (StatusCode::NOT_FOUND, HeaderMap::new());
        let error = crate::error::ApiError::read("create-signals".into(), 1, status, headers, bytes::Bytes::new());
        Error::Api(Box::new(error))
    }

    #[tokio::test(start_paused = true)]
    async fn bad_records_are_refused_and_the_others_delivered() {
        let is_bad = |record: &Record| matches!(record.key(), "k-7" | "k-1999");
        let (end, _) = run(move |record| if is_bad(record) { Err(Error::refused("no")) } else { Ok(()) }).await;
        let refused: Vec<usize> = (0..2_000).filter(|at| matches!(end.answers[*at], Answer::Refused(_))).collect();
        assert_eq!(refused, [7, 1_999]);
        assert_eq!(end.answers.iter().filter(|answer| matches!(answer, Answer::Delivered)).count(), 1_998);
        assert_eq!(end.stopped, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_is_left_when_the_time_is_over() {
        let (end, took) = run(|_| Err(Error::unavailable("down"))).await;
        assert!(end.answers.iter().all(|answer| matches!(answer, Answer::Unanswered { .. })));
        assert_eq!(end.stopped.unwrap(), "not answered within 60s: down");
        assert!(took < Duration::from_secs(62), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_address_is_given_up_after_a_few_attempts() {
        let (end, took) = run(|_| Err(misdirected())).await;
        assert!(end.answers.iter().all(|answer| matches!(answer, Answer::Unanswered { is_sent: false })));
        assert!(end.stopped.as_ref().unwrap().starts_with("given up: create-signals: 404"), "{:?}", end.stopped);
        assert!(took < Duration::from_secs(10), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_on_which_the_server_fails_is_named_and_the_others_are_delivered() {
        let (end, _) = run(|record| match record.key() {
            "k-7" => Err(Error::unavailable("boom")),
            _ => Ok(()),
        })
        .await;
        assert!(matches!(&end.answers[7], Answer::Refused(failure) if failure.to_string().contains("boom")), "{end:?}");
        assert_eq!(end.answers.iter().filter(|answer| matches!(answer, Answer::Delivered)).count(), 1_999);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_any_more_when_nobody_waits_and_only_then_is_the_hold_dropped() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let sent = Arc::new(AtomicUsize::new(0));
        let own = Arc::clone(&sent);
        let server = Server(move |_: &Record| {
            own.fetch_add(1, Ordering::Relaxed);
            Err(Error::unavailable("down"))
        });
        let errand =
            Errand { kind: RecordKind::Signal, sink: Arc::new(server), host: Arc::new(Here), mode: Mode::Live };
        let record = |key: u32| Record::new(RecordKind::Signal, "e", &format!("k-{key}"), key, b"{}");
        let (hold, held) = tokio::sync::oneshot::channel::<()>();
        let running = errand.run((0..9).map(record).collect(), Duration::from_secs(60), hold, || {});
        assert!(tokio::time::timeout(Duration::from_secs(5), running).await.is_err());
        assert!(held.await.is_err());
        let before = sent.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(sent.load(Ordering::Relaxed), before);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dry_run_sends_no_letter_again_and_takes_none_for_delivered() {
        let server = Server(|_: &Record| Ok(()));
        let errand =
            Errand { kind: RecordKind::Signal, sink: Arc::new(server), host: Arc::new(Here), mode: Mode::DryRun };
        let record = Record::new(RecordKind::Signal, "e", "k", 0, b"{}");
        assert!(errand.run(vec![record], Duration::from_secs(5), (), || {}).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_the_answers_is_alone() {
        let errand = Errand {
            kind: RecordKind::Signal,
            sink: Arc::new(Server(|_: &Record| Err(Error::unavailable("down")))),
            host: Arc::new(Here),
            mode: Mode::Live,
        };
        let record = Record::new(RecordKind::Signal, "e", "k", 0, b"{}");
        let (hold, mut held) = tokio::sync::oneshot::channel::<()>();
        errand.run(vec![record], Duration::from_secs(5), hold, || {}).await.unwrap();
        assert_eq!(held.try_recv(), Err(tokio::sync::oneshot::error::TryRecvError::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_in_a_request_at_the_end_may_have_arrived() {
        struct Silent;
        impl Sink for Silent {
            fn send<'a>(&'a self, _: Batch<'a>) -> SinkFuture<'a> {
                Box::pin(std::future::pending())
            }
        }
        let errand = Errand { kind: RecordKind::Cost, sink: Arc::new(Silent), host: Arc::new(Here), mode: Mode::Live };
        let record = Record::new(RecordKind::Cost, "", "k", 0, b"{}");
        let end = errand.run(vec![record], Duration::from_secs(5), (), || {}).await.unwrap();
        assert!(matches!(end.answers.as_slice(), [Answer::Unanswered { is_sent: true }]), "{end:?}");
    }
}
