//! Failures to bill or to deliver: one error type that names the record, the user's hooks, and the log.

mod hooks;
mod reporter;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

pub(crate) use crate::aloud::error as log;
use crate::error::Error;
pub(crate) use hooks::are_running_here as is_in_hook;
pub(crate) use reporter::Reporter;

/// What is delivered: every report and counter says which it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RecordKind {
    /// An event that Paid prices.
    Signal,
    /// What work has cost, sent on its own.
    Cost,
    /// A piece of a trace.
    Span,
}

impl RecordKind {
    /// `1 signal`, `2 cost records`.
    pub(crate) fn counted(self, number: impl TryInto<u64>) -> String {
        let number = number.try_into().unwrap_or(u64::MAX);
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {self}{plural}")
    }

    /// The kind and the name: ``signal `email_sent` ``.
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

/// How a sink counted the records of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many the server did not know before.
    pub ingested: u64,
    /// Records that the sink already had.
    pub duplicates: u64,
    /// Records that the sink did not accept.
    pub failed: u64,
}

/// Why a field cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
#[non_exhaustive]
pub struct DataProblem {
    /// Which key of the data it is about.
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
        /// Whether it was a signal, a cost or a span.
        kind: RecordKind,
        /// The event name of a signal.
        name: Cow<'static, str>,
    },
    /// A field cannot be sent as it is.
    #[error("{}: {problem}", kind.named(name))]
    #[non_exhaustive]
    Data {
        /// Whether it was a signal, a cost or a span.
        kind: RecordKind,
        /// The event name of a signal.
        name: Cow<'static, str>,
        /// The field, and what is wrong with it.
        problem: DataProblem,
    },
    /// The record was not taken, since as many wait for delivery as may.
    #[error(
        "{}: the queue is full ({}); the server cannot be reached or is slow, or the queue is too short",
        kind.named(name), kind.counted(*limit)
    )]
    #[non_exhaustive]
    QueueFull {
        /// Whether it was a signal, a cost or a span.
        kind: RecordKind,
        /// The event name of a signal, the name of a span.
        name: Cow<'static, str>,
        /// How many records may wait.
        limit: usize,
    },
    /// The emitter, or tracing, has been shut down.
    #[error("{}: delivery is shut down", kind.named(name))]
    #[non_exhaustive]
    ShutDown {
        /// Whether it was a signal, a cost or a span.
        kind: RecordKind,
        /// The event name of a signal, the name of a span.
        name: Cow<'static, str>,
    },
    /// The record was dropped from a full queue to make room for another one: for a newer one (see
    /// [`Overflow::DropOldest`](crate::Overflow::DropOldest)), or for a signal if it is a span.
    #[error(
        "{}: dropped for a newer one because the queue is full; the server cannot be reached or is slow, or the queue is too \
         short",
        kind.named(name)
    )]
    #[non_exhaustive]
    Dropped {
        /// Whether it was a signal, a cost or a span.
        kind: RecordKind,
        /// The event name of a signal, the name of a span.
        name: Cow<'static, str>,
    },
    /// Delivery ended before the server answered; the records are in the outbox and are sent when it is opened again.
    #[error("{} stayed in the outbox and will be sent when it is opened again", kind.counted(*records))]
    #[non_exhaustive]
    InOutbox {
        /// Whether they are signals, costs or spans.
        kind: RecordKind,
        /// How many records.
        records: usize,
    },
    /// The server fails on this record again and again, while others get through. The record is set aside and tried again at
    /// growing intervals; this is reported once.
    #[error(
        "{} is set aside, because the server fails on it while others get through (key {key}); it is tried again at growing \
         intervals: {error}",
        kind.named(name)
    )]
    #[non_exhaustive]
    SetAside {
        /// Whether it was a signal, a cost or a span.
        kind: RecordKind,
        /// The event name of a signal.
        name: Cow<'static, str>,
        /// The idempotency key of the record.
        key: String,
        /// The server's last error.
        error: Arc<Error>,
    },
    /// The outbox is damaged, or cannot be read or written. Until it works again, records are kept in memory, up to the
    /// queue's limits.
    #[error("the outbox of {kind}s: {problem}")]
    #[non_exhaustive]
    Outbox {
        /// Whether they are signals, costs or spans.
        kind: RecordKind,
        /// What is wrong.
        problem: String,
    },
    /// There is no outbox to store the record in.
    #[error("there is no outbox to store a {kind} in: set a folder with `outbox(...)` on the builder")]
    #[non_exhaustive]
    NoOutbox {
        /// Whether it was a signal, a cost or a span.
        kind: RecordKind,
    },
    /// The JSON is not a complete signal.
    #[error(
        "the JSON is not a complete signal: it needs `eventName`, `customer` and `idempotencyKey`, none of them empty"
    )]
    NotASignal,
    /// The signal is for the collector, but tracing is not initialised.
    #[error("signal `{name}` is for the collector, but tracing is not initialised: call `paid::trace::init()`")]
    #[non_exhaustive]
    NoTracing {
        /// The event name.
        name: Cow<'static, str>,
    },
    /// The signal is for the collector, which accepts only your own ids and no unit.
    #[error(
        "signal `{name}` names a unit, or its customer or product by Paid's own id, which the collector does not accept: use \
         your own ids and no unit, or send it to the API"
    )]
    #[non_exhaustive]
    NotForCollector {
        /// The event name.
        name: Cow<'static, str>,
    },
    /// The server refused the records, or delivery ended before it answered.
    #[error("{} not delivered: {}{}", kind.counted(*records), reason(error.as_deref()), named(name.as_deref(), key.as_deref()))]
    #[non_exhaustive]
    NotDelivered {
        /// Whether they are signals, costs or spans.
        kind: RecordKind,
        /// How many records.
        records: usize,
        /// The server's error; `None` if delivery ended before it answered.
        error: Option<Arc<Error>>,
        /// The event name of a signal, the name of a span, if this is about one record.
        name: Option<Cow<'static, str>>,
        /// The idempotency key of the record, if this is about one record.
        key: Option<String>,
    },
    /// The server accepted the request, but counted this record as failed or did not count it, without saying why.
    #[error(
        "Paid counted {} as failed, or did not count it (key {key}); check that its customer and product exist",
        kind.named(name)
    )]
    #[non_exhaustive]
    Failed {
        /// Whether it was a signal, a cost or a span.
        kind: RecordKind,
        /// The event name of a signal.
        name: Cow<'static, str>,
        /// The idempotency key of the record.
        key: String,
        /// The server's counts.
        counts: Counts,
    },
    /// The server accepted a batch, but refused some of its records without saying which.
    #[error(
        "the server refused {failed} record(s) of a batch without saying which; {} in the batch may be missing",
        kind.counted(*records)
    )]
    #[non_exhaustive]
    PartlyRefused {
        /// Whether they are signals, costs or spans.
        kind: RecordKind,
        /// How many records of this kind the batch held.
        records: usize,
        /// How many records of the batch were refused.
        failed: u64,
    },
    /// Failures came faster than the error hook took them, so it was not told of these one by one. [`Stats`](crate::Stats) count
    /// them. Only an error hook hears this.
    #[error(
        "the error hook was behind and was not told of {failures} failure(s) one by one, by which {} are not billed; they are \
         counted and logged",
        kind.counted(*records)
    )]
    #[non_exhaustive]
    Untold {
        /// Whether they are signals, costs or spans.
        kind: RecordKind,
        /// How many failures.
        failures: u64,
        /// How many records were refused, dropped or rejected by them.
        records: u64,
    },
}

