//! Where batches are sent.

use std::fmt;
use std::pin::Pin;

use super::record::{Item, Record};
use crate::error::Error;
use crate::report::{Counts, RecordKind};

/// The pending answer of a sink.
pub type SinkFuture<'a> = Pin<Box<dyn Future<Output = Result<Counts, Error>> + Send + 'a>>;

/// Accepts batches of records. [`Emitter::builder`](crate::Emitter::builder) makes the sink that sends them to Paid's API;
/// tests and custom queues can be sinks, too.
///
/// ```
/// use paid::{Batch, Counts, EmitterBuilder, Sink, SinkFuture};
///
/// /// Prints the key and the JSON of every signal.
/// struct Printer;
///
/// impl Sink for Printer {
///     fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
///         Box::pin(async move {
///             for record in batch.records() {
///                 println!("{}: {}", record.key(), String::from_utf8_lossy(record.body()));
///             }
///             Ok(Counts { ingested: batch.len() as u64, ..Counts::default() })
///         })
///     }
/// }
///
/// let emitter = EmitterBuilder::over(Printer).build()?;
/// # Ok::<(), paid::ConfigError>(())
/// ```
pub trait Sink: Send + Sync {
    /// Accepts the records of a batch. Accepting a record twice must do no harm: every signal has an idempotency key.
    ///
    /// An error's [`verdict`](Error::verdict) decides what happens to the batch. After
    /// [`BadContent`](crate::Verdict::BadContent), as from [`Error::refused`], the batch is halved until each bad record is
    /// alone. It is also halved if the counts do not account for every record. After any other error, such as
    /// [`Error::unavailable`], the same records are sent again.
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a>;
}

/// Records that are sent together.
#[derive(Clone)]
pub struct Batch<'a> {
    items: &'a [Item],
}

impl<'a> Batch<'a> {
    pub(super) fn new(items: &'a [Item]) -> Self {
        Self { items }
    }

    /// How many records are to be sent together.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns true if the batch has no records. An emitter sends no such batch.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The records, each with its name, key and body.
    pub fn records(&self) -> impl ExactSizeIterator<Item = &'a Record> + 'a {
        self.items.iter().map(|item| &item.record)
    }

    /// The number of each record's chunk: those of an earlier run are smaller than all of this one.
    #[allow(dead_code)]
    pub(crate) fn chunks(&self) -> impl Iterator<Item = u64> + 'a {
        self.items.iter().map(|item| item.chunk)
    }

    /// All records as the body of Paid's `POST /signals/bulk` or `POST /costs/bulk`.
    pub fn to_body(&self) -> Vec<u8> {
        let is_of_costs = self.records().next().is_some_and(|record| record.kind() == RecordKind::Cost);
        let list = if is_of_costs { "costs" } else { "signals" };
        let size = self.records().map(|record| record.size() + 1).sum::<usize>() + list.len() + 8;
        let mut body = Vec::with_capacity(size);
        for part in ["{\"", list, "\":["] {
            body.extend_from_slice(part.as_bytes());
        }
        for (index, record) in self.records().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(record.body());
        }
        body.extend_from_slice(b"]}");
        body
    }
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Batch({} records)", self.len())
    }
}

impl<S: Sink + ?Sized> Sink for std::sync::Arc<S> {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        S::send(self, batch)
    }
}
