//! The tracing settings of a scope.

use std::fmt::Display;
use std::sync::Arc;

use super::metadata;
use super::pipeline::Pipeline;
use super::token::{ParseTokenError, TracingToken, parse_traceparent};
use super::work::{Asked, fail};
use crate::scope::{InScope, Scope};

impl Scope {
    /// Opens a span for this scope when it is run. Everything recorded inside belongs to it; see
    /// [`mod@trace`](mod@crate::trace).
    #[must_use]
    pub fn traced(self) -> Self {
        self.ask(|asked| asked.traced = true)
    }

    /// Sets whether prompts, completions and other contents are exported with the spans inside. By default they are
    /// not.
    #[must_use]
    pub fn store_prompts(self, store: bool) -> Self {
        self.ask(|asked| asked.store_prompts = Some(store))
    }

    /// Adds the attribute `metadata.<key>` to every span inside; fields of objects become `metadata.<key>.<field>`. A
    /// value that cannot be serialized as JSON is left out with a warning.
    #[must_use]
    pub fn metadata<T: serde::Serialize + ?Sized>(self, key: &str, value: &T) -> Self {
        self.ask(|asked| metadata::add(&mut asked.metadata, key, value))
    }

    /// Makes this scope's span part of the trace that another process began.
    #[must_use]
    pub fn tracing_token(self, token: TracingToken) -> Self {
        self.ask(|asked| asked.parent = Some(token.parent()))
    }

    /// Makes this scope's span a child of the span in a W3C `traceparent` header.
    ///
    /// # Errors
    ///
    /// If `header` is not a valid `traceparent`.
    pub fn traceparent(self, header: &str) -> Result<Self, ParseTokenError> {
        let parent = parse_traceparent(header)?;
        Ok(self.ask(|asked| asked.parent = Some(parent)))
    }

    /// Runs a future in this scope; if it returns an error, the scope's span fails with that error. See
    /// [`run`](Self::run).
    pub fn try_run<T, E, F>(self, future: F) -> InScope<impl Future<Output = Result<T, E>>>
    where
        F: Future<Output = Result<T, E>>,
        E: Display,
    {
        self.run(async {
            let outcome = future.await;
            if let Err(error) = &outcome {
                fail(error);
            }
            outcome
        })
    }

    pub(super) fn over(self, pipeline: Arc<Pipeline>) -> Self {
        self.ask(|asked| asked.pipeline = Some(pipeline))
    }

    fn ask(self, ask: impl FnOnce(&mut Asked)) -> Self {
        let mut asked = self.companion().map(Asked::of).unwrap_or_default();
        ask(&mut asked);
        self.with_companion(Arc::new(asked))
    }
}
