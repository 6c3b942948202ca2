//! Past one machine: a fleet publishes its signals to a NATS JetStream stream, and one [`forward`] drains it to Paid.
//! Feature `nats`.
//!
//! Every signal is one message. A message is acknowledged when Paid has the signal; one that is delivered twice, by NATS
//! or by a forwarder that was killed, is a duplicate to Paid by its idempotency key, and bills nothing again.
//!
//! In the fleet:
//!
//! ```no_run
//! use paid::async_nats::{self, jetstream};
//! use paid::{EmitterBuilder, nats::NatsSink};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let nats = jetstream::new(async_nats::connect("nats://localhost").await?);
//! let sink = NatsSink::new(nats, "paid.signals");
//! paid::install(EmitterBuilder::over(sink).build()?);
//! # Ok(())
//! # }
//! ```
//!
//! In the forwarder, a process of its own:
//!
//! ```no_run
//! use paid::async_nats::jetstream::{consumer, stream};
//! use paid::async_nats::{self, jetstream};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let nats = jetstream::new(async_nats::connect("nats://localhost").await?);
//! let stream = stream::Config { name: "paid".into(), subjects: vec!["paid.signals".into()], ..Default::default() };
//! let stream = nats.get_or_create_stream(stream).await?;
//! let durable = consumer::pull::Config { durable_name: Some("paid".into()), max_ack_pending: 10_000, ..Default::default() };
//! let consumer = stream.get_or_create_consumer("paid", durable).await?;
//!
//! let emitter = paid::Emitter::new(paid::Client::from_env()?)?;
//! let stop = std::future::pending(); // or a future that ends when the process is to end
//! let forwarded = paid::forward(&consumer, &emitter, stop).await?;
//! println!("{forwarded:?}");
//! # Ok(())
//! # }
//! ```

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use async_nats::jetstream::context::{Context, PublishAckFuture};
use async_nats::jetstream::message::{AckKind, Acker, PublishMessage};
use async_nats::jetstream::{self, consumer::PullConsumer};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::delivery::Head;
use crate::{Counts, EmitError, Emitter, Error, SignalBatch, Sink, SinkFuture};

/// Publishes signals to JetStream; see [the module](self).
#[derive(Clone, Debug)]
pub struct NatsSink {
    context: Context,
    subject: String,
}

impl NatsSink {
    /// A sink that publishes to this subject, which some stream must have.
    pub fn new(context: Context, subject: impl Into<String>) -> Self {
        Self { context, subject: subject.into() }
    }

    /// Publishes one signal. With its key as the message's id, JetStream drops what it has seen in the last minutes.
    async fn publish(&self, json: &bytes::Bytes) -> Result<PublishAckFuture, Error> {
        let key = Head::read(json).and_then(|head| head.idempotency_key).unwrap_or_default();
        let message = PublishMessage::build().payload(json.clone()).message_id(key);
        self.context.send_publish(self.subject.clone(), message).await.map_err(unavailable)
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::unavailable(error)
}

impl Sink for NatsSink {
    fn send<'a>(&'a self, batch: SignalBatch<'a>) -> SinkFuture<'a> {
        Box::pin(async move {
            let mut published = Vec::with_capacity(batch.len());
            for json in batch.signals() {
                published.push(self.publish(json).await?);
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

/// What a forwarder did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forwarded {
    /// Messages whose signals Paid has.
    pub delivered: u64,
    /// Messages that will never be delivered: Paid refused the signal, or it is none. They have been reported by the
    /// emitter, and are taken out of the stream.
    pub refused: u64,
    /// Messages that go back to the stream, because the emitter ended before Paid answered.
    pub returned: u64,
}

/// Why a forwarder stopped before it was told to.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the stream: {0}")]
pub struct ForwardError(String);

/// How often NATS is told that a message is still being worked on; its patience is 30 seconds unless the consumer says
/// otherwise.
const PROGRESS: Duration = Duration::from_secs(10);

/// Drains a stream to Paid, until `stop` ends: every message is acknowledged when Paid has its signal. Then it waits for
/// what is under way.
///
/// The emitter should have no outbox: what it has not delivered is safe in the stream. While Paid cannot be reached,
/// messages wait, up to the consumer's `max_ack_pending`. Several forwarders may share a consumer; then the order of one
/// customer's signals is not kept.
///
/// # Errors
///
/// When the stream cannot be read, for example because the consumer was deleted. What was not acknowledged is delivered
/// again later.
pub async fn forward(
    consumer: &PullConsumer,
    emitter: &Emitter,
    stop: impl Future<Output = ()>,
) -> Result<Forwarded, ForwardError> {
    let problem = |error: &dyn std::fmt::Display| ForwardError(error.to_string());
    let mut messages = consumer.messages().await.map_err(|error| problem(&error))?;
    let mut forwarder = Forwarder::default();
    let mut progress = tokio::time::interval(PROGRESS);
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            _ = progress.tick() => forwarder.show_progress().await,
            Some((number, outcome)) = forwarder.outcomes.next() => forwarder.settle(number, outcome).await,
            message = messages.next() => match message {
                Some(Ok(message)) => forwarder.take(message, emitter).await,
                Some(Err(error)) => return Err(problem(&error)),
                None => return Err(ForwardError("it has ended".into())),
            },
        }
    }
    while let Some((number, outcome)) = forwarder.outcomes.next().await {
        forwarder.settle(number, outcome).await;
    }
    Ok(forwarder.forwarded)
}

type Outcome = Result<crate::Delivery, EmitError>;
type Numbered = std::pin::Pin<Box<dyn Future<Output = (u64, Outcome)> + Send>>;

/// The messages that are under way.
#[derive(Default)]
struct Forwarder {
    next: u64,
    pending: HashMap<u64, Acker>,
    outcomes: FuturesUnordered<Numbered>,
    forwarded: Forwarded,
}

impl Forwarder {
    async fn take(&mut self, message: jetstream::Message, emitter: &Emitter) {
        let (message, acker) = message.split();
        let number = self.next;
        self.next += 1;
        self.pending.insert(number, acker);
        let receipt = emitter.emit_json(message.payload).await;
        self.outcomes.push(Box::pin(async move { (number, receipt.await) }));
    }

    async fn settle(&mut self, number: u64, outcome: Outcome) {
        let Some(acker) = self.pending.remove(&number) else { return };
        let (kind, count) = match outcome {
            Ok(_) => (AckKind::Ack, &mut self.forwarded.delivered),
            Err(failure) if is_final(&failure) => (AckKind::Term, &mut self.forwarded.refused),
            Err(_) => (AckKind::Nak(None), &mut self.forwarded.returned),
        };
        *count += 1;
        // One that is lost means a message that comes again: a duplicate.
        if let Err(error) = acker.ack_with(kind).await {
            tracing::warn!("a message cannot be acknowledged and will come again: {error}");
        }
    }

    async fn show_progress(&mut self) {
        for acker in self.pending.values() {
            let _ = acker.ack_with(AckKind::Progress).await;
        }
    }
}

/// Whether a signal will never be taken.
fn is_final(failure: &EmitError) -> bool {
    match failure {
        EmitError::Failed { .. } | EmitError::NoSignal => true,
        EmitError::NotDelivered { error, .. } => {
            error.as_ref().is_some_and(|error| crate::delivery::is_about_content(error))
        }
        _ => false,
    }
}
