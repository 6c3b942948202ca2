//! The end of an emitter, while the program goes on.

use std::sync::PoisonError;
use std::time::Duration;

use super::Process;

impl Process {
    /// The emitter must end within this time.
    pub(super) fn must_end(&self, within: Duration) {
        let at = self.world.elapsed() + within;
        let mut ends_at = self.ends_at.lock().unwrap_or_else(PoisonError::into_inner);
        *ends_at = Some(ends_at.map_or(at, |before| before.min(at)));
    }

    /// Whether the emitter ends, or has ended.
    pub(super) fn is_ending(&self) -> bool {
        self.paid.is_ending() || self.world.broke_at().is_some()
    }

    /// Nobody may wait for long after the end.
    pub(super) fn check_end(&self) {
        let ends_at = *self.ends_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(due) = ends_at.into_iter().chain(self.world.broke_at()).min() {
            self.model.check_end(due);
        }
        let Some(emitter) = self.emitter().filter(|_| self.world.broke_at().is_some()) else { return };
        self.model.check_quiet(&emitter.stats());
    }
}
