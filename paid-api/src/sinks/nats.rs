//! Signals to a NATS JetStream stream: feature `nats`.

use async_nats::jetstream::context::{Context, PublishAckFuture};
use async_nats::jetstream::message::PublishMessage;

use crate::dispatch::{Batch, Record, Sink, SinkFuture};
use crate::error::Error;
use crate::report::Counts;

/// Publishes signals to JetStream; see [`paid::nats`](mod@crate::nats).
#[derive(Clone, Debug)]
pub struct NatsSink {
    context: Context,
    subject: String,
}

impl NatsSink {
    /// Creates a sink that publishes to this subject, which a stream must be bound to.
    pub fn new(context: Context, subject: impl Into<String>) -> Self {
        Self { context, subject: subject.into() }
    }

    /// Publishes one signal. The key is the message's id, so that JetStream drops duplicates within its window (2
    /// minutes unless the stream sets another).
    async fn publish(&self, record: &Record) -> Result<PublishAckFuture, Error> {
        let message = PublishMessage::build().payload(record.body_bytes()).message_id(record.key());
        self.context.send_publish(self.subject.clone(), message).await.map_err(unavailable)
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::unavailable(error)
}

impl Sink for NatsSink {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async move {
            let mut published = Vec::with_capacity(batch.len());
            for record in batch.records() {
                published.push(self.publish(record).await?);
            }
            let mut counts = Counts::default();
            for acknowledged in published {
                if acknowledged.await.map_err(unavailable)?.duplicate {
                    counts.duplicates += 1;
                } else {
                    counts.ingested += 1;
                }
            }
            Ok(counts)
        })
    }
}
