//! What bills the signals that Paid has: credit transactions and lines of invoices.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use paid_catalog::Setting;
use rust_decimal::Decimal;
use serde_json::Value;

use super::amounts::{decimal, plain, shown, to_major};
use super::error::AccountError;
use super::prices::in_full;
use super::reconcile::fingerprint::{Fingerprint, of_reference};
use super::reconcile::{Counted, Reconciliation};
use super::remote::{each, list, text};
use super::unbilled::{Books, Question, Reason, reason, time};
use crate::Timestamp;

/// How far Paid's clock may be from that of the program.
const SLACK: chrono::TimeDelta = chrono::TimeDelta::minutes(10);

/// What bills the signals of one customer, product and name.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Billed {
    /// Which signals.
    pub of: Counted,
    /// How many of them Paid has.
    pub signals: u64,
    /// How many of them have a credit transaction.
    pub spent: u64,
    /// How many wait for a grant of credits that covers them, at most: Paid tells their event and not their product, and a signal that
    /// was covered in part is among both.
    pub waiting: u64,
    /// How many credits their transactions spent, as exact decimals, by the key of the credit currency.
    pub credits: BTreeMap<String, String>,
    /// The lines of the customer's invoices for the product in the time that was compared. The lines do not name their event: a
    /// product with several prices has several lines a period.
    pub lines: Vec<InvoiceLine>,
    /// Why nothing bills them, or nothing bills some; empty if nothing speaks against them.
    pub reasons: Vec<Reason>,
}

impl Billed {
    fn new(of: &Counted, signals: u64, reasons: Vec<Reason>) -> Self {
        Self { of: of.clone(), signals, spent: 0, waiting: 0, credits: BTreeMap::new(), lines: Vec::new(), reasons }
    }

    /// Whether a line of an invoice has units.
    fn has_units(&self) -> bool {
        self.lines.iter().any(|line| line.quantity != "0")
    }

    /// How many of the signals are counted and not priced.
    pub fn unpriced(&self) -> u64 {
        if self.reasons.is_empty() { 0 } else { self.signals.saturating_sub(self.spent + self.waiting) }
    }
}

/// What an invoice bills in one line: for which order and when.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvoiceLine {
    /// Paid's id of the invoice.
    pub invoice: String,
    /// The status of the invoice, such as `draft` or `posted`.
    pub status: String,
    /// What the line says.
    pub description: String,
    /// When its period begins.
    pub from: Timestamp,
    /// When its period ends.
    pub to: Timestamp,
    /// How many units.
    pub quantity: String,
    /// The price before tax, in the currency's major unit (`1.50` is a dollar and a half).
    pub total: String,
    /// The ISO 4217 code of the currency.
    pub currency: String,
}

/// What bills the signals that a comparison found: it reads the credit transactions of the time, and the orders and invoices of each
/// customer.
///
/// # Errors
///
/// If a request fails, or an answer cannot be read.
pub async fn billed(client: &crate::Client, reconciliation: &Reconciliation) -> Result<Vec<Billed>, AccountError> {
    let mut books = Books::open(client).await?;
    let mut all = Vec::new();
    // A program may name a customer or a product by its own id here and by Paid's there: its signals are counted together.
    let mut places: HashMap<[String; 3], usize> = HashMap::new();
    let mut place_of: BTreeMap<&Counted, usize> = BTreeMap::new();
    for (of, tally) in reconciliation.tallies.iter().filter(|(_, tally)| tally.matched + tally.extra > 0) {
        let product = Some(of.product.clone()).filter(|product| !product.is_empty());
        let mut reasons = books.why(&Question::new(&of.name, &of.customer, product)).await?;
        // They happened some time ago: an order may have begun or ended since.
        reasons.retain(|reason| !matches!(reason.rule, "before_the_order" | "after_the_order"));
        let signals = tally.matched + tally.extra;
        let place = *places.entry(books.known_as(of)).or_insert(all.len());
        place_of.insert(of, place);
        match all.get_mut(place) {
            Some(Billed { signals: known, .. }) => *known += signals,
            None => all.push(Billed::new(of, signals, reasons)),
        }
    }
    let places = reconciliation.kinds.iter().map(|of| place_of.get(of).copied()).collect();
    for (place, spending) in Spent::read(client, reconciliation, places).await?.by_place {
        if let Some(billed) = all.get_mut(place) {
            spending.add_to(billed);
        }
    }
    let mut invoices: HashMap<String, Invoices> = HashMap::new();
    for billed in &mut all {
        let Some(id) = books.customer(&billed.of.customer).map(str::to_owned) else { continue };
        if !invoices.contains_key(&id) {
            invoices.insert(id.clone(), Invoices::read(&books, reconciliation, &id).await?);
        }
        if let Some(invoices) = invoices.get(&id) {
            invoices.add_to(billed, &books);
        }
    }
    for billed in &mut all {
        if billed.spent > 0 || billed.has_units() {
            // What the account sells now says nothing about signals that were billed.
            billed.reasons.retain(|reason| !matches!(reason.rule, "inactive_product" | "inactive_price"));
        }
        let missing = evidence(&books, reconciliation, billed);
        billed.reasons.extend(missing);
    }
    Ok(all)
}

