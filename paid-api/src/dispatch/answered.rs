//! What delivery asks of an error: whether the server has answered, and how long it asks to wait.

use std::time::{Duration, SystemTime};

use crate::error::{Error, SinkError};
use crate::verdict::{self, Verdict};

impl Error {
    /// Like [`refused`](Self::refused), without an answer of the server.
    #[allow(dead_code, reason = "features `cost-emitter` and `nats` use it")]
    pub(crate) fn refused_unanswered(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = source.into();
        Self::Sink(Box::new(SinkError { verdict: Verdict::BadContent, is_answer: false, source }))
    }

    /// Returns true if the server has answered about the content, even if it refused it.
    pub(crate) fn is_answer(&self) -> bool {
        match self {
            Self::Api(_) => self.verdict() == Verdict::BadContent,
            Self::Sink(error) => error.is_answer,
            _ => false,
        }
    }

    /// How long the server asks to wait before the next attempt.
    pub(crate) fn asked_to_wait(&self, now: SystemTime) -> Option<Duration> {
        verdict::asked_to_wait(&self.as_api()?.headers, now)
    }
}
