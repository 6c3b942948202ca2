//! What the handles of an emitter, its thread and its couriers share: the counters, the log and the hook.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::stats::Counters;
use crate::emit::{self, EmitError};

pub(super) type Hook = dyn Fn(&EmitError) + Send + Sync;

/// What the handles and the thread share.
pub(super) struct Shared {
    pub(super) counts: Counters,
    hook: Option<Box<Hook>>,
    overflow: Mutex<Overflowing>,
}

/// What was logged of a queue that is full, which may concern a million signals a second.
#[derive(Default)]
struct Overflowing {
    logged: Option<std::time::Instant>,
    unlogged: u64,
}

impl Shared {
    pub(super) fn new(hook: Option<Box<Hook>>) -> Self {
        Self { counts: Counters::default(), hook, overflow: Mutex::default() }
    }

    /// Logs the first at once, and then one a second with the number of those in between. All are counted, and all are
    /// reported to the hook.
    pub(super) fn log_overflow(&self, failure: &EmitError) {
        let mut overflow = self.overflow.lock().unwrap_or_else(PoisonError::into_inner);
        let now = std::time::Instant::now();
        if overflow.logged.is_some_and(|logged| now.duration_since(logged) < Duration::from_secs(1)) {
            overflow.unlogged += 1;
            return;
        }
        let unlogged = std::mem::take(&mut overflow.unlogged);
        overflow.logged = Some(now);
        drop(overflow);
        match unlogged {
            0 => emit::log(failure),
            more => emit::log(&format_args!("{failure} (and {more} more since this was last logged)")),
        }
    }

    pub(super) fn report(&self, failure: &EmitError) {
        if let Some(hook) = &self.hook {
            // A hook that panics must not take the caller or the thread with it.
            let called = std::panic::AssertUnwindSafe(|| hook(failure));
            if std::panic::catch_unwind(called).is_err() {
                emit::log(&"the emitter's error hook panicked");
            }
        }
    }
}