/// What the transactions and lines say against signals that have a price.
fn evidence(books: &Books<'_>, reconciliation: &Reconciliation, billed: &Billed) -> Option<Reason> {
    let Billed { of, signals, spent, waiting, .. } = billed;
    if !billed.reasons.is_empty() {
        return None;
    }
    match charge(books, of)? {
        // An order keeps the price of its time: with units on invoices, it may charge in money.
        Charge::Credits if spent + waiting < *signals && (*spent > 0 || !billed.has_units()) => {
            let problem = format!(
                "{} of {signals} have no credit transaction, and do not wait for one, although the price of {} is in credits",
                signals - spent - waiting,
                of.name
            );
            let fix =
                "run it again if they arrived a moment ago; compare their times with the start of the order; ask Paid";
            Some(reason("not_spent", problem, fix))
        }
        Charge::Money => {
            let (from, to) = reconciliation.from.zip(reconciliation.to)?;
            let covers = billed.lines.iter().any(|line| line.from <= from && line.to >= to);
            let fix = "compare the event name of the order's price with that of the signals, to the letter";
            (covers && !billed.has_units()).then(|| {
                let problem = format!("the lines of product {} on the invoices of this time have 0 units", of.product);
                reason("not_invoiced", problem, fix)
            })
        }
        Charge::Credits | Charge::Either => None,
    }
}

/// How the prices of an event charge.
#[derive(Clone, Copy, PartialEq)]
enum Charge {
    /// Each signal spends credits.
    Credits,
    /// On invoices.
    Money,
    /// In credits as far as they go, or the account's prices disagree.
    Either,
}

fn charge(books: &Books<'_>, of: &Counted) -> Option<Charge> {
    let product = books.product(&of.product)?;
    let prices = product.prices.iter().filter(|price| price.price.event_name.as_deref() == Some(&of.name));
    let charges = prices.map(|price| {
        let settings = in_full(&price.price);
        let costs = matches!(settings.get("credit_cost"), Some(Setting::Decimal(cost)) if cost != "0");
        match (costs, settings.contains_key("credit_unit_brackets"), settings.contains_key("overage_unit_price")) {
            (true, false, false) => Charge::Credits,
            (false, false, _) => Charge::Money,
            _ => Charge::Either,
        }
    });
    charges.reduce(|one, other| if one == other { one } else { Charge::Either })
}

/// What signals spent. A transaction names its signal, so it is known whose it is, whatever became of the customer since.
struct Spent {
    /// By the place among what is billed.
    by_place: BTreeMap<usize, Spending>,
    /// That place for each kind of signals in the reconciliation.
    places: Vec<Option<usize>>,
    /// A transaction on two pages is one.
    seen: HashSet<Fingerprint>,
}

/// Transactions that spend credits for signals that are billed together.
#[derive(Default)]
struct Spending {
    signals: HashSet<Fingerprint>,
    credits: BTreeMap<String, Decimal>,
}

impl Spent {
    async fn read(
        client: &crate::Client,
        reconciliation: &Reconciliation,
        places: Vec<Option<usize>>,
    ) -> Result<Self, AccountError> {
        let path = "/credits/transactions";
        let from = reconciliation.from.map(|from| Timestamp::from(*from - SLACK).to_string());
        let mut query = vec![("type", "spend")];
        query.extend(from.as_deref().map(|from| ("createdAtFrom", from)));
        let mut spent = Self { by_place: BTreeMap::new(), places, seen: HashSet::new() };
        let mut problem = None;
        each(client, path, &query, |transaction| {
            problem = problem.take().or(spent.take(&transaction, reconciliation).err());
        })
        .await?;
        problem.map_or(Ok(spent), Err)
    }

    fn take(&mut self, transaction: &Value, reconciliation: &Reconciliation) -> Result<(), AccountError> {
        // Without a signal, it was spent by hand or by a seat.
        let Some(signal) = transaction["signalId"].as_str().map(of_reference) else { return Ok(()) };
        let kind = reconciliation.counted.get(&signal).and_then(|kind| self.places.get(*kind as usize));
        let Some(at) = kind.copied().flatten() else { return Ok(()) };
        let place = "/credits/transactions";
        if !self.seen.insert(of_reference(&text(transaction, "id", place)?)) {
            return Ok(());
        }
        let amount = text(transaction, "amount", place)?;
        let amount = Decimal::from_str_exact(&amount)
            .map_err(|_| AccountError::unreadable(place, format!("{amount:?} is no amount")))?;
        let currency = text(&transaction["creditCurrency"], "key", place)?;
        let spending = self.by_place.entry(at).or_default();
        spending.signals.insert(signal);
        let sum = spending.credits.entry(currency).or_default();
        *sum = sum
            .checked_add(amount.abs())
            .ok_or_else(|| AccountError::unreadable(place, "the sum of the amounts has too many digits"))?;
        Ok(())
    }
}

