//! What waits for the exporter's thread: bounded, never blocking. Signals take the place of other spans when it is full.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use opentelemetry_sdk::trace::SpanData;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use super::live::Live;
use super::work::Stamp;
use crate::emit;

/// What has become of spans so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceStats {
    /// Spans in scopes that ended.
    pub ended: u64,
    /// Spans that the collector took.
    pub exported: u64,
    /// Spans that the collector refused.
    pub rejected: u64,
    /// Spans that found no room, or were left when tracing ended.
    pub dropped: u64,
    /// Of those, signals: work that is not billed.
    pub dropped_signals: u64,
    /// Signals that were never taken: without a customer, or with Paid's own ids.
    pub refused_signals: u64,
    /// Requests that were answered, or failed.
    pub requests: u64,
    /// Of those, requests that repeated one before.
    pub retries: u64,
    /// Cost-attributed signals that were not the first of their work.
    pub repeated_attributions: u64,
    /// Signals and calls of models outside traced work: nobody can tell whose costs they are.
    pub unattributed: u64,
}

impl TraceStats {
    /// Spans that wait, or are on their way.
    pub fn queued(&self) -> u64 {
        self.ended.saturating_sub(self.exported + self.rejected + self.dropped)
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    ended: AtomicU64,
    pub(super) exported: AtomicU64,
    pub(super) rejected: AtomicU64,
    dropped: AtomicU64,
    dropped_signals: AtomicU64,
    pub(super) refused_signals: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) repeated_attributions: AtomicU64,
    pub(super) unattributed: AtomicU64,
}

pub(super) fn add(counter: &AtomicU64, number: usize) {
    counter.fetch_add(number as u64, Ordering::Relaxed);
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) batch: usize,
    pub(super) queue: usize,
    pub(super) delay: Duration,
    /// `batch` or `simple`, as spans say.
    pub(super) mode: &'static str,
    /// Of one request.
    pub(super) timeout: Duration,
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) span: SpanData,
    pub(super) stamp: Stamp,
}

impl Ended {
    pub(super) fn is_signal(&self) -> bool {
        self.span.name == "signal" && self.span.instrumentation_scope.name() == super::TRACER
    }

    /// Of a signal.
    pub(super) fn event_name(&self) -> String {
        let name = self.span.attributes.iter().find(|attribute| attribute.key.as_str() == "event_name");
        name.map(|name| name.value.as_str().into_owned()).unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct Waiting {
    spans: VecDeque<Ended>,
    /// Since when there is something.
    since: Option<Instant>,
    flushes: Vec<(u64, Tell)>,
    is_closed: bool,
}

#[derive(Debug)]
enum Tell {
    Task(oneshot::Sender<()>),
    Thread(mpsc::Sender<()>),
}

impl Tell {
    fn tell(self) {
        match self {
            Self::Task(tell) => drop(tell.send(())),
            Self::Thread(tell) => drop(tell.send(())),
        }
    }
}

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) live: Live,
    pub(super) counts: Counters,
    pub(super) settings: Settings,
    waiting: Mutex<Waiting>,
    wake: Notify,
    /// When the thread is to be done.
    end: watch::Sender<Option<Instant>>,
}

/// What the thread is to do.
pub(super) enum Next {
    Send(Vec<Ended>),
    /// Until then, or until it is woken.
    Wait(Option<Instant>),
    End,
}

impl Queue {
    pub(super) fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            live: Live::default(),
            counts: Counters::default(),
            settings,
            waiting: Mutex::default(),
            wake: Notify::new(),
            end: watch::channel(None).0,
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a span, at once.
    pub(super) fn push(&self, span: SpanData, stamp: Stamp) {
        let new = Ended { span, stamp };
        add(&self.counts.ended, 1);
        let mut waiting = self.waiting();
        if waiting.is_closed {
            drop(waiting);
            return self.lose(&new, "tracing is shut down");
        }
        if waiting.spans.len() >= self.settings.queue {
            let other = if new.is_signal() { waiting.spans.iter().position(|old| !old.is_signal()) } else { None };
            let Some(other) = other.and_then(|index| waiting.spans.remove(index)) else {
                drop(waiting);
                return self.lose(&new, "the queue is full; the collector cannot be reached, or is too slow");
            };
            self.lose(&other, "the queue is full; the collector cannot be reached, or is too slow");
        }
        waiting.spans.push_back(new);
        let length = waiting.spans.len();
        if length == 1 {
            waiting.since = Some(Instant::now());
        }
        drop(waiting);
        if length == 1 || length == self.settings.batch {
            self.wake.notify_one();
        }
    }

