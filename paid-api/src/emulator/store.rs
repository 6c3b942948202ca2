//! The data of the emulated account, in memory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::accounts::{Customers, Funding, Groups, Units, Users};
use super::billing::{Price, Span};
use super::caps::Caps;
use super::clock::Clock;
use super::costs::CollectedCost;
use super::credits::{Benefit, Credits};
use super::invoices::settled::Settled;
use super::payments::{Methods, Payments};
use super::plans::Plans;
use super::refusal::Refusal;
use super::seats::Seats;
use super::signals::{FailedSignal, Signals};
use super::summaries::SignalSummaries;
use super::table::Table;
use super::value::{ValueModels, ValueReceipts};
use super::views::CustomViews;
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
    pub(super) signals: Signals,
    /// The keys of signals that are acknowledged and not kept.
    pub(super) to_lose: BTreeSet<String>,
    /// The latest that were not accepted.
    pub(super) failed_signals: VecDeque<FailedSignal>,
    pub(super) failed_count: usize,
    pub(super) costs: Vec<CollectedCost>,
    /// The idempotency keys of costs.
    pub(super) cost_keys: BTreeSet<String>,
    /// By the invoice's id: metadata may be set before an invoice is posted.
    pub(super) invoice_metadata: BTreeMap<String, Value>,
    /// The posted invoices, by id.
    pub(super) settled: BTreeMap<String, Settled>,
    /// The ids of the invoices whose webhook was queued.
    pub(super) announced: BTreeSet<String>,
    /// What amendments added to invoices, in the order in which they did.
    pub(super) adjustments: Vec<Adjustment>,
    pub(super) credits: Credits,
    /// The event names that active orders price in credits.
    pub(super) credit_events: BTreeSet<String>,
    /// The active orders with something that comes or goes with each period.
    pub(super) credit_orders: Vec<String>,
    pub(super) caps: Caps,
    pub(super) seats: Seats,
    pub(super) payments: Payments,
    pub(super) payment_methods: Methods,
    pub(super) models: ValueModels,
    pub(super) receipts: ValueReceipts,
    pub(super) views: CustomViews,
    pub(super) summaries: SignalSummaries,
    pub(super) webhooks: Webhooks,
    pub(super) clock: Clock,
    /// Whether the operation, which has two statuses, made what it returns: 201.
    pub(super) is_created: bool,
    /// By customer, the active orders with a price in credits.
    pub(super) spending_orders: BTreeMap<String, Vec<String>>,
    /// When the next period begins that brings or takes credits; `None` if something else may bring some.
    pub(super) credits_due: Option<DateTime<Utc>>,
    /// When an order's invoices are looked at next: before, nothing begins and nothing ends.
    pub(super) rolled_until: BTreeMap<String, DateTime<Utc>>,
    ids_assigned: u64,
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
    /// The id of the first of those that it replaced, or its own: credits come once with each period to all of them together.
    pub(super) root: String,
    pub(super) price: Price,
    pub(super) quantity: Decimal,
    pub(super) benefits: Vec<Benefit>,
    /// From when on it holds, if an amendment added it; and from when on its credits come.
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) granted_since: Option<DateTime<Utc>>,
    /// Whether the period in which an amendment added it is not charged.
    pub(super) is_first_free: bool,
    /// Until when it holds, if an amendment ended or replaced it.
    pub(super) until: Option<DateTime<Utc>>,
}

/// An amount that an amendment adds to an invoice.
#[derive(Debug, Clone)]
pub(super) struct Adjustment {
    pub(super) order: String,
    pub(super) line: String,
    pub(super) attribute: String,
    pub(super) name: String,
    pub(super) at: DateTime<Utc>,
    /// In the currency's smallest unit.
    pub(super) amount: Decimal,
}

impl LinePrice {
    pub(super) fn new(id: String, price: Price, quantity: Decimal, benefits: Vec<Benefit>) -> Self {
        Self {
            root: id.clone(),
            id,
            price,
            quantity,
            benefits,
            since: None,
            granted_since: None,
            is_first_free: false,
            until: None,
        }
    }

    /// Whether it holds at this time. A period is charged by what holds at its start.
    pub(super) fn holds(&self, at: DateTime<Utc>) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }
}

impl Line {
    /// The time for which the line is billed, in an order of this time.
    pub(super) fn span(&self, order: Span) -> Span {
        let end = self.end.map(|end| *end);
        Span { start: self.start.map_or(order.start, |start| *start), end: end.or(order.end) }
    }
}

impl Store {
    /// The number of the next id.
    pub(super) fn next_id(&self) -> u64 {
        self.ids_assigned + 1
    }

    /// How many ids were assigned.
    pub(super) fn ids_assigned(&self) -> u64 {
        self.ids_assigned
    }

    /// Goes on as if so many ids were assigned.
    pub(super) fn assign_from(&mut self, ids: u64) {
        self.ids_assigned = ids;
    }

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
