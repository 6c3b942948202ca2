//! What a program without an async runtime calls in place of the futures.

use std::time::Duration;

use super::Emitter;
use crate::dispatch::{Delivery, FlushError};
use crate::report::DeliveryError;
use crate::signal::PaidSignal;

/// For programs without an async runtime. An emitter has a thread of its own, so building one and [`emit`](Self::emit) need no
/// runtime anyway:
///
/// ```no_run
/// use std::time::Duration;
/// use paid::{Client, Emitter, Signal};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let emitter = Emitter::new(Client::from_env()?)?;
///     paid::install(emitter.clone());
///     paid::scope().customer("acme").run_sync(|| paid::emit(Signal::new("email_sent")));
///     emitter.blocking_shutdown(Duration::from_secs(10))?;
///     Ok(())
/// }
/// ```
///
/// These methods block the thread: in async code, call those of the same name without `blocking_`.
impl Emitter {
    /// Emits a signal and waits until it is delivered or permanently refused. A full queue refuses it, whatever
    /// [`Overflow`](crate::Overflow) says.
    ///
    /// # Errors
    ///
    /// If the signal was not delivered: with the reason.
    ///
    /// # Panics
    ///
    /// In async code, whose thread must not block. The signal is not emitted then, so that whoever tries again sends no second one.
    #[track_caller]
    pub fn blocking_send<S: PaidSignal>(&self, signal: S) -> Result<Delivery, DeliveryError> {
        refuse_async_code();
        self.emit(signal).blocking_wait()
    }

    /// Waits until everything that was emitted before is delivered or permanently refused.
    ///
    /// # Errors
    ///
    /// See [`flush`](Self::flush).
    pub fn blocking_flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.dispatch.flush_blocking(timeout)
    }

    /// Accepts no more signals, sends the queued ones, and ends the emitter's thread.
    ///
    /// # Errors
    ///
    /// See [`shutdown`](Self::shutdown).
    pub fn blocking_shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.dispatch.shutdown_blocking(timeout)
    }
}

/// Panics where a receipt could not be waited for.
#[track_caller]
fn refuse_async_code() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let _ = tell.send(());
    let _ = told.blocking_recv();
}
