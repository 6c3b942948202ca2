//! The end of tracing when the process is told to end: feature `sigterm`.

use std::sync::Arc;
use std::time::Duration;

use super::guard::TraceGuard;
use crate::error::ConfigError;
use crate::report::log;
use crate::sigterm;

impl TraceGuard {
    /// Shuts tracing down if the process receives SIGTERM, or SIGINT from Ctrl-C: queued spans are sent for up to
    /// `timeout`, and then the process ends by that signal, as it would have without this handler. Feature `sigterm`.
    ///
    /// # Errors
    ///
    /// If the operating system does not permit a handler, or no thread can be started.
    pub fn shutdown_on_sigterm(&self, timeout: Duration) -> Result<(), ConfigError> {
        let Some(pipeline) = self.pipeline() else { return Ok(()) };
        let pipeline = Arc::downgrade(pipeline);
        sigterm::on_sigterm(async move || {
            if let Some(pipeline) = pipeline.upgrade()
                && let Err(left) = pipeline.shutdown(timeout).await
            {
                log(&left);
            }
        })
    }
}
