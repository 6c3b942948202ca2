//! The forwarder over a stream that is simulated.

use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt};

use crate::Emitter;
use crate::forward::{Ack, ForwardError, Forwarded, Incoming, forward_messages};

/// What is said about a message to the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is done with.
    Done,
    /// It will never succeed.
    Never,
    /// It is to be delivered again: at once, or after this time.
    Again(Option<Duration>),
    /// It is still being processed.
    Working,
}

/// A message of a stream.
pub trait Message: Send + Sync + 'static {
    /// What it holds.
    fn payload(&self) -> &[u8];

    /// Its number in the stream. A message that is delivered again has the same.
    fn sequence(&self) -> u64;

    /// Takes a reply to it.
    fn reply(&self, reply: Reply) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;
}

struct Door<M>(M);

impl<M: Message> Incoming for Door<M> {
    fn payload(&self) -> &[u8] {
        self.0.payload()
    }

    fn sequence(&self) -> u64 {
        self.0.sequence()
    }

    async fn acknowledge(&self, ack: Ack) -> Result<(), String> {
        let reply = match ack {
            Ack::Done => Reply::Done,
            Ack::Never => Reply::Never,
            Ack::Again(after) => Reply::Again(after),
            Ack::Working => Reply::Working,
        };
        self.0.reply(reply).await
    }
}

/// Forwards messages until `stop` completes, as [`forward`](crate::forward()) does. `wait` is how long a message may be
/// silent before the stream delivers it again.
///
/// # Errors
///
/// If the stream fails or ends.
pub async fn forward<M: Message>(
    messages: impl Stream<Item = Result<M, String>> + Send,
    wait: Duration,
    emitter: &Emitter,
    stop: impl Future<Output = ()> + Send,
) -> Result<Forwarded, ForwardError> {
    let messages = messages.map(|message| message.map(Door).map_err(ForwardError::new));
    forward_messages(messages, wait, emitter, stop).await
}
