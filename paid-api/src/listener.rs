//! Who takes signals: the [`Emit`] trait, the one that is installed for the process, and the count of signals that nobody
//! takes. Knows no scope and no network.

use std::any::Any;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Once, PoisonError, RwLock};

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
    /// Takes a signal, at once: it must not block. Returns true if the signal is taken. An emitter reports itself what it
    /// does not take.
    fn emit(&self, signal: Signal) -> bool;

    /// Takes notice of a signal that cannot be sent. It has been logged already.
    fn fail(&self, failure: DeliveryError);

    /// Returns true if signals for the collector come here too. A recorder in a test wants them; by default they go
    /// through [`trace`](mod@crate::trace).
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

    fn takes_signals_for_the_collector(&self) -> bool {
        E::takes_signals_for_the_collector(self)
    }
}

static INSTALLED: RwLock<Option<Arc<dyn Emit>>> = RwLock::new(None);
/// Whether looking for an emitter is worth the while: one is installed, or some scope has one.
static LISTENERS: AtomicUsize = AtomicUsize::new(0);
static LOST: AtomicU64 = AtomicU64::new(0);
static REPORT_LOSS: Once = Once::new();

/// One emitter that somebody listens with.
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

/// Sends all signals of the process to this emitter, except those of scopes with an emitter of their own. The last one
/// installed counts.
pub fn install(emitter: impl Emit) {
    let before = INSTALLED.write().unwrap_or_else(PoisonError::into_inner).replace(Arc::new(emitter));
    if before.is_some() {
        tracing::warn!("an emitter was installed already; signals go to the new one from now on");
    } else {
        LISTENERS.fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes the installed emitter away; for tests, and before a process ends.
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

/// Returns true if some emitter is installed, or some scope has one.
#[inline]
pub(crate) fn anybody_listens() -> bool {
    LISTENERS.load(Ordering::Relaxed) > 0
}

pub(crate) fn installed() -> Option<Arc<dyn Emit>> {
    INSTALLED.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Counts a signal that nobody takes; the first one is reported.
#[inline]
pub(crate) fn lost(name: &str) {
    LOST.fetch_add(1, Ordering::Relaxed);
    if !REPORT_LOSS.is_completed() {
        report_loss(name);
    }
}

#[cold]
fn report_loss(name: &str) {
    REPORT_LOSS.call_once(|| {
        log(&format_args!(
            "signal `{name}` was emitted and no emitter is installed: it is lost, and so are all that follow; call \
             `paid::install(paid::Emitter::new(client)?)` when the program starts"
        ));
    });
}
