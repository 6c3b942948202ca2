//! The emitter's shutdown when the process is told to end: feature `sigterm`.

use std::time::Duration;

use super::Emitter;
use crate::error::ConfigError;
use crate::report::log;
use crate::sigterm;

impl Emitter {
    /// Shuts the emitter down if the process receives SIGTERM, or SIGINT from Ctrl-C: signals are sent for up to
    /// `timeout`, and then the process ends by that signal, as it would have without this handler. Other handlers are
    /// called, too. A second SIGTERM or SIGINT does not shorten the time.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emitter = paid::Emitter::new(paid::Client::from_env()?)?;
    /// emitter.shutdown_on_sigterm(std::time::Duration::from_secs(10))?;
    /// paid::install(emitter);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the operating system does not permit a handler, or no thread can be started.
    pub fn shutdown_on_sigterm(&self, timeout: Duration) -> Result<(), ConfigError> {
        // A weak handle: waiting for a signal must not keep the emitter alive.
        let dispatch = self.dispatch.downgrade();
        sigterm::on_sigterm(async move || {
            if let Some(dispatch) = dispatch.upgrade()
                && let Err(left) = dispatch.shutdown(timeout).await
            {
                log(&left);
            }
        })
    }
}
