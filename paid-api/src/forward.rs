//! From a NATS JetStream stream to Paid: feature `nats`.

use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::message::{AckKind, Acker};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::Emitter;
use crate::dispatch::Delivery;
use crate::foreign;
use crate::report::DeliveryError;
use crate::verdict::Verdict;

/// What a forwarder has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forwarded {
    /// Messages whose signals Paid has.
    pub delivered: u64,
    /// Messages that will never be delivered: Paid refused the signal, or the message is not a signal. The emitter has
    /// reported them, and they are removed from the stream.
    pub refused: u64,
    /// Messages that were returned to the stream, because the emitter ended before Paid answered.
    pub returned: u64,
}

/// Why a forwarder stopped before `stop` completed.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the stream: {0}")]
pub struct ForwardError(String);

/// How often NATS is told that a message is still being processed; it waits 30 seconds for that unless the consumer
/// says otherwise.
const PROGRESS: Duration = Duration::from_secs(10);

/// Drains a stream to Paid until `stop` completes. Each message is acknowledged when Paid has its signal. Before it
/// returns, it waits for the messages that are already being sent.
///
/// The emitter should have no outbox: a signal that is not delivered is safe in the stream. While Paid cannot be
/// reached, messages wait, up to the consumer's `max_ack_pending`. If several forwarders share a consumer, the order of
/// a customer's signals is not kept.
///
/// # Errors
///
/// If the stream cannot be read, for example because the consumer was deleted. Messages that were not acknowledged are
/// delivered again later.
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

type Forwarding = Result<Delivery, DeliveryError>;
type Numbered = Pin<Box<dyn Future<Output = (u64, Forwarding)> + Send>>;

/// The messages that are being sent.
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
        let receipt = emitter.emit_json(&message.payload).await;
        self.outcomes.push(Box::pin(async move { (number, receipt.await) }));
    }

    async fn settle(&mut self, number: u64, outcome: Forwarding) {
        let Some(acker) = self.pending.remove(&number) else { return };
        let (kind, count) = match outcome {
            Ok(_) => (AckKind::Ack, &mut self.forwarded.delivered),
            Err(failure) if is_final(&failure) => (AckKind::Term, &mut self.forwarded.refused),
            Err(_) => (AckKind::Nak(None), &mut self.forwarded.returned),
        };
        *count += 1;
        // If an acknowledgement is lost, the message comes again, and Paid sees a duplicate.
        if let Err(error) = acker.ack_with(kind).await {
            foreign::log(|| tracing::warn!("a message cannot be acknowledged and will come again: {error}"));
        }
    }

    async fn show_progress(&mut self) {
        for acker in self.pending.values() {
            let _ = acker.ack_with(AckKind::Progress).await;
        }
    }
}

/// Returns true if the signal will never be accepted.
fn is_final(failure: &DeliveryError) -> bool {
    match failure {
        DeliveryError::Failed { .. } | DeliveryError::NotASignal => true,
        DeliveryError::NotDelivered { error, .. } => {
            error.as_ref().is_some_and(|error| error.verdict() == Verdict::BadContent)
        }
        _ => false,
    }
}