impl DeliveryError {
    /// Tells what it is about: signals, costs or spans.
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
            | Self::SetAside { kind, .. }
            | Self::Failed { kind, .. }
            | Self::PartlyRefused { kind, .. }
            | Self::Untold { kind, .. } => *kind,
            Self::NotASignal | Self::NoTracing { .. } | Self::NotForCollector { .. } => RecordKind::Signal,
        }
    }

    /// How many records it is about.
    fn records(&self) -> u64 {
        match self {
            Self::InOutbox { records, .. } | Self::NotDelivered { records, .. } => *records as u64,
            Self::PartlyRefused { failed, .. } => *failed,
            _ => 1,
        }
    }

    /// How many records are not billed by it. Those in an outbox still will be.
    fn unbilled(&self) -> u64 {
        match self {
            Self::InOutbox { .. } | Self::Outbox { .. } | Self::SetAside { .. } => 0,
            Self::Untold { records, .. } => *records,
            other => other.records(),
        }
    }

    pub(crate) fn no_customer(kind: RecordKind, name: impl Into<Cow<'static, str>>) -> Self {
        Self::NoCustomer { kind, name: name.into() }
    }

    /// Records that are not named.
    pub(crate) fn not_delivered(kind: RecordKind, records: usize, error: Option<Arc<Error>>) -> Self {
        Self::NotDelivered { kind, records, error, name: None, key: None }
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
            "is billed to nobody: set `customer` in the annotation, or run the work in `paid::scope().customer(...)`; a task or \
             thread has the scope only if `paid::spawn` or `paid::spawn_thread` starts it, or `.in_scope()` wraps its future"
        }
    }
}

/// Which record it is: `` (`email_sent`, key k-1)``.
fn named(name: Option<&str>, key: Option<&str>) -> String {
    let name = name.filter(|name| !name.is_empty()).map(|name| format!("`{name}`"));
    let key = key.filter(|key| !key.is_empty()).map(|key| format!("key {key}"));
    let both: Vec<_> = [name, key].into_iter().flatten().collect();
    if both.is_empty() { String::new() } else { format!(" ({})", both.join(", ")) }
}

fn reason(error: Option<&Error>) -> String {
    error.map_or_else(|| "delivery ended before the server answered".to_owned(), ToString::to_string)
}
