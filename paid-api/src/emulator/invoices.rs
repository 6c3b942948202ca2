//! The invoices of orders: computed until they are posted, then kept.

mod charges;
mod paying;
pub(super) mod settled;

use chrono::{DateTime, Days, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::billing::{Charge, Schedule, Span, Term, Window, days_to_pay};
use super::contract::Matched;
use super::payments::Payments;
use super::pricing::number;
use super::refusal::{Refusal, Reply};
use super::signals::Signal;
use super::store::Store;
use super::table::{addressed, page, passes, text};
use crate::{JsonObject, Timestamp};
use settled::{Arrived, InvoiceLine, Payment, Settled};

/// An invoice of an order.
struct Invoice<'a> {
    id: String,
    order: &'a JsonObject,
    window: Window,
    lines: Vec<InvoiceLine>,
    settled: Option<&'a Settled>,
    payments: &'a Payments,
    /// When it is looked at.
    now: Timestamp,
}

/// The operations on invoices.
impl Store {
    pub(super) fn list_invoices(&self, matched: &Matched) -> Value {
        let narrowed = self.customers.narrowed(matched);
        let rows = self.invoices().map(|invoice| self.shown_invoice(&invoice));
        let rows = rows.filter(|shown| shown.as_object().is_some_and(|row| passes(row, &narrowed)));
        page(rows, matched)
    }

    pub(super) fn get_invoice(&self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        self.invoice(id).map(|invoice| self.shown_invoice(&invoice))
    }

    pub(super) fn update_invoice(&mut self, matched: &Matched, body: &Value) -> Reply {
        let (_, id) = addressed(matched);
        self.invoice(id)?;
        if let Some(metadata) = body.get("metadata") {
            self.invoice_metadata.insert(id.to_owned(), metadata.clone());
        }
        self.get_invoice(matched)
    }

    pub(super) fn list_invoice_lines(&self, matched: &Matched) -> Reply {
        let (_, id) = addressed(matched);
        let invoice = self.invoice(id)?;
        Ok(page(invoice.lines.iter().map(|line| invoice.shown_line(line)), matched))
    }
}

/// How invoices move.
impl Store {
    /// Announces the invoices of an order that were not announced yet.
    pub(super) fn announce_invoices(&mut self, order: &str) {
        let fresh: Vec<_> = self.invoices_of(order).filter(|invoice| !self.announced.contains(&invoice.id)).collect();
        let shown: Vec<_> = fresh.iter().map(|invoice| (invoice.id.clone(), self.shown_invoice(invoice))).collect();
        for (id, invoice) in shown {
            self.announced.insert(id);
            self.webhooks.send("billing-invoice-created", crate::object!({ "invoice": invoice }), false);
        }
    }

    /// Announces what began since, posts what ended, of the orders that post by themselves, and lets checkouts expire.
    pub(super) fn roll(&mut self) {
        self.expire_checkouts();
        let now = *self.clock.now();
        let is_due = |order: &str| self.rolled_until.get(order).is_none_or(|until| *until <= now);
        let active = self.orders.rows().iter().filter(|row| text(row, "creationState") == Some("active"));
        let ids = active.filter_map(|row| text(row, "id")).filter(|id| is_due(id));
        for order in ids.map(str::to_owned).collect::<Vec<_>>() {
            self.note_rolled(&order);
            self.announce_invoices(&order);
            let ended = self.invoices_of(&order).filter(|invoice| {
                invoice.window.end <= now && invoice.order.get("autoPostInvoices") == Some(&Value::Bool(true))
            });
            for id in ended.map(|invoice| invoice.id).collect::<Vec<_>>() {
                self.post_invoice(&id);
            }
        }
    }

    /// Notes until when nothing of an order begins or ends: until its latest window does, or the order begins.
    fn note_rolled(&mut self, order: &str) {
        let Some(span) = self.order_span(order) else { return };
        let latest = self.schedule_of(order).and_then(|schedule| schedule.windows.last().map(|window| window.end));
        let has_ended = span.end.is_some_and(|end| end <= *self.clock.now());
        let next = if has_ended { DateTime::<Utc>::MAX_UTC } else { latest.unwrap_or(span.start) };
        self.rolled_until.insert(order.to_owned(), next);
    }

