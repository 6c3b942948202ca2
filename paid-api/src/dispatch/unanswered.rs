//! Requests that were sent and are not answered yet.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// When each such request was sent, in milliseconds since 1970; in the order in which they were sent.
#[derive(Default)]
pub(super) struct Unanswered(Mutex<Sent>);

#[derive(Default)]
struct Sent {
    next: u64,
    since: BTreeMap<u64, u64>,
}

/// One of them, until this is dropped.
pub(super) struct Asked<'a> {
    unanswered: &'a Unanswered,
    number: u64,
}

impl Unanswered {
    pub(super) fn ask(&self, now: u64) -> Asked<'_> {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = sent.next;
        sent.next += 1;
        sent.since.insert(number, now);
        Asked { unanswered: self, number }
    }

    /// How many requests wait for an answer, and since when the oldest of them does; 0 if all are answered.
    pub(super) fn read(&self) -> (u64, u64) {
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (sent.since.len() as u64, sent.since.values().next().copied().unwrap_or_default())
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let mut sent = self.unanswered.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.since.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_request_is_the_one_that_was_sent_first() {
        let unanswered = Unanswered::default();
        assert_eq!(unanswered.read(), (0, 0));
        let first = unanswered.ask(5);
        let second = unanswered.ask(9);
        assert_eq!(unanswered.read(), (2, 5));
        drop(first);
        assert_eq!(unanswered.read(), (1, 9));
        drop(second);
        assert_eq!(unanswered.read(), (0, 0));
    }
}
