//! Who receives signals: the [`Emit`] trait, the emitter that is installed for the process, and the count of signals
//! emitted while there is none. Knows no scope and no network.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::foreign;
use crate::report::{DeliveryError, log};
use crate::signal::Signal;

/// Where signals go: an [`Emitter`](crate::Emitter), a [`Recorder`](crate::testing::Recorder), or one of your own.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use paid::{DeliveryError, Emit, Signal};
///
/// #[derive(Default)]
/// struct Counter {
///     signals: AtomicU64,
/// }
///
/// impl Emit for Counter {
///     fn emit(&self, _: Signal) -> bool {
///         self.signals.fetch_add(1, Ordering::Relaxed);
///         true
///     }
///
///     fn fail(&self, failure: DeliveryError) {
///         eprintln!("not billed: {failure}");
///     }
/// }
///
/// paid::scope().customer("acme").emitter(Counter::default()).run_sync(|| paid::emit(Signal::new("email_sent")));
/// ```
pub trait Emit: Any + Send + Sync {
    /// Accepts a signal. It must not block. Returns true if the signal was accepted; an implementation reports a signal
    /// that it does not accept itself.
    fn emit(&self, signal: Signal) -> bool;

    /// Called for a signal that cannot be sent. It has already been logged.
    fn fail(&self, failure: DeliveryError);

    /// Called first with every emission. Returns true if signals are not sent, on purpose, as with `PAID_ENABLED=false`: the
    /// signal is then neither completed nor checked, and not handed over. By default all signals are.
    fn skip(&self) -> bool {
        false
    }

    /// Returns true if this emitter also accepts the signals of [`trace::emit`](fn@crate::trace::emit), as a recorder
    /// in a test does. By default they go to the collector.
    fn takes_signals_for_the_collector(&self) -> bool {
        false
    }
}

impl<E: Emit + ?Sized> Emit for Arc<E> {
    fn emit(&self, signal: Signal) -> bool {
        E::emit(self, signal)
    }

    fn fail(&self, failure: DeliveryError) {
        E::fail(self, failure);
    }

    fn skip(&self) -> bool {
        E::skip(self)
    }

    fn takes_signals_for_the_collector(&self) -> bool {
        E::takes_signals_for_the_collector(self)
    }
}

static INSTALLED: RwLock<Option<Arc<dyn Emit>>> = RwLock::new(None);
/// How many emitters there are: the installed one, and those of scopes. If it is zero, emission stops at once.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);
static LOST: AtomicU64 = AtomicU64::new(0);
static LOSS_IS_REPORTED: AtomicBool = AtomicBool::new(false);

/// Counts one emitter among the listeners until it is dropped.
pub(crate) struct Listening(());

impl Listening {
    pub(crate) fn start() -> Self {
        LISTENERS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Clone for Listening {
    fn clone(&self) -> Self {
        Self::start()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends all signals of the process to this emitter, except those of scopes that have their own. It replaces an emitter
/// that was installed before, which is dropped: if that was its last handle, this waits for its queued signals.
///
/// An installed [`Emitter`](crate::Emitter) needs no cleaning up: when `main` returns or panics, or something calls
/// [`std::process::exit`] (except on Windows), its queued signals are sent before the process ends, for up to its
/// [`patience`](crate::EmitterBuilder::patience); those that are not delivered then are reported. To know the result, keep
/// a clone and call [`shutdown`](crate::Emitter::shutdown).
pub fn install(emitter: impl Emit) {
    let emitter: Arc<dyn Emit> = Arc::new(emitter);
    let before = INSTALLED.write().unwrap_or_else(PoisonError::into_inner).replace(emitter);
    if before.is_some() {
        foreign::log(|| tracing::warn!("an emitter was already installed; signals go to the new one from now on"));
    } else {
        LISTENERS.fetch_add(1, Ordering::Relaxed);
    }
}

/// Removes the installed emitter and returns it, for tests. Dropping it, if it is the last handle, waits for its queued
/// signals. The end of a process does that by itself, see [`install`].
pub fn uninstall() -> Option<Arc<dyn Emit>> {
    let before = INSTALLED.write().unwrap_or_else(PoisonError::into_inner).take();
    if before.is_some() {
        LISTENERS.fetch_sub(1, Ordering::Relaxed);
    }
    before
}

/// How many signals were emitted while no emitter was installed. They are lost.
pub fn lost_signals() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Returns true if an emitter is installed or a scope has one.
#[inline]
pub(crate) fn anybody_listens() -> bool {
    LISTENERS.load(Ordering::Relaxed) > 0
}

pub(crate) fn installed() -> Option<Arc<dyn Emit>> {
    INSTALLED.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Counts a signal that was emitted while no emitter was installed, and reports the first one.
#[inline]
pub(crate) fn lost(name: &str) {
    LOST.fetch_add(1, Ordering::Relaxed);
    if !LOSS_IS_REPORTED.load(Ordering::Relaxed) {
        // Whoever is told may panic.
        let _ = foreign::call(|| report_loss(name));
    }
}

#[cold]
fn report_loss(name: &str) {
    // No `Once`: whoever is told may emit a signal, too.
    if !LOSS_IS_REPORTED.swap(true, Ordering::Relaxed) {
        log(&format_args!(
            "signal `{name}` was emitted, but no emitter is installed: it is lost, and so are all that follow; call \
             `paid::install(paid::Emitter::new(client)?)` when the program starts"
        ));
    }
}