    /// Posts the latest invoice of an order whose period ended.
    pub(super) fn post_latest_elapsed(&mut self, order: &str) {
        let now = *self.clock.now();
        let latest = self.invoices_of(order).filter(|invoice| invoice.window.end <= now).last();
        if let Some(id) = latest.map(|invoice| invoice.id) {
            self.post_invoice(&id);
        }
    }

    /// Posts a draft and queues the webhook. Returns true if there was a draft with this id.
    pub(super) fn post_invoice(&mut self, id: &str) -> bool {
        let Ok(invoice) = self.invoice(id) else { return false };
        if invoice.settled.is_some() {
            return false;
        }
        let lines = invoice.lines.clone();
        let arrived = Arrived {
            signals: self.signals.len(),
            costs: self.costs.len(),
            overages: self.credits.ledger.overages.len(),
            adjustments: self.adjustments.len(),
        };
        let settled = Settled { lines, posted: self.clock.now(), arrived, payment: Payment::Open, paid: None };
        self.settled.insert(id.to_owned(), settled);
        self.credits_due = None;
        self.invoice_event("billing-invoice-posted", id);
        true
    }

    /// The first invoice of an order, if there is something to pay on it.
    pub(super) fn first_due_invoice(&self, order: &str) -> Option<String> {
        self.invoices_of(order).next().filter(|invoice| invoice.left() > Decimal::ZERO).map(|invoice| invoice.id)
    }

    fn invoice_event(&mut self, event: &str, id: &str) {
        if let Ok(shown) = self.invoice(id).map(|invoice| self.shown_invoice(&invoice)) {
            self.webhooks.send(event, crate::object!({ "invoice": shown }), false);
        }
    }

    /// The totals of an order's invoices: of those that are posted, and of the drafts.
    pub(super) fn billed_and_pending(&self, order: &str) -> (Decimal, Decimal) {
        self.invoices_of(order).fold(Default::default(), |(billed, pending), invoice| match invoice.settled {
            Some(_) => (billed + invoice.total(), pending),
            None => (billed, pending + invoice.total()),
        })
    }

    /// Returns true if an invoice of this order was posted.
    pub(super) fn has_posted(&self, order: &str) -> bool {
        self.invoices_of(order).any(|invoice| invoice.settled.is_some())
    }
}

/// How invoices are computed.
impl Store {
    /// All invoices, as the API shows them.
    pub(super) fn shown_invoices(&self) -> Vec<Value> {
        self.invoices().map(|invoice| self.shown_invoice(&invoice)).collect()
    }

    /// The time of an order.
    pub(super) fn order_span(&self, order: &str) -> Option<Span> {
        self.orders.find("id", order).and_then(term).map(|term| term.span)
    }

    /// The periods of an order, and its invoices' windows.
    pub(super) fn schedule_of(&self, order: &str) -> Option<Schedule> {
        let term = self.orders.find("id", order).and_then(term)?;
        let prices = self.order_lines.get(order)?.iter().flat_map(|line| &line.prices);
        let timings: Vec<_> = prices.map(|priced| priced.price.timing()).collect();
        Schedule::new(term, &timings, *self.clock.now())
    }

    /// When the invoice of a window was posted, and paid; `None` if it is a draft.
    pub(super) fn posted_and_paid(&self, order: &str, window: usize) -> Option<(DateTime<Utc>, Option<DateTime<Utc>>)> {
        let settled = self.settled.get(&invoice_id(order, window))?;
        Some((*settled.posted, settled.paid.map(|paid| *paid)))
    }

    /// The last invoice that an order will have, if it is posted.
    pub(super) fn last_posted(&self, order: &str) -> Option<&Settled> {
        let end = self.order_span(order)?.end?;
        let windows = self.schedule_of(order)?.windows;
        let last =
            windows.len().checked_sub(1).filter(|last| windows.get(*last).is_some_and(|last| end <= last.end))?;
        self.settled.get(&invoice_id(order, last))
    }

    /// Returns true if a signal came when every invoice was posted that the order will have.
    pub(super) fn came_after_the_last(&self, signal: &Signal<'_>, order: &str) -> bool {
        self.last_posted(order).is_some_and(|last| signal.index >= last.arrived.signals)
    }

