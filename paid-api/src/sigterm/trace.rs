//! Spans, when the process is told to end.

use std::time::Duration;

use super::listening::listen;
use crate::error::ConfigError;
use crate::trace::TraceGuard;

impl TraceGuard {
    /// Delivers what is queued if the process receives SIGTERM, or SIGINT from Ctrl-C: spans that have ended are sent for
    /// up to `timeout`, and everything else is ended with them, see
    /// [`Emitter::shutdown_on_sigterm`](crate::Emitter::shutdown_on_sigterm). Does nothing if tracing is turned off.
    /// Feature `sigterm`.
    ///
    /// # Errors
    ///
    /// If the operating system does not permit a handler, or no thread can be started.
    pub fn shutdown_on_sigterm(&self, timeout: Duration) -> Result<(), ConfigError> {
        if !self.is_enabled() {
            return Ok(());
        }
        self.name_time_on_signal(timeout);
        listen()
    }
}
