//! The current scope on other tasks, threads and pools.

use std::fmt;

use super::{Ending, InScope, Scope};

/// Runs a future in the scope that is current now, wherever it is polled.
pub trait FutureExt: Future + Sized {
    /// Wraps this future in the current scope; for executors that [`spawn`] does not use.
    fn in_scope(self) -> InScope<Self> {
        InScope { scope: Scope::current(), entered: true, ending: Ending::default(), future: Some(self) }
    }
}

impl<F: Future> FutureExt for F {}

/// Calls [`tokio::spawn`] with the current scope.
///
/// # Panics
///
/// Outside a tokio runtime, like `tokio::spawn`.
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.in_scope())
}

/// Calls [`std::thread::spawn`] with the current scope.
pub fn spawn_thread<R: Send + 'static>(function: impl FnOnce() -> R + Send + 'static) -> std::thread::JoinHandle<R> {
    let carried = carried_scope();
    std::thread::spawn(move || carried.run(function))
}

/// Calls [`tokio::task::spawn_blocking`] with the current scope.
///
/// # Panics
///
/// Outside a tokio runtime, like `spawn_blocking`.
pub fn spawn_blocking<R: Send + 'static>(function: impl FnOnce() -> R + Send + 'static) -> tokio::task::JoinHandle<R> {
    let carried = carried_scope();
    tokio::task::spawn_blocking(move || carried.run(function))
}

/// Takes the current scope along, to threads that do not know it: those of rayon, of a pool of your own, of a callback.
///
/// ```
/// use paid::Signal;
///
/// # let recorder = paid::testing::Recorder::new();
/// # paid::scope().emitter(recorder.clone()).run_sync(|| {
/// paid::scope().customer("acme").run_sync(|| {
///     let here = paid::carried_scope();
///     // With rayon: `pages.par_iter().for_each(|page| here.run(|| ...))`
///     std::thread::scope(|threads| {
///         for id in ["page-1", "page-2"] {
///             let here = &here;
///             threads.spawn(move || here.run(|| paid::emit(Signal::new("page_read").idempotency_key(id))));
///         }
///     });
/// });
/// # });
/// # assert_eq!(recorder.signals().len(), 2);
/// ```
pub fn carried_scope() -> CarriedScope {
    CarriedScope { scope: Scope::current() }
}

/// A scope that goes along to other threads; see [`carried_scope`]. Work on any number of threads may be in it at the same time. It
/// is the same scope there: if it is traced, what is done there belongs to the same piece of work.
#[derive(Clone)]
#[must_use = "it does nothing until something runs in it"]
pub struct CarriedScope {
    scope: Scope,
}

impl CarriedScope {
    /// Runs a function in the scope, and restores this thread's own afterwards.
    pub fn run<R>(&self, function: impl FnOnce() -> R) -> R {
        let _entered = self.scope.entered();
        function()
    }
}

impl fmt::Debug for CarriedScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CarriedScope({:?})", self.scope)
    }
}
