//! What could not be billed or sent: one family of errors that name what they are about, the user's hook, and the log.

use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Error;

/// What is delivered, and what an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RecordKind {
    /// A signal.
    Signal,
    /// A cost record.
    Cost,
    /// A span.
    Span,
}

impl RecordKind {
    /// `1 signal`, `2 cost records`.
    pub(crate) fn counted(self, number: impl TryInto<u64>) -> String {
        let number = number.try_into().unwrap_or(u64::MAX);
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {self}{plural}")
    }

    /// One of them by its name: ``signal `email_sent` ``.
    fn named(self, name: &str) -> String {
        match self {
            Self::Cost => self.to_string(),
            Self::Signal | Self::Span => format!("{self} `{name}`"),
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Signal => "signal",
            Self::Cost => "cost record",
            Self::Span => "span",
        })
    }
}

/// What a sink did with a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that are new.
    pub ingested: u64,
    /// Records that were there already.
    pub duplicates: u64,
    /// Records that were not taken.
    pub failed: u64,
}

/// Why a field cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
#[non_exhaustive]
pub struct DataProblem {
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

impl DataProblem {
    pub(crate) fn new(field: &str, problem: impl Into<String>) -> Self {
        Self { field: field.to_owned(), problem: problem.into() }
    }
}

/// Why a signal, cost record or span was not delivered. It never changes what an annotated function returns.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// Neither the record nor its scope names a customer.
    #[error("{} has no customer and {}", kind.named(name), no_customer(*kind))]
    #[non_exhaustive]
    NoCustomer {
        /// What it is about.
        kind: RecordKind,
        /// The event name of a signal.
        name: Cow<'static, str>,
    },
    /// A field cannot be sent as it is.
    #[error("{}: {problem}", kind.named(name))]
    #[non_exhaustive]
    Data {
        /// What it is about.
        kind: RecordKind,
        /// The event name of a signal.
        name: Cow<'static, str>,
        /// Which field, and why.
        problem: DataProblem,
    },
    /// The queue has no room.
    #[error(
        "{}: the queue is full ({}); the server cannot be reached or is slow, or the queue is too short",
        kind.named(name), kind.counted(*limit)
    )]
    #[non_exhaustive]
    QueueFull {
        /// What it is about.
        kind: RecordKind,
        /// The event name of a signal, the name of a span.
        name: Cow<'static, str>,
        /// How many records the queue holds.
        limit: usize,
    },
    /// What delivers it has been shut down.
    #[error("{}: delivery is shut down", kind.named(name))]
    #[non_exhaustive]
    ShutDown {
        /// What it is about.
        kind: RecordKind,
        /// The event name of a signal, the name of a span.
        name: Cow<'static, str>,
    },
    /// Another record took its place in a full queue: a newer one, see [`Overflow::DropOldest`](crate::Overflow::DropOldest),
    /// or a signal that of another span.
    #[error(
        "{}: dropped for a newer one because the queue is full; the server cannot be reached or is slow, or the queue is too \
         short",
        kind.named(name)
    )]
    #[non_exhaustive]
    Dropped {
        /// What it is about.
        kind: RecordKind,
        /// The event name of a signal, the name of a span.
        name: Cow<'static, str>,
    },
    /// Delivery ended before there was an answer; the records are in the outbox and are sent when it is opened again.
    #[error("{} in the outbox, sent when it is opened again", kind.counted(*records))]
    #[non_exhaustive]
    InOutbox {
        /// What it is about.
        kind: RecordKind,
        /// How many.
        records: usize,
    },
    /// The outbox cannot be read or written as it should. Records are kept in memory meanwhile, as far as there is room.
    #[error("the outbox of {kind}s: {problem}")]
    #[non_exhaustive]
    Outbox {
        /// What it is about.
        kind: RecordKind,
        /// What is wrong.
        problem: String,
    },
    /// Without an outbox nothing can be stored.
    #[error("there is no outbox to store a {kind} in: set a folder with `outbox(...)` on the builder")]
    #[non_exhaustive]
    NoOutbox {
        /// What it is about.
        kind: RecordKind,
    },
    /// The JSON is not a complete signal.
    #[error("the JSON is not a complete signal: it needs `eventName`, `customer` and `idempotencyKey`")]
    NotASignal,
    /// The signal goes over the collector, and tracing is not initialised.
    #[error("signal `{name}` goes over the collector, and tracing is not initialised: call `paid::trace::init()`")]
    #[non_exhaustive]
    NoTracing {
        /// The event name.
        name: Cow<'static, str>,
    },
    /// The signal goes over the collector, which takes only your own ids, and no unit.
    #[error(
        "signal `{name}` names a unit, or its customer or product by Paid's own id, which the collector does not take: use your \
         own ids and no unit, or send it over the API"
    )]
    #[non_exhaustive]
    NotForCollector {
        /// The event name.
        name: Cow<'static, str>,
    },
    /// The server refused the records, or they were still waiting when delivery ended.
    #[error("{} not delivered: {}", kind.counted(*records), reason(error.as_deref()))]
    #[non_exhaustive]
    NotDelivered {
        /// What it is about.
        kind: RecordKind,
        /// How many.
        records: usize,
        /// Why; `None` if delivery ended before there was an answer.
        error: Option<Arc<Error>>,
    },
    /// The server took the request and failed this record, or does not count it, without saying why.
    #[error(
        "Paid failed {} (key {key}), or does not count it; check that its customer and product exist",
        kind.named(name)
    )]
    #[non_exhaustive]
    Failed {
        /// What it is about.
        kind: RecordKind,
        /// The event name of a signal.
        name: Cow<'static, str>,
        /// Its idempotency key.
        key: String,
        /// What the server answered.
        counts: Counts,
    },
    /// The server took a batch and refused some of its records without saying which.
    #[error("the server refused {failed} of a batch without saying which; {} in it may be missing", kind.counted(*records))]
    #[non_exhaustive]
    PartlyRefused {
        /// What it is about.
        kind: RecordKind,
        /// How many records of this kind the batch held.
        records: usize,
        /// How many records of the batch were refused.
        failed: u64,
    },
}

