//! Signals to a NATS JetStream stream: feature `nats`.

use std::borrow::Cow;
use std::pin::pin;

use async_nats::jetstream;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{Context, PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use futures_util::stream::{FuturesUnordered, StreamExt};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::dispatch::{Batch, Record, Sink, SinkFuture};
use crate::error::Error;
use crate::report::Counts;
use crate::verdict::Verdict;

/// Publishes signals to JetStream; see [`paid::nats`](mod@crate::nats).
///
/// A signal that NATS will never take, because it is larger than the server's `max_payload` or the stream's
/// `max_msg_size`, is refused alone, as one that Paid refuses: it is reported, and kept as a dead letter if there is an
/// outbox. If the stream is full or missing, or NATS cannot be reached, signals wait.
///
/// A message's id (`Nats-Msg-Id`) is the signal's idempotency key, so that JetStream drops duplicates within its window
/// (2 minutes unless the stream sets another). Spaces, control characters, `%` and everything outside ASCII are
/// percent-encoded in it, and the id of an empty key is `%`: different keys have different ids. The message itself is
/// the signal's JSON, with the key as it is.
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

    /// Refuses a batch with a record that is too large for the server, before anything is published.
    fn check_sizes(&self, batch: &Batch<'_>) -> Result<(), Error> {
        let most = self.context.client().max_payload();
        let size = |record: &Record| record.body().len() + headers_size(&message_id(record.key()));
        match batch.records().map(size).find(|size| *size > most) {
            Some(size) => Err(Error::refused_unanswered(format!(
                "a message of {size} bytes exceeds the NATS server's `max_payload` of {most}"
            ))),
            None => Ok(()),
        }
    }

    async fn publish(&self, record: &Record) -> Result<PublishAckFuture, PublishError> {
        let message = PublishMessage::build().payload(record.body_bytes()).message_id(message_id(record.key()));
        self.context.send_publish(self.subject.clone(), message).await
    }
}

/// The size of a message's headers on the wire: `NATS/1.0`, the id, and an empty line.
fn headers_size(id: &str) -> usize {
    "NATS/1.0\r\nNats-Msg-Id: \r\n\r\n".len() + id.len()
}

/// What a header cannot hold, and the mark of the encoding itself.
const NOT_IN_IDS: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

fn message_id(key: &str) -> Cow<'_, str> {
    // JetStream ignores an empty id. No other key is encoded as a lone `%`.
    if key.is_empty() { "%".into() } else { utf8_percent_encode(key, NOT_IN_IDS).into() }
}

/// What NATS has answered so far about a batch.
#[derive(Default)]
struct Answers {
    counts: Counts,
    /// The most decisive error: one about the content of a message, or else the first.
    error: Option<Error>,
}

impl Answers {
    fn hear(&mut self, answer: Result<PublishAck, PublishError>) {
        match answer {
            Ok(stored) if stored.duplicate => self.counts.duplicates += 1,
            Ok(_) => self.counts.ingested += 1,
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: PublishError) {
        let error = if is_about_content(&error) { Error::refused(error) } else { Error::unavailable(error) };
        if self.error.is_none() || error.verdict() == Verdict::BadContent {
            self.error = Some(error);
        }
    }
}

/// Returns true if this message will never be taken. Anything else is a matter of the stream, the server or the
/// connection, and concerns every message.
fn is_about_content(error: &PublishError) -> bool {
    let code = std::error::Error::source(error).and_then(|source| source.downcast_ref::<jetstream::Error>());
    let code = code.map(jetstream::Error::error_code);
    error.kind() == PublishErrorKind::MaxPayloadExceeded
        || matches!(code, Some(ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM | ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM))
}

impl Sink for NatsSink {
    /// Publishes in order, and hears answers meanwhile: the context may limit how many are pending.
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async move {
            self.check_sizes(&batch)?;
            let (mut answers, mut pending) = (Answers::default(), FuturesUnordered::new());
            for record in batch.records() {
                let mut publishing = pin!(self.publish(record));
                let published = loop {
                    tokio::select! {
                        biased;
                        published = &mut publishing => break published,
                        Some(answer) = pending.next() => answers.hear(answer),
                    }
                };
                match published {
                    Ok(answer) => pending.push(answer.into_future()),
                    Err(error) => {
                        answers.fail(error);
                        break;
                    }
                }
            }
            // Those that are published are not given up for one that is not: they would be sent again.
            while let Some(answer) = pending.next().await {
                answers.hear(answer);
            }
            answers.error.map_or(Ok(answers.counts), Err)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_everyday_key_is_its_own_id() {
        for key in ["k-1", "0193f0a2-7b1c-7000-8000-000000000000", "order:7/line+2", "\"'`{}~"] {
            assert_eq!(message_id(key), key);
        }
    }

    proptest::proptest! {
        #[test]
        fn different_keys_have_different_ids_that_a_header_can_hold(
            one in "[ -~]{0,3}|.{0,3}|[%02 \r\n]{0,6}",
            other in "[ -~]{0,3}|.{0,3}|[%02 \r\n]{0,6}",
        ) {
            let (id, other_id) = (message_id(&one), message_id(&other));
            assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?}");
            assert_eq!(id == other_id, one == other, "{one:?} {other:?}");
        }
    }
}
