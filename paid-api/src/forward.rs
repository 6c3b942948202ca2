//! From a NATS JetStream stream to Paid: feature `nats`.

mod flow;
#[cfg(test)]
mod tests;

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{self, PullConsumer};
use async_nats::jetstream::message::{AckKind, Acker};
use bytes::Bytes;
use futures_util::stream::StreamExt;

use crate::Emitter;
pub(crate) use flow::{Ack, Incoming, forward_messages};

/// What a forwarder has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forwarded {
    /// Messages whose signals Paid has.
    pub delivered: u64,
    /// Messages that will never be delivered: Paid refused the signal, or the message is not a signal. The emitter has
    /// reported them, and they are removed from the stream.
    pub refused: u64,
    /// Messages that were returned to the stream, which delivers them again: Paid had not answered when the forwarder
    /// stopped, or the emitter dropped the signal.
    pub returned: u64,
}

/// Why a forwarder stopped before `stop` completed.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the stream: {0}")]
pub struct ForwardError(String);

impl ForwardError {
    pub(crate) fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// Drains a stream to Paid until `stop` completes. Each message is acknowledged when Paid has its signal.
///
/// The emitter should have no outbox: a signal that is not delivered is safe in the stream. While Paid cannot be
/// reached, messages wait, up to the consumer's `max_ack_pending` and as many as the emitter has room for, and NATS hears
/// three times within the consumer's `ack_wait` that they are still being processed. A message that waits for room is not
/// reported as refused. If several forwarders share a consumer, the order of a customer's signals is not kept. The
/// consumer should not limit how often a message is delivered (`max_deliver`): after the last time it is lost.
///
/// When `stop` completes, no more messages are taken, and the forwarder waits for those that are being sent, but no
/// longer than the emitter's [`patience`](crate::EmitterBuilder::patience) (5 seconds by default) and 2 seconds more for
/// NATS itself. All other messages are returned to the stream at once, so that another forwarder gets them. If Paid has
/// one of them after all, it recognises the second one by its idempotency key and bills nothing again. The same happens
/// if the emitter is shut down, and before an error is returned.
///
/// If sending is switched off (`PAID_ENABLED=false`), or the emitter makes a dry run, no message is taken: all stay in the stream.
///
/// # Errors
///
/// If the stream cannot be read, for example because the consumer was deleted or NATS does not answer. Messages that
/// were not acknowledged are delivered again later.
pub async fn forward(
    consumer: &PullConsumer,
    emitter: &Emitter,
    stop: impl Future<Output = ()>,
) -> Result<Forwarded, ForwardError> {
    if !emitter.is_live() {
        return Ok(flow::wait(stop).await);
    }
    let messages = consumer.messages().await.map_err(ForwardError::new)?;
    let messages = messages.map(|message| NatsMessage::new(message.map_err(ForwardError::new)?));
    forward_messages(messages, ack_wait(&consumer.cached_info().config), emitter, stop).await
}

/// How long NATS waits for an acknowledgement before it delivers a message again.
fn ack_wait(config: &consumer::Config) -> Duration {
    /// What NATS waits if nothing is set.
    const USUAL: Duration = Duration::from_secs(30);
    // With `backoff`, its steps count.
    let waits = config.backoff.iter().chain([&config.ack_wait]).copied();
    waits.filter(|wait| !wait.is_zero()).min().unwrap_or(USUAL)
}

struct NatsMessage {
    payload: Bytes,
    acker: Acker,
    sequence: u64,
}

impl NatsMessage {
    fn new(message: jetstream::Message) -> Result<Self, ForwardError> {
        let sequence = message.info().map_err(ForwardError::new)?.stream_sequence;
        let (message, acker) = message.split();
        Ok(Self { payload: message.payload, acker, sequence })
    }
}

impl Incoming for NatsMessage {
    fn payload(&self) -> &[u8] {
        &self.payload
    }

    fn forget_payload(&mut self) {
        self.payload = Bytes::new();
    }

    fn sequence(&self) -> u64 {
        self.sequence
    }

    async fn acknowledge(&self, ack: Ack) -> Result<(), String> {
        let kind = match ack {
            Ack::Done => AckKind::Ack,
            Ack::Never => AckKind::Term,
            Ack::Again(after) => AckKind::Nak(after),
            Ack::Working => AckKind::Progress,
        };
        self.acker.ack_with(kind).await.map_err(|error| error.to_string())
    }
}
