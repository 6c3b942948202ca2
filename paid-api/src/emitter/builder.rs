//! The settings of an emitter.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::Emitter;
use super::cargo::Signals;
use crate::dispatch::{
    DiskSettings, Dispatch, DispatchSettings, HasOutbox, Mode, Sink, delivered_setter, dispatch_setters,
};
use crate::error::ConfigError;
use crate::report::RecordKind;
use crate::signal::HashKey;

/// Configures and builds an [`Emitter`]. By default the queue holds 10,000 signals, a request holds up to 500, a signal
/// waits 100 ms for others, the waits before retries grow from 500 ms to a minute, and dropping the last handle waits 5
/// seconds.
#[must_use = "a builder does nothing until it is built"]
pub struct EmitterBuilder {
    sink: Arc<dyn Sink>,
    pub(crate) settings: DispatchSettings,
    pub(crate) disk: DiskSettings,
    hash_key: Option<HashKey>,
    has_reference: bool,
    wrap: Option<Wrap>,
}

/// What stands between the emitter and its sink.
type Wrap = Box<dyn FnOnce(Arc<dyn Sink>) -> io::Result<Arc<dyn Sink>> + Send>;

impl EmitterBuilder {
    /// Returns a builder of an emitter over a custom sink instead of Paid's API, such as a test or a queue.
    pub fn over(sink: impl Sink + 'static) -> Self {
        let disk = DiskSettings::none(RecordKind::Signal);
        Self {
            sink: Arc::new(sink),
            settings: DispatchSettings::default(),
            disk,
            hash_key: None,
            has_reference: false,
            wrap: None,
        }
    }

    dispatch_setters!("signals", queue: "10,000", batch: "500", linger: "100 ms", delays: "500 ms and a minute", patience: "5 seconds");

    delivered_setter!("signals", resent: "`Emitter::resubmit`");

    /// Sets the key with which values are hashed that are not sent in the clear: those in a [`Hashed`](crate::Hashed), and
    /// fields that `signals.toml` marks with `pii = "hash"`. They are hashed when they are emitted, before anything is
    /// written or sent. Without a key, a signal with such a value is refused and reported.
    pub fn hash_key(mut self, key: HashKey) -> Self {
        self.hash_key = Some(key);
        self
    }

    /// Sets whether each signal carries its idempotency key in the field `paid_ref` of its data; none does by default.
    ///
    /// Paid's list of signals shows the data of a signal, and not its key. With the reference, `cargo paid reconcile` knows
    /// for certain which signals Paid has; without it, it compares customer, name, data and time. A field `paid_ref` of your own
    /// is replaced.
    pub fn with_reference(mut self, has_reference: bool) -> Self {
        self.has_reference = has_reference;
        self
    }

    /// Puts something between the emitter and its sink, when it is built.
    #[allow(dead_code, reason = "feature `outbox` calls it")]
    pub(crate) fn wrapped(
        mut self,
        wrap: impl FnOnce(Arc<dyn Sink>) -> io::Result<Arc<dyn Sink>> + Send + 'static,
    ) -> Self {
        self.wrap = Some(Box::new(wrap));
        self
    }

    /// Sets how many requests may be in progress at once; 4 by default. No two of them hold signals of the same
    /// customer.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.settings.in_flight = requests.max(1);
        self
    }

    /// Keeps signals in this folder until Paid has them, so that they survive a crash, a restart, and an outage that is
    /// longer than memory. Signals of an earlier run are sent first. Signals that Paid permanently refuses are written
    /// to `dead-letters.jsonl` in the folder; see `paid::outbox`. Feature `outbox`.
    ///
    /// The folder is created if it does not exist. Only one process at a time can open it, and it must be on a local
    /// disk.
    pub fn outbox(self, folder: impl Into<PathBuf>) -> Self
    where
        for<'a> &'a (): HasOutbox<Self>,
    {
        <&() as HasOutbox<Self>>::kept_in(self, folder.into())
    }

    /// Sets whether the signals of a customer wait while one of theirs is set aside; they do not by default.
    ///
    /// A signal is set aside if Paid fails on it again and again while others get through: it is reported as
    /// [`SetAside`](crate::DeliveryError::SetAside), kept, and tried again alone after a minute or so, then at growing
    /// intervals of up to an hour. If the order is kept, the later signals of its customer wait for it, in memory or in the
    /// outbox; those of other customers go on, as long as memory is not full of those that wait.
    pub fn keep_order(mut self, keep: bool) -> Self {
        self.settings.keeps_order = keep;
        self
    }

    /// Opens the outbox, if one is set, and starts the emitter's thread.
    ///
    /// # Errors
    ///
    /// If it is told to send and its client has no API key, if no thread can be started, or the outbox cannot be used: another process has it open (the error names the
    /// process if it is known), or the folder cannot be written. A damaged outbox is not an error: its readable signals
    /// are sent, and the damage is reported.
    pub fn build(self) -> Result<Emitter, ConfigError> {
        let is_live = self.settings.mode()? == Mode::Live;
        let sink = match self.wrap.filter(|_| is_live) {
            Some(wrap) => wrap(self.sink).map_err(|error| ConfigError::new(error.to_string()))?,
            None => self.sink,
        };
        let dispatch = Dispatch::start(Signals, sink, self.settings, &self.disk)?;
        Ok(Emitter { dispatch, hash_key: self.hash_key, has_reference: self.has_reference })
    }
}

impl fmt::Debug for EmitterBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EmitterBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
