//! Where batches go.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;

use super::chunk::Item;
use crate::error::Error;
use crate::types::CreateSignalsResponse;
use crate::{Call, Client, Method};

/// The answer of a sink, on its way.
pub type SinkFuture<'a> = Pin<Box<dyn Future<Output = Result<Counts, Error>> + Send + 'a>>;

/// Takes batches of signals. Paid's API is one (a [`Client`]); tests and queues of your own can be others.
pub trait Sink: Send + Sync {
    /// Takes the signals of a batch. Taking one twice must do no harm: every signal has an idempotency key.
    ///
    /// A status of 400, 409, 413 or 422, and [`Error::refused`], are about the batch's content: it is halved until the bad
    /// signals stand alone, as it is when the counts do not vouch for all. After any other error, such as
    /// [`Error::unavailable`], the same signals are tried again until there is none.
    fn send<'a>(&'a self, batch: SignalBatch<'a>) -> SinkFuture<'a>;
}

/// Signals that go out together.
#[derive(Clone)]
pub struct SignalBatch<'a> {
    items: &'a [Item],
}

impl<'a> SignalBatch<'a> {
    pub(super) fn new(items: &'a [Item]) -> Self {
        Self { items }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none; no emitter sends such a batch.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Each signal as JSON.
    pub fn signals(&self) -> impl Iterator<Item = &'a Bytes> + 'a {
        self.items.iter().map(|item| &item.record.json)
    }

    /// All of them as the body of a `POST /signals/bulk`.
    pub fn to_body(&self) -> Vec<u8> {
        let size = self.signals().map(|json| json.len() + 1).sum::<usize>() + 16;
        let mut body = Vec::with_capacity(size);
        body.extend_from_slice(b"{\"signals\":[");
        for (index, json) in self.signals().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(json);
        }
        body.extend_from_slice(b"]}");
        body
    }
}

impl fmt::Debug for SignalBatch<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SignalBatch({} signals)", self.len())
    }
}

/// What a sink did with a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Signals that are new.
    pub ingested: u64,
    /// Signals that were there already.
    pub duplicates: u64,
    /// Signals that were not taken.
    pub failed: u64,
}

impl<S: Sink + ?Sized> Sink for std::sync::Arc<S> {
    fn send<'a>(&'a self, batch: SignalBatch<'a>) -> SinkFuture<'a> {
        S::send(self, batch)
    }
}

impl Sink for Client {
    fn send<'a>(&'a self, batch: SignalBatch<'a>) -> SinkFuture<'a> {
        let call = Call::<CreateSignalsResponse>::new(self, "create-signals", Method::POST, "/signals/bulk")
            .json_text(batch.to_body())
            .repeatable_if(true);
        Box::pin(async move {
            let answer = call.await?;
            let count = |number: i64| u64::try_from(number).unwrap_or(0);
            Ok(Counts {
                ingested: count(answer.ingested),
                duplicates: count(answer.duplicates),
                failed: count(answer.failed),
            })
        })
    }
}
