//! The emitter's end when the process is told to end: feature `sigterm`.

use std::time::Duration;

use super::Emitter;
use crate::error::ConfigError;
use crate::report::log;
use crate::sigterm;

impl Emitter {
    /// When the process is told to end (SIGTERM, or SIGINT from Ctrl-C), shuts the emitter down first: signals are sent for
    /// up to `timeout`, and then the process ends by the signal as it would have without this. It keeps nothing else
    /// from happening: handlers of your own are called too, and a second signal does not cut the first one's time short.
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
    /// If the operating system allows no handler.
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
