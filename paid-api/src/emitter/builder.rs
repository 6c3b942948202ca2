//! What can be set of an emitter.

use std::fmt;
use std::sync::Arc;

use super::Emitter;
use super::cargo::Signals;
use crate::dispatch::{DiskSettings, Dispatch, DispatchSettings, Sink, dispatch_setters};
use crate::error::ConfigError;
use crate::report::RecordKind;

/// Sets up an [`Emitter`]. By default 10,000 signals may be in memory, 500 go into one request, a signal waits 100 ms for
/// others, and dropping the last handle waits 5 seconds.
#[must_use = "a builder does nothing until it is built"]
pub struct EmitterBuilder {
    sink: Arc<dyn Sink>,
    settings: DispatchSettings,
    pub(super) disk: DiskSettings,
}

impl EmitterBuilder {
    /// An emitter that delivers to something else than Paid's API: a test, a queue of your own.
    pub fn over(sink: impl Sink + 'static) -> Self {
        let disk = DiskSettings::none(RecordKind::Signal);
        Self { sink: Arc::new(sink), settings: DispatchSettings::default(), disk }
    }

    dispatch_setters!("signals");

    /// How many requests may be under way at once; 4 by default. Two never hold signals of the same customer.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.settings.in_flight = requests.max(1);
        self
    }

    /// Opens the outbox, if there is to be one, and starts the emitter's thread.
    ///
    /// # Errors
    ///
    /// If no thread can be started, or the outbox cannot be used: another process has it (which one, as far as is
    /// known), or the folder cannot be written. A damaged outbox is not an error: what can be read of it is sent, the damage
    /// is reported.
    pub fn build(self) -> Result<Emitter, ConfigError> {
        Ok(Emitter { dispatch: Dispatch::start(Signals, self.sink, self.settings, &self.disk)? })
    }
}

impl fmt::Debug for EmitterBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EmitterBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
