//! Where batches go.

use std::pin::Pin;

use crate::error::Error;
use crate::types::CreateSignalsResponse;
use crate::{Call, Client, Method};

/// The answer of a sink, on its way.
pub type SinkFuture<'a> = Pin<Box<dyn Future<Output = Result<Counts, Error>> + Send + 'a>>;

/// Takes batches of signals. Paid's API is one (a [`Client`]); tests and queues of your own can be others.
pub trait Sink: Send + Sync {
    /// Takes the body of a `POST /signals/bulk` that holds this many signals. Taking one twice must do no harm: every
    /// signal has an idempotency key.
    ///
    /// An error that [is retryable](Error::is_retryable), or has status 401 or 403, is tried again until it is none;
    /// any other is about the batch's content.
    fn send(&self, body: Vec<u8>, signals: usize) -> SinkFuture<'_>;
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

impl Sink for Client {
    fn send(&self, body: Vec<u8>, _: usize) -> SinkFuture<'_> {
        let call = Call::<CreateSignalsResponse>::new(self, "create-signals", Method::POST, "/signals/bulk")
            .json_text(body)
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
