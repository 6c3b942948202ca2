//! The end of the process by SIGTERM or SIGINT: everything that delivers is ended first, and then the process, as it would have
//! ended. Feature `sigterm`.

#[cfg(feature = "cost-emitter")]
mod costs;
mod listening;
#[cfg(feature = "trace")]
mod trace;

use std::time::Duration;

use crate::emitter::Emitter;
use crate::error::ConfigError;
use listening::listen;

impl Emitter {
    /// Delivers what is queued if the process receives SIGTERM, or SIGINT from Ctrl-C, and then lets that signal end the
    /// process, as it would have without this handler.
    ///
    /// This emitter takes no more signals then, and sends those that are queued for up to `timeout`. At the same time,
    /// everything else that delivers in this process is ended: other emitters, cost emitters and tracing, each in the
    /// time that was named for it with its own `shutdown_on_sigterm`, or else within its
    /// [`patience`](crate::EmitterBuilder::patience), up to a minute. The process ends when all of them are done; what is
    /// not delivered then is reported.
    ///
    /// Other handlers are called, too; but the process does not wait for them. If your own handler drains a server, call
    /// [`shutdown`](Self::shutdown) after that instead. A second SIGTERM or SIGINT does not shorten the time.
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
        self.name_time_on_signal(timeout);
        listen()
    }
}
