//! The user's error hooks: called once for every failure, in order. They may panic, block, and emit signals of their own.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{DeliveryError, RecordKind, log};
use crate::foreign;

/// Called for every failure.
pub(crate) type Hook = dyn Fn(&DeliveryError) + Send + Sync;

thread_local! {
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Returns true if this thread is inside a hook.
pub(crate) fn are_running_here() -> bool {
    RUNNING.try_with(Cell::get).unwrap_or(false)
}

/// Calls the hooks on this thread.
pub(super) fn call(hooks: &[Box<Hook>], failure: &DeliveryError) {
    let _ = RUNNING.try_with(|running| running.set(true));
    for hook in hooks {
        if let Err(panic) = foreign::call(|| hook(failure)) {
            log(&format_args!("the error hook {panic}"));
        }
    }
    let _ = RUNNING.try_with(|running| running.set(false));
}

/// Failures that may wait for the hooks. Further ones are told as a number.
pub(super) const LONGEST: usize = 1_000;

/// Whoever notices a failure waits this long for the hooks, so that quick hooks have been called when a call returns.
const COURTESY: Duration = Duration::from_millis(100);

/// What all these waits may cost an emitter in its life.
const ALL_COURTESY: Duration = Duration::from_millis(500);

/// Hooks with a thread of their own, which starts at the first failure and ends with this.
pub(super) struct HookThread {
    shared: Arc<HookShared>,
}

struct HookShared {
    hooks: Vec<Box<Hook>>,
    state: Mutex<HookState>,
    changed: Condvar,
}

struct HookState {
    waiting: VecDeque<DeliveryError>,
    queued: u64,
    told: u64,
    /// Failures for which there was no room, and the records that are not billed by them. Each entry is one of those queued.
    untold: BTreeMap<RecordKind, (u64, u64)>,
    courtesy: Duration,
    has_thread: bool,
    /// A hook waits for the end of delivery, which must not wait for the hook.
    ends_inside: bool,
    is_closed: bool,
}

impl HookThread {
    pub(super) fn new(hooks: Vec<Box<Hook>>) -> Self {
        let state = HookState {
            waiting: VecDeque::new(),
            queued: 0,
            told: 0,
            untold: BTreeMap::new(),
            courtesy: ALL_COURTESY,
            has_thread: false,
            ends_inside: false,
            is_closed: false,
        };
        Self { shared: Arc::new(HookShared { hooks, state: Mutex::new(state), changed: Condvar::new() }) }
    }

    pub(super) fn hooks(&self) -> usize {
        self.shared.hooks.len()
    }

    /// Hands a failure to the thread.
    pub(super) fn tell(&self, failure: &DeliveryError) {
        let mut state = self.shared.lock();
        if state.waiting.len() >= LONGEST {
            return state.leave_untold(failure);
        }
        if !state.has_thread {
            let shared = Arc::clone(&self.shared);
            let thread = std::thread::Builder::new().name("paid-hooks".into()).spawn(move || shared.run());
            if thread.is_err() {
                drop(state);
                return call(&self.shared.hooks, failure);
            }
            state.has_thread = true;
        }
        let is_behind = state.told < state.queued;
        state.waiting.push_back(failure.clone());
        state.queued += 1;
        self.shared.changed.notify_all();
        if !is_behind {
            self.wait_a_moment(state);
        }
    }

    fn wait_a_moment(&self, mut state: MutexGuard<'_, HookState>) {
        let (begun, own) = (Instant::now(), state.queued);
        let limit = state.courtesy.min(COURTESY);
        while state.told < own && begun.elapsed() < limit {
            state = self.shared.wait_timeout(state, limit.saturating_sub(begun.elapsed()));
        }
        state.courtesy = state.courtesy.saturating_sub(begun.elapsed());
    }

    pub(super) fn wait_no_more(&self) {
        self.shared.lock().ends_inside = true;
        self.shared.changed.notify_all();
    }

    pub(super) fn finish(&self, until: Instant) {
        let mut state = self.shared.lock();
        while state.told < state.queued && !state.ends_inside {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.shared.wait_timeout(state, left);
        }
    }
}

impl HookState {
    fn leave_untold(&mut self, failure: &DeliveryError) {
        let queued = &mut self.queued;
        let (failures, records) = self.untold.entry(failure.kind()).or_insert_with(|| {
            *queued += 1;
            (0, 0)
        });
        *failures += 1;
        *records += failure.unbilled();
    }
}

impl Drop for HookThread {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl HookShared {
    fn lock(&self) -> MutexGuard<'_, HookState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_timeout<'a>(&self, state: MutexGuard<'a, HookState>, time: Duration) -> MutexGuard<'a, HookState> {
        self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Calls the hooks until there is nothing left to tell and nobody who could tell more.
    fn run(&self) {
        while let Some(failure) = self.next() {
            call(&self.hooks, &failure);
            self.lock().told += 1;
            self.changed.notify_all();
        }
    }

    fn next(&self) -> Option<DeliveryError> {
        let mut state = self.lock();
        loop {
            if let Some(failure) = state.waiting.pop_front() {
                return Some(failure);
            }
            if let Some((kind, (failures, records))) = state.untold.pop_first() {
                drop(state);
                let untold = DeliveryError::Untold { kind, failures, records };
                log(&untold);
                return Some(untold);
            }
            if state.is_closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