    fn invoice(&self, id: &str) -> Result<Invoice<'_>, Refusal> {
        let order = id.split('-').next().unwrap_or_default().replacen("inv_", "ord_", 1);
        self.invoices_of(&order).find(|invoice| invoice.id == id).ok_or_else(|| Refusal::not_found("invoice", id))
    }

    fn invoices(&self) -> impl Iterator<Item = Invoice<'_>> {
        self.orders.rows().iter().flat_map(|order| self.of_order(order).unwrap_or_default())
    }

    fn invoices_of(&self, order: &str) -> impl Iterator<Item = Invoice<'_>> + use<'_> {
        self.orders.find("id", order).and_then(|order| self.of_order(order)).unwrap_or_default().into_iter()
    }

    /// `None` if the order is not active.
    fn of_order<'a>(&'a self, order: &'a JsonObject) -> Option<Vec<Invoice<'a>>> {
        let id = text(order, "id").filter(|_| text(order, "creationState") == Some("active"))?;
        let currency = text(order, "currency")?;
        let lines = self.order_lines.get(id)?;
        let prices: Vec<_> =
            lines.iter().flat_map(|line| line.prices.iter().map(move |priced| (line, priced))).collect();
        let term = term(order)?;
        let schedule = self.schedule_of(id)?;
        let mut invoices: Vec<_> = schedule
            .windows
            .iter()
            .enumerate()
            .map(|(index, window)| {
                let id = invoice_id(id, index);
                Invoice {
                    settled: self.settled.get(&id),
                    payments: &self.payments,
                    id,
                    order,
                    window: *window,
                    lines: Vec::new(),
                    now: self.clock.now(),
                }
            })
            .collect();
        // A part of the total is the last that is known.
        let (parts, others): (Vec<_>, Vec<_>) =
            prices.into_iter().partition(|(_, priced)| priced.price.charge == Charge::PartOfTotal);
        let totals_at = others.len();
        let mut totals = Vec::new();
        for (index, (line, priced)) in others.into_iter().chain(parts).enumerate() {
            let Some(point) = priced.price.point(currency) else { continue };
            if index >= totals_at && totals.is_empty() {
                totals = invoices.iter().map(Invoice::total).collect();
            }
            for (at, share, quantity) in self.charges(&invoices, &schedule, term.span, line, priced) {
                let quantity = if index >= totals_at { totals[at] } else { quantity };
                let amount = priced.price.amount(point, quantity, share);
                invoices[at].lines.push(InvoiceLine {
                    order_line: line.id.clone(),
                    attribute: priced.id.clone(),
                    name: priced.price.name.clone(),
                    quantity: priced.price.shown_quantity(quantity),
                    amount: if line.credit { -amount } else { amount },
                });
            }
        }
        self.add_adjustments(id, &mut invoices);
        for invoice in &mut invoices {
            if let Some(settled) = invoice.settled {
                invoice.lines.clone_from(&settled.lines);
            }
        }
        Some(invoices)
    }

    fn shown_invoice(&self, invoice: &Invoice<'_>) -> Value {
        let total = invoice.total();
        let (paid, left) = (invoice.paid(), invoice.left());
        let field = |key: &str| invoice.order.get(key).cloned().unwrap_or_default();
        json!({
            "id": invoice.id,
            "displayNumber": invoice.id.replacen("inv_", "INV-", 1),
            "orderId": field("id"),
            "customerId": invoice.customer(),
            "status": if invoice.settled.is_some() { "posted" } else { "draft" },
            "paymentStatus": invoice.payment_status(),
            "source": "order_based",
            "startDate": shown_time(invoice.window.start),
            "endDate": shown_time(invoice.window.end),
            "issueDate": shown_time(invoice.issued()),
            "dueDate": invoice.due().map(shown_time),
            "postedDate": invoice.settled.map(|settled| settled.posted.to_string()),
            "currency": field("currency"),
            "taxAmount": 0,
            "taxRate": 0,
            "taxStatus": "not_applicable",
            "invoiceTotalExcludingTax": number(total),
            "invoiceTotal": number(total),
            "amountDue": number(left),
            "amountPaid": number(paid),
            "amountRemaining": number(left),
            "creditNotesTotal": 0,
            "metadata": self.invoice_metadata.get(&invoice.id).cloned().unwrap_or_default(),
            "createdAt": field("createdAt"),
            "updatedAt": field("updatedAt"),
            "taxExempt": false,
            "purchaseOrderReference": field("purchaseOrderReference"),
        })
    }
}