impl Spending {
    fn add_to(self, billed: &mut Billed) {
        billed.spent = (self.signals.len() as u64).min(billed.signals);
        billed.credits = self.credits.into_iter().map(|(currency, sum)| (currency, plain(sum))).collect();
    }
}

/// What a customer was invoiced in the time that was compared.
#[derive(Default)]
struct Invoices {
    /// Lines, with Paid's id of the line of the order.
    lines: Vec<(String, InvoiceLine)>,
    /// The signals that wait for credits: their events and orders.
    waiting: Vec<(String, Option<String>)>,
}

impl Invoices {
    async fn read(books: &Books<'_>, reconciliation: &Reconciliation, customer: &str) -> Result<Self, AccountError> {
        let client = books.client;
        let mut read = Self::default();
        let mut seen = BTreeSet::new();
        for invoice in list(client, "/invoices/", &[("customerId", customer)]).await? {
            let status = text(&invoice, "status", "an invoice")?;
            let id = text(&invoice, "id", "an invoice")?;
            if matches!(status.as_str(), "voided" | "canceled") || !seen.insert(id.clone()) {
                continue;
            }
            for line in list(client, &format!("/invoices/{id}/lines"), &[]).await? {
                let (of, line) = one(&line, &id, &status)?;
                let is_before = reconciliation.from.is_some_and(|from| line.to <= from);
                let is_after = reconciliation.to.is_some_and(|to| line.from >= to);
                if !is_before && !is_after {
                    read.lines.push((of, line));
                }
            }
        }
        let path = format!("/customers/{customer}/credits/pending-consumption");
        for waiting in list(client, &path, &[]).await? {
            let at = time(&waiting["recordedAt"]);
            let at = at.ok_or_else(|| AccountError::unreadable(&path, "`recordedAt` is missing or no time"))?;
            let is_before = reconciliation.from.is_some_and(|from| *at < *from - SLACK);
            let is_after = reconciliation.to.is_some_and(|to| *at >= *to + SLACK);
            if let Some(event) = waiting["eventName"].as_str().filter(|_| !is_before && !is_after) {
                read.waiting.push((event.to_owned(), waiting["orderId"].as_str().map(str::to_owned)));
            }
        }
        read.lines.sort_by(|(_, one), (_, other)| {
            one.from.cmp(&other.from).then_with(|| one.description.cmp(&other.description))
        });
        Ok(read)
    }
}

impl Invoices {
    fn add_to(&self, billed: &mut Billed, books: &Books<'_>) {
        let lines = books.order_lines(&billed.of.customer, &billed.of.product);
        let of_product = self.lines.iter().filter(|(line, _)| lines.contains(line.as_str()));
        billed.lines = of_product.map(|(_, line)| line.clone()).collect();
        let orders = books.orders_of(&billed.of.customer, &billed.of.product);
        let is_of = |(event, order): &&(String, Option<String>)| {
            *event == billed.of.name && order.as_deref().is_none_or(|order| orders.contains(order))
        };
        let waiting = self.waiting.iter().filter(is_of).count() as u64;
        billed.waiting = waiting.min(billed.signals - billed.spent);
    }
}

/// The line, and Paid's id of the line of the order; empty if it belongs to none.
fn one(line: &Value, invoice: &str, status: &str) -> Result<(String, InvoiceLine), AccountError> {
    let place = format!("a line of invoice {invoice}");
    let missing = |key: &str| AccountError::unreadable(&place, format!("`{key}` is missing or cannot be read"));
    let number = |key: &str| line[key].as_number().and_then(decimal).ok_or_else(|| missing(key));
    let when = |key: &str| time(&line[key]).ok_or_else(|| missing(key));
    let currency = text(line, "currency", &place)?;
    let total = to_major(number("totalPriceBeforeTax")?, &currency);
    let total = total.map_err(|problem| AccountError::unreadable(&place, problem))?;
    let read = InvoiceLine {
        invoice: invoice.to_owned(),
        status: status.to_owned(),
        description: text(line, "description", &place)?,
        from: when("startDate")?,
        to: when("endDate")?,
        quantity: plain(number("quantity")?),
        total: shown(&total, &currency),
        currency,
    };
    Ok((line["orderLineId"].as_str().unwrap_or_default().to_owned(), read))
}
