//! Who gets room in a queue that drops its oldest.

use super::Model;
use crate::story::Overflow;

impl Model {
    /// Claims about a signal that was refused because the queue is full.
    pub(super) fn check_room(&self, signal: u32) {
        let state = self.lock();
        let setup = &state.setup;
        // What Paid fails on may hold all of the room, and with an outbox what is not on disk yet: neither makes way.
        let drops = setup.overflow == Overflow::DropOldest && setup.outbox.is_none() && !state.is_hooking;
        // The sizes of messages are not known.
        let drops = drops && !setup.is_of_messages();
        let weight = |signal: &u32| state.signals.get(signal).map_or(0, |promise| 1_000 + promise.size);
        let largest = state.signals.keys().map(weight).max().unwrap_or_default();
        // The thread takes half of the room at most, and one signal more.
        let window = setup.batch_bytes.saturating_mul(setup.in_flight * 2).min(setup.queue_bytes.div_ceil(2));
        let is_large = weight(&signal) + window + largest > setup.queue_bytes;
        let has_room = drops && !is_large && setup.queue > 1 && !self.paid.has_failed();
        drop(state);
        self.claim("the newest gets the room of the oldest", !has_room, || format!("signal {signal} is refused"));
    }
}
