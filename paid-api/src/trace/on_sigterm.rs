//! The end of tracing when the process is told to end: feature `sigterm`.

use std::sync::Arc;
use std::time::Duration;

use super::guard::TraceGuard;
use crate::error::ConfigError;
use crate::report::log;
use crate::sigterm;

impl TraceGuard {
    /// When the process is told to end (SIGTERM, or SIGINT from Ctrl-C), sends what is queued for up to `timeout`, and then
    /// lets the process end by the signal as it would have without this. Feature `sigterm`.
    ///
    /// # Errors
    ///
    /// If the operating system allows no handler.
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