impl Invoice<'_> {
    fn total(&self) -> Decimal {
        self.lines.iter().map(|line| line.amount).sum()
    }

    /// Who pays it.
    fn customer(&self) -> &str {
        let of = |key: &str| text(self.order, key);
        of("billingCustomerId").or_else(|| of("customerId")).unwrap_or_default()
    }

    /// What is paid of it.
    fn paid(&self) -> Decimal {
        self.payments.paid_of(&self.id)
    }

    /// What is still to be paid. Nothing is, once it is marked as paid.
    fn left(&self) -> Decimal {
        match self.settled.map(|settled| settled.payment) {
            Some(Payment::Paid) => Decimal::ZERO,
            _ => self.total() - self.paid(),
        }
    }

    fn issued(&self) -> DateTime<Utc> {
        self.settled.map_or(self.window.end, |settled| self.window.end.min(*settled.posted))
    }

    fn due(&self) -> Option<DateTime<Utc>> {
        let days = text(self.order, "paymentTerms").and_then(days_to_pay)?;
        self.issued().checked_add_days(Days::new(days))
    }

    fn payment_status(&self) -> &'static str {
        match self.settled.map(|settled| settled.payment) {
            Some(Payment::Paid) => "paid",
            Some(Payment::Failed) => "error",
            Some(Payment::Open) if self.paid() > Decimal::ZERO => "partiallyPaid",
            Some(Payment::Open) if self.due().is_some_and(|due| due < *self.now) => "overdue",
            _ => "pending",
        }
    }

    /// The id of one of its lines.
    fn line_id(&self, line: &InvoiceLine) -> String {
        format!("{}-{}", self.id, line.attribute)
    }

    /// What of a line is still to be paid.
    fn left_of(&self, line: &InvoiceLine) -> Decimal {
        match self.payment_status() {
            "paid" => Decimal::ZERO,
            _ => line.amount - self.payments.paid_of_line(&self.id, &self.line_id(line)),
        }
    }

    fn shown_line(&self, line: &InvoiceLine) -> Value {
        let left = self.left_of(line);
        let status = match self.payment_status() {
            "partiallyPaid" if left == line.amount => "pending",
            "partiallyPaid" if left.is_zero() => "paid",
            of_invoice => of_invoice,
        };
        json!({
            "id": self.line_id(line),
            "orderId": self.order.get("id"),
            "orderLineId": line.order_line,
            "orderLineAttributeId": line.attribute,
            "startDate": shown_time(self.window.start),
            "endDate": shown_time(self.window.end),
            "paymentStatus": status,
            "quantity": number(line.quantity),
            "totalPriceBeforeTax": number(line.amount),
            "tax": 0,
            "taxRate": 0,
            "totalPriceAfterTax": number(line.amount),
            "currency": self.order.get("currency"),
            "description": line.name,
            "balanceAmount": number(left),
            "creditedAmount": 0,
            "createdAt": self.order.get("createdAt"),
            "updatedAt": self.order.get("updatedAt"),
        })
    }
}

/// The id of the invoice of a window of an order.
fn invoice_id(order: &str, window: usize) -> String {
    let base = order.replacen("ord_", "inv_", 1);
    if window == 0 { base } else { format!("{base}-{}", window + 1) }
}

fn shown_time(time: DateTime<Utc>) -> String {
    Timestamp::from(time).to_string()
}

fn term(order: &JsonObject) -> Option<Term> {
    let time = |key: &str| text(order, key)?.parse::<Timestamp>().ok().map(|time| *time);
    let anchor = order.get("billingAnchor").and_then(Value::as_u64).and_then(|day| u32::try_from(day).ok());
    Some(Term { span: Span { start: time("startDate")?, end: time("endDate") }, anchor })
}
