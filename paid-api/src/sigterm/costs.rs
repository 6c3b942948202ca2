//! Cost records, when the process is told to end.

use std::time::Duration;

use super::listening::listen;
use crate::costs::CostEmitter;
use crate::error::ConfigError;

impl CostEmitter {
    /// Delivers what is queued if the process receives SIGTERM, or SIGINT from Ctrl-C: this emitter's records are sent for
    /// up to `timeout`, and everything else is ended with it, see
    /// [`Emitter::shutdown_on_sigterm`](crate::Emitter::shutdown_on_sigterm). Feature `sigterm`.
    ///
    /// # Errors
    ///
    /// If the operating system does not permit a handler, or no thread can be started.
    pub fn shutdown_on_sigterm(&self, timeout: Duration) -> Result<(), ConfigError> {
        self.name_time_on_signal(timeout);
        listen()
    }
}
