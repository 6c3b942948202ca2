//! The end of the process: everything that delivers is listed here while its thread runs, and all of it is ended together
//! when the process ends. Knows no records, and no signals of the operating system.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::foreign;
use crate::report::log;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// `main` returned or panicked, or something called `exit`.
    Exit,
    /// The operating system told it to.
    Signal,
}

/// What is ended when the process ends.
pub(crate) trait Part: Send + Sync {
    /// How long its end may take.
    fn time(&self, cause: Cause) -> Duration;

    /// Accepts nothing more, and ends within this time, or sooner if it already must. Does not wait.
    fn close(&self, time: Duration);

    /// Waits until it has ended, up to [`MOMENT`] beyond its time; returns false if it has not.
    fn wait(&self) -> bool;

    /// Reports what is not delivered.
    fn report_rest(&self);
}

/// The longest time that the end of the process waits for a part, unless a longer one was named for that end: a patience
/// without limit must not keep a process from ending.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// A part gives up by itself when its time ends, but a request may take a moment longer.
pub(crate) const MOMENT: Duration = Duration::from_secs(1);

/// A part's place in the list.
#[derive(Debug)]
pub(crate) struct Seat(u64);

impl Seat {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Returns true on the part's own thread, which cannot wait for itself.
    pub(crate) fn is_here(&self) -> bool {
        HERE.get() == self.0
    }
}

thread_local! {
    /// The seat whose thread this is. Without a destructor, so that it can be read while the thread ends.
    static HERE: Cell<u64> = const { Cell::new(0) };
}

struct Parts {
    listed: BTreeMap<u64, Arc<dyn Part>>,
    /// Set when the process ends.
    cause: Option<Cause>,
    is_hooked: bool,
}

static PARTS: Mutex<Parts> = Mutex::new(Parts { listed: BTreeMap::new(), cause: None, is_hooked: false });
/// The process whose parts these are. After a fork, the threads of its parts are missing.
static PROCESS: AtomicU32 = AtomicU32::new(0);
static EXITS: AtomicBool = AtomicBool::new(false);

fn parts() -> MutexGuard<'static, Parts> {
    PARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a part in the list, on the thread that it ends with.
#[derive(Debug)]
pub(crate) struct Listed(u64);

/// Lists a part whose thread this is. If the process is already ending, the part ends at once.
pub(crate) fn list(seat: &Seat, part: Arc<dyn Part>) -> Listed {
    HERE.set(seat.0);
    let mut parts = parts();
    let process = std::process::id();
    let is_other = PROCESS.swap(process, Ordering::Relaxed) != process;
    let of_parent = if is_other { std::mem::take(&mut parts.listed) } else { BTreeMap::new() };
    if is_other {
        parts.cause = None;
    }
    parts.listed.insert(seat.0, Arc::clone(&part));
    let cause = parts.cause;
    let is_first = !std::mem::replace(&mut parts.is_hooked, true);
    // Nothing is dropped or called while the list is locked: it could lead back here.
    drop(parts);
    drop(of_parent);
    if is_first && !shutdown_hooks::add_shutdown_hook(on_exit) {
        log(&"there can be no exit hook: call `shutdown` before the program ends, or what is queued is lost");
    }
    if let Some(cause) = cause {
        part.close(part.time(cause));
    }
    Listed(seat.0)
}

impl Drop for Listed {
    fn drop(&mut self) {
        let part = parts().listed.remove(&self.0);
        drop(part);
        HERE.set(0);
    }
}

/// Returns true if the process already ends by itself.
pub(crate) fn exits() -> bool {
    EXITS.load(Ordering::Relaxed)
}

/// Ends everything that is listed, all at once and each in its own time, and waits for it. What is not delivered then is
/// reported. Parts that are built later end at once.
#[allow(dead_code, reason = "feature `sigterm` calls it")]
pub(crate) fn end_all(cause: Cause) {
    end(&begin(cause), cause, HERE.get());
}

type Ending = Vec<(u64, Arc<dyn Part>)>;

fn begin(cause: Cause) -> Ending {
    let mut parts = parts();
    parts.cause.get_or_insert(cause);
    parts.listed.iter().map(|(seat, part)| (*seat, Arc::clone(part))).collect()
}

/// `blocked` is the seat of the thread that waits for this end, if it has one: it cannot deliver any more.
fn end(parts: &Ending, cause: Cause, blocked: u64) {
    report(&ended(parts, cause, blocked));
}

/// Ends the parts and returns those that did not end in their time.
fn ended(parts: &Ending, cause: Cause, blocked: u64) -> Vec<Arc<dyn Part>> {
    for (_, part) in parts {
        guarded(|| part.close(part.time(cause)));
    }
    let mut left = Vec::new();
    for (seat, part) in parts {
        if *seat == blocked || guarded(|| part.wait()) != Some(true) {
            left.push(Arc::clone(part));
        }
    }
    left
}

/// Comes last, because it calls the user's hooks.
fn report(left: &[Arc<dyn Part>]) {
    for part in left {
        guarded(|| part.report_rest());
    }
}

/// Neither a log that panics nor anything else may keep the other parts from ending.
fn guarded<T>(step: impl FnOnce() -> T) -> Option<T> {
    foreign::call(step).ok()
}

/// Called by the C library's `exit`, on the thread that called it.
extern "C" fn on_exit() {
    // A panic would abort the process.
    guarded(before_exit);
}

/// The thread's locals are gone, and it may hold any lock of the program: another thread does the work, and this one waits
/// no longer than the parts may take.
fn before_exit() {
    if PROCESS.load(Ordering::Relaxed) != std::process::id() {
        return;
    }
    EXITS.store(true, Ordering::Relaxed);
    let blocked = HERE.get();
    let parts = Arc::new(begin(Cause::Exit));
    let awaited = parts.iter().filter(|(seat, _)| *seat != blocked);
    let longest = awaited.map(|(_, part)| part.time(Cause::Exit)).max().unwrap_or_default();
    if parts.is_empty() {
        return;
    }
    let (has_ended, has_reported) = (Arc::new(Done::default()), Arc::new(Done::default()));
    let (ending, tell_ended, tell_reported) = (Arc::clone(&parts), Arc::clone(&has_ended), Arc::clone(&has_reported));
    let work = move || {
        let left = ended(&ending, Cause::Exit, blocked);
        tell_ended.tell();
        report(&left);
        tell_reported.tell();
    };
    match std::thread::Builder::new().name("paid-exit".into()).spawn(work) {
        Ok(_) => {
            has_ended.wait(longest + MOMENT * 2);
            // A hook may wait for a lock that this thread holds, or end the process once more.
            has_reported.wait(MOMENT);
        }
        Err(_) => end(&parts, Cause::Exit, blocked),
    }
}

/// Something that is done once, and awaited by blocking threads. Works where a thread's locals are gone.
#[derive(Debug, Default)]
pub(crate) struct Done {
    is_done: Mutex<bool>,
    told: Condvar,
}

impl Done {
    pub(crate) fn tell(&self) {
        *self.is_done.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.told.notify_all();
    }

    /// Waits up to this time; returns true if it is done.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let is_done = self.is_done.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.told.wait_timeout_while(is_done, time, |is_done| !*is_done);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
