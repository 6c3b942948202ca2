//! What a reconciliation found.

use std::collections::{BTreeMap, HashMap};

use super::fingerprint::Fingerprint;
use crate::Timestamp;

/// What became of what was emitted.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Reconciliation {
    /// What was compared begins at this time; `None` if it begins with the first signal.
    pub from: Option<Timestamp>,
    /// What was compared ends before this time; `None` if it goes on until now.
    pub to: Option<Timestamp>,
    /// How many signals were emitted.
    pub emitted: u64,
    /// How many of them Paid has.
    pub found: u64,
    /// Paid acknowledged them and does not have them.
    pub missing: Vec<Discrepancy>,
    /// Paid has fewer signals like these than were emitted, or has one like it of a customer with another name: whether it is this one
    /// cannot be told.
    pub uncertain: Vec<Discrepancy>,
    /// There is no answer for them, and Paid does not list them: they wait in an outbox, were reported as lost, or the answer could not be
    /// written down.
    pub unacknowledged: Vec<Discrepancy>,
    /// How many signals a ledger could not write down, and how many of its lines cannot be read: nothing is known about them.
    pub not_known: u64,
    /// How many were sent a moment ago and may still appear.
    pub pending: u64,
    /// Paid's ids of signals that were not emitted here.
    pub extra: Vec<String>,
    /// By customer, product and event name.
    pub tallies: BTreeMap<Counted, Tally>,
    /// Hashes of Paid's ids of what the tallies count as matched or extra, each with its place in `kinds`.
    pub(in crate::account) counted: HashMap<Fingerprint, u32>,
    /// What these signals are counted under.
    pub(in crate::account) kinds: Vec<Counted>,
}

impl Reconciliation {
    /// Whether Paid has everything that it acknowledged, as far as the entries say: if they have holes, it is not clean.
    pub fn is_clean(&self) -> bool {
        self.missing.is_empty() && self.uncertain.is_empty() && self.not_known == 0
    }
}

/// Signals of one customer, product and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Counted {
    /// Your own id of the customer, or Paid's.
    pub customer: String,
    /// Your own id of the product, or Paid's.
    pub product: String,
    /// The event name.
    pub name: String,
}

/// A signal that Paid does not have, or may not have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discrepancy {
    /// Its position among the entries that were given, from 0.
    pub position: usize,
    /// A hash of its idempotency key; `None` if it has none.
    pub(in crate::account) key: Option<u128>,
    /// When it was sent.
    pub at: Option<Timestamp>,
    /// The event name.
    pub name: String,
    /// Your own id of the customer, or Paid's.
    pub customer: String,
    /// Whether Paid said "duplicate" in the answer to its request, although it had not acknowledged any of the request's signals
    /// before.
    pub was_suspect: bool,
}

/// How many signals of one customer, product and name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Signals that were emitted, as the records of this side say.
    pub emitted: u64,
    /// Paid has.
    pub matched: u64,
    /// Paid does not have.
    pub missing: u64,
    /// Paid may not have.
    pub uncertain: u64,
    /// Were never acknowledged.
    pub unacknowledged: u64,
    /// May still appear.
    pub pending: u64,
    /// Paid has, and were not emitted here.
    pub extra: u64,
}
