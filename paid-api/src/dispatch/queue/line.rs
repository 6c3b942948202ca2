//! Who waits for room, first come, first served. Pure.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

/// A caller that waits.
struct Waiter {
    weight: usize,
    waker: Waker,
}

/// Callers that wait for room, by ticket, and those that have it and do not know yet.
#[derive(Default)]
pub(super) struct Line {
    next: u64,
    waiting: BTreeMap<u64, Waiter>,
    admitted: BTreeMap<u64, usize>,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Joins the line at its end; returns the ticket.
    pub(super) fn join(&mut self, weight: usize, waker: Waker) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.waiting.insert(ticket, Waiter { weight, waker });
        ticket
    }

    /// The weight of the first load that waits.
    pub(super) fn first(&self) -> Option<usize> {
        self.waiting.values().next().map(|first| first.weight)
    }

    /// Admits the first that waits; returns whom to wake.
    pub(super) fn admit(&mut self) -> Option<Waker> {
        let (ticket, Waiter { weight, waker }) = self.waiting.pop_first()?;
        self.admitted.insert(ticket, weight);
        Some(waker)
    }

    /// Ready with true if the ticket is admitted, and with false if the line was closed before.
    pub(super) fn ask(&mut self, ticket: u64, context: &Context<'_>) -> Poll<bool> {
        if let Some(waiter) = self.waiting.get_mut(&ticket) {
            waiter.waker.clone_from(context.waker());
            return Poll::Pending;
        }
        Poll::Ready(self.admitted.remove(&ticket).is_some())
    }

    /// Gives the ticket back; returns the weight if it was admitted.
    pub(super) fn leave(&mut self, ticket: u64) -> Option<usize> {
        self.waiting.remove(&ticket);
        self.admitted.remove(&ticket)
    }

    /// Wakes everybody who waits, for a look around.
    pub(super) fn wakers(&self) -> Vec<Waker> {
        self.waiting.values().map(|waiter| waiter.waker.clone()).collect()
    }

    /// Sends everybody away who waits; returns whom to wake.
    pub(super) fn close(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting).into_values().map(|waiter| waiter.waker).collect()
    }
}
