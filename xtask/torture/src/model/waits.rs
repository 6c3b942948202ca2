//! Nobody waits for longer than was promised.

use std::time::Duration;

use super::Model;

/// How late the answer to what was due may be: work is interrupted.
const LATE: Duration = Duration::from_secs(10);

/// Somebody who waits.
pub(super) struct Waiting {
    what: String,
    since: Duration,
    /// Whether it has a time of its own, whatever becomes of the emitter.
    has_own_time: bool,
}

impl Model {
    /// Someone begins to wait for the emitter.
    pub(crate) fn open(&self, what: String) -> u64 {
        self.wait(what, false)
    }

    /// Someone begins to wait for something that has its own time.
    pub(crate) fn open_apart(&self, what: String) -> u64 {
        self.wait(what, true)
    }

    fn wait(&self, what: String, has_own_time: bool) -> u64 {
        let since = self.world.elapsed();
        let mut state = self.lock();
        state.opened += 1;
        let number = state.opened;
        state.open.insert(number, Waiting { what, since, has_own_time });
        number
    }

    pub(crate) fn close(&self, number: u64) {
        self.lock().open.remove(&number);
    }

    /// Somebody who still waits.
    pub(crate) fn waits(&self) -> Option<String> {
        self.find_waiting(|_| true)
    }

    fn find_waiting(&self, is: impl Fn(&Waiting) -> bool) -> Option<String> {
        let state = self.lock();
        let found = state.open.values().find(|waiting| is(waiting));
        found.map(|waiting| format!("{}, since {:.3} s", waiting.what, waiting.since.as_secs_f64()))
    }

    /// Claims about who waits after the emitter must have ended, at `due`.
    pub(crate) fn check_end(&self, due: Duration) {
        let now = self.world.elapsed();
        let waits = self.find_waiting(|it| !it.has_own_time && now > due.max(it.since) + LATE);
        self.claim("nobody waits for an emitter that has ended", waits.is_none(), || waits.unwrap_or_default());
    }

    /// Claims about who waits for the disk while it works.
    pub(crate) fn check_stores(&self) {
        let now = self.world.elapsed();
        let late = self.find_waiting(|it| it.what.starts_with("the store of") && it.since + LATE < now);
        self.claim("a store is answered while the disk works", late.is_none(), || late.unwrap_or_default());
    }
}