impl DeliveryError {
    /// What it is about.
    pub fn kind(&self) -> RecordKind {
        match self {
            Self::NoCustomer { kind, .. }
            | Self::Data { kind, .. }
            | Self::QueueFull { kind, .. }
            | Self::ShutDown { kind, .. }
            | Self::Dropped { kind, .. }
            | Self::InOutbox { kind, .. }
            | Self::Outbox { kind, .. }
            | Self::NoOutbox { kind }
            | Self::NotDelivered { kind, .. }
            | Self::Failed { kind, .. }
            | Self::PartlyRefused { kind, .. } => *kind,
            Self::NotASignal | Self::NoTracing { .. } | Self::NotForCollector { .. } => RecordKind::Signal,
        }
    }

    pub(crate) fn no_customer(kind: RecordKind, name: impl Into<Cow<'static, str>>) -> Self {
        Self::NoCustomer { kind, name: name.into() }
    }

    pub(crate) fn data(kind: RecordKind, name: impl Into<Cow<'static, str>>, problem: DataProblem) -> Self {
        Self::Data { kind, name: name.into(), problem }
    }
}

fn no_customer(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Cost => {
            "is attributed to nobody: call `customer` on the record, or run the work in `paid::scope().customer(...)`"
        }
        RecordKind::Signal | RecordKind::Span => {
            "bills nobody: set `customer` in the annotation, or run the work in `paid::scope().customer(...)`"
        }
    }
}

fn reason(error: Option<&Error>) -> String {
    error.map_or_else(|| "delivery ended before the server answered".to_owned(), ToString::to_string)
}

/// Called for every failure.
pub(crate) type Hook = dyn Fn(&DeliveryError) + Send + Sync;

/// Logs failures and tells the user's hook about them.
#[derive(Default)]
pub(crate) struct Reporter {
    hooks: Vec<Box<Hook>>,
    throttle: Mutex<Throttle>,
}

/// What was logged of failures that may come a million times a second.
#[derive(Default)]
struct Throttle {
    logged: Option<Instant>,
    unlogged: u64,
}

/// How often such failures are logged.
const LOGGED_EVERY: Duration = Duration::from_secs(1);

impl Reporter {
    pub(crate) fn add_hook(&mut self, hook: impl Fn(&DeliveryError) + Send + Sync + 'static) {
        self.hooks.push(Box::new(hook));
    }

    /// Logs a failure and tells the hook.
    pub(crate) fn report(&self, failure: &DeliveryError) {
        match failure.kind() {
            RecordKind::Signal | RecordKind::Cost => log(failure),
            RecordKind::Span => self.log_throttled(failure),
        }
        self.tell_hooks(failure);
    }

    /// The same for a failure that may come often: logged once a second, with the number of those in between.
    pub(crate) fn report_throttled(&self, failure: &DeliveryError) {
        self.log_throttled(failure);
        self.tell_hooks(failure);
    }

    fn log_throttled(&self, failure: &DeliveryError) {
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if throttle.logged.is_some_and(|logged| now.duration_since(logged) < LOGGED_EVERY) {
            throttle.unlogged += 1;
            return;
        }
        let unlogged = std::mem::take(&mut throttle.unlogged);
        throttle.logged = Some(now);
        drop(throttle);
        match unlogged {
            0 => log(failure),
            more => log(&format_args!("{failure} (and {more} more since this was last logged)")),
        }
    }

    /// A hook that panics must not take the caller or the thread with it.
    pub(crate) fn tell_hooks(&self, failure: &DeliveryError) {
        for hook in &self.hooks {
            if catch_unwind(AssertUnwindSafe(|| hook(failure))).is_err() {
                log(&"the error hook panicked");
            }
        }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Reporter({} hooks)", self.hooks.len())
    }
}

/// Logs what is not billed; on stderr in a program that listens to no errors at all.
pub(crate) fn log(failure: &dyn fmt::Display) {
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!("{failure}");
    } else {
        eprintln!("paid: {failure}");
    }
}