    /// Counts a span that does not reach the collector. A signal is reported, each; of others only the first.
    pub(super) fn lose(&self, lost: &Ended, why: &str) {
        add(&self.counts.dropped, 1);
        if lost.is_signal() {
            add(&self.counts.dropped_signals, 1);
            emit::log(&format_args!("signal `{}` over the collector is lost: {why}", lost.event_name()));
        } else if self.counts.dropped.load(Ordering::Relaxed) == 1 {
            tracing::warn!("a span is lost, and its costs with it: {why}; more are counted in `TraceStats::dropped`");
        }
    }

    /// What is due now.
    pub(super) fn next(&self) -> Next {
        let mut waiting = self.waiting();
        self.answer_flushes(&mut waiting);
        if waiting.spans.is_empty() {
            return if waiting.is_closed { Next::End } else { Next::Wait(None) };
        }
        let due = waiting.since.map(|since| since + self.settings.delay);
        let is_hurried = waiting.is_closed || !waiting.flushes.is_empty();
        let is_full = waiting.spans.len() >= self.settings.batch;
        if !is_full && !is_hurried && due.is_some_and(|due| Instant::now() < due) {
            return Next::Wait(due);
        }
        let number = waiting.spans.len().min(self.settings.batch);
        let batch = waiting.spans.drain(..number).collect();
        waiting.since = (!waiting.spans.is_empty()).then(Instant::now);
        Next::Send(batch)
    }

    pub(super) async fn wait(&self, until: Option<Instant>) {
        match until {
            Some(until) => drop(tokio::time::timeout_at(until, self.wake.notified()).await),
            None => self.wake.notified().await,
        }
    }

    fn answer_flushes(&self, waiting: &mut Waiting) {
        let done = self.done();
        for (until, tell) in std::mem::take(&mut waiting.flushes) {
            if until <= done {
                tell.tell();
            } else {
                waiting.flushes.push((until, tell));
            }
        }
    }

    fn done(&self) -> u64 {
        let stats = self.stats();
        stats.exported + stats.rejected + stats.dropped
    }

    fn ask(&self, tell: Tell) {
        let until = self.counts.ended.load(Ordering::Relaxed);
        self.waiting().flushes.push((until, tell));
        self.wake.notify_one();
    }

    /// Hears when everything that ended before is done.
    pub(super) fn flushed(&self) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        self.ask(Tell::Task(tell));
        told
    }

    /// The same for a thread that waits; whether it was done in time.
    pub(super) fn flush_blocking(&self, timeout: Duration) -> bool {
        let (tell, told) = mpsc::channel();
        self.ask(Tell::Thread(tell));
        told.recv_timeout(timeout).is_ok()
    }

    /// Takes no more spans, and gives the thread until then to send what there is.
    pub(super) fn close(&self, patience: Duration) {
        self.waiting().is_closed = true;
        let end = Instant::now() + patience;
        self.end.send_if_modified(|before| {
            let is_sooner = before.is_none_or(|before| end < before);
            if is_sooner {
                *before = Some(end);
            }
            is_sooner
        });
        self.wake.notify_one();
    }

    pub(super) fn end(&self) -> watch::Receiver<Option<Instant>> {
        self.end.subscribe()
    }

    /// What is left when the thread has no more time.
    pub(super) fn abandon(&self) {
        let left: Vec<_> = self.waiting().spans.drain(..).collect();
        for lost in &left {
            self.lose(lost, "tracing ended before the collector could be reached");
        }
        let flushes = std::mem::take(&mut self.waiting().flushes);
        drop(flushes);
    }

    pub(super) fn stats(&self) -> TraceStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = &self.counts;
        TraceStats {
            exported: read(&counts.exported),
            rejected: read(&counts.rejected),
            dropped: read(&counts.dropped),
            dropped_signals: read(&counts.dropped_signals),
            refused_signals: read(&counts.refused_signals),
            requests: read(&counts.requests),
            retries: read(&counts.retries),
            repeated_attributions: read(&counts.repeated_attributions),
            unattributed: read(&counts.unattributed),
            // Last, so that `queued` is never too small.
            ended: read(&counts.ended),
        }
    }
}
