//! The data of the emulated account, in memory.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::Value;

use super::accounts::{Customers, Funding, Groups, Units, Users};
use super::billing::{Price, Span};
use super::clock::Clock;
use super::costs::CollectedCost;
use super::invoices::settled::Settled;
use super::payments::{Methods, Payments};
use super::plans::Plans;
use super::refusal::Refusal;
use super::signals::FailedSignal;
use super::table::Table;
use super::webhooks::Webhooks;
use crate::Timestamp;

#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) products: Table,
    pub(super) plans: Plans,
    pub(super) customers: Customers,
    pub(super) groups: Groups,
    pub(super) users: Users,
    pub(super) units: Units,
    pub(super) funding: Funding,
    pub(super) contacts: Table,
    pub(super) orders: Table,
    pub(super) checkouts: Table,
    /// By the order's id.
    pub(super) order_lines: BTreeMap<String, Vec<Line>>,
    pub(super) signals: Vec<StoredSignal>,
    pub(super) failed_signals: Vec<FailedSignal>,
    pub(super) costs: Vec<CollectedCost>,
    /// The idempotency keys of all accepted signals.
    pub(super) keys: BTreeSet<String>,
    /// By the invoice's id: metadata may be set before an invoice is posted.
    pub(super) invoice_metadata: BTreeMap<String, Value>,
    /// The posted invoices, by id.
    pub(super) settled: BTreeMap<String, Settled>,
    /// The ids of the invoices whose webhook was queued.
    pub(super) announced: BTreeSet<String>,
    pub(super) payments: Payments,
    pub(super) payment_methods: Methods,
    pub(super) webhooks: Webhooks,
    pub(super) clock: Clock,
    ids_assigned: u64,
}

/// A signal that was accepted.
#[derive(Debug, Clone)]
pub(super) struct StoredSignal {
    pub(super) id: String,
    pub(super) event_name: String,
    pub(super) customer: String,
    pub(super) product: String,
    /// The signal's own time, or when it arrived.
    pub(super) at: Timestamp,
    pub(super) arrived: Timestamp,
    pub(super) data: Value,
}

/// A line of an order, with its prices.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) product: String,
    /// The line as the API shows it.
    pub(super) shown: Value,
    pub(super) prices: Vec<LinePrice>,
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    /// Whether the line is a credit, whose amounts are subtracted.
    pub(super) credit: bool,
}

/// A price of a line. The quantity of a usage price is not fixed: it is the number of signals.
#[derive(Debug, Clone)]
pub(super) struct LinePrice {
    pub(super) id: String,
    pub(super) price: Price,
    pub(super) quantity: Decimal,
}

impl Line {
    /// The time for which the line is billed, in an order of this time.
    pub(super) fn span(&self, order: Span) -> Span {
        let end = self.end.map(|end| *end);
        Span { start: self.start.map_or(order.start, |start| *start), end: end.or(order.end) }
    }
}

impl Store {
    /// Assigns a new id with this prefix.
    pub(super) fn id(&mut self, prefix: &str) -> String {
        self.ids_assigned += 1;
        format!("{prefix}_{:06}", self.ids_assigned)
    }

    /// Assigns a new id where the document has a UUID.
    pub(super) fn uuid(&mut self) -> String {
        uuid_of(&self.id(""))
    }

    /// Does something that may be refused. What is refused assigned no ids: it is in no state file, and whoever repeats the
    /// file gets the same ids.
    pub(super) fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let before = self.ids_assigned;
        let outcome = work(self);
        if outcome.is_err() {
            self.ids_assigned = before;
        }
        outcome
    }
}

/// The UUID of an assigned id.
fn uuid_of(id: &str) -> String {
    let digits = id.rsplit('_').next().unwrap_or_default();
    format!("00000000-0000-4000-8000-{digits:0>12}")
}
