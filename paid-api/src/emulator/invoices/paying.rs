//! How invoices are paid: by a charge of the whole rest, or by allocations of a payment to lines.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::numbers::amount;
use super::super::payments::{Charge, Share};
use super::super::refusal::{Refusal, Reply};
use super::super::store::Store;
use super::super::table::text;
use super::Invoice;
use super::settled::{InvoiceLine, Payment};

impl Store {
    /// Pays all that is left of an invoice, posts it if it is a draft, and queues the webhooks. Returns true if it was not paid
    /// yet.
    pub(in crate::emulator) fn pay_invoice(&mut self, id: &str) -> bool {
        self.post_invoice(id);
        if self.payment_of(id).is_none_or(|payment| payment == Payment::Paid) {
            return false;
        }
        if let Some(payment) = self.charge_for(id, "posted") {
            let shares = self.invoice(id).map(|invoice| invoice.shares_of_all()).unwrap_or_default();
            // The payment was made for exactly these shares.
            let _ = self.allocate(&payment, &shares);
            self.payment_event("billing-payment-succeeded", &payment);
        }
        self.mark_paid(id);
        true
    }

    /// Lets the payment of an invoice fail and queues the webhook. Returns true if it was not paid yet.
    pub(in crate::emulator) fn fail_payment(&mut self, id: &str) -> bool {
        self.post_invoice(id);
        if self.payment_of(id).is_none_or(|payment| payment == Payment::Paid) {
            return false;
        }
        self.set_payment(id, Payment::Failed);
        if let Some(payment) = self.charge_for(id, "failed") {
            self.payment_event("billing-payment-failed", &payment);
        }
        true
    }

    /// Allocates a payment to lines of posted invoices: all of the request or none.
    pub(in crate::emulator) fn create_payment_allocation(&mut self, body: &Value) -> Reply {
        let payment = self.payments.allocatable(body)?;
        let customer = text(&payment, "customerId").unwrap_or_default();
        let currency = text(&payment, "currency").unwrap_or_default();
        let mut shares = Vec::new();
        for (index, wanted) in body["allocations"].as_array().into_iter().flatten().enumerate() {
            let place = format!("body.allocations.{index}");
            shares.push(self.share(wanted, customer, currency, &shares, &place)?);
        }
        if shares.is_empty() {
            return Err(Refusal::invalid("body.allocations", "allocates nothing"));
        }
        let id = text(&payment, "id").unwrap_or_default();
        let made = self.allocate(id, &shares);
        let time = self.clock.shown();
        let invoices: BTreeSet<_> = shares.iter().map(|share| share.invoice.clone()).collect();
        let orders: BTreeMap<_, _> = invoices.iter().map(|id| (id.clone(), self.order_of_invoice(id))).collect();
        self.payments.note_invoice(id, |invoice| orders.get(invoice).cloned().unwrap_or_default(), &time);
        for invoice in invoices {
            self.set_payment(&invoice, Payment::Open);
            if self.invoice(&invoice).is_ok_and(|invoice| invoice.left() <= Decimal::ZERO) {
                self.mark_paid(&invoice);
            }
        }
        made
    }

    fn allocate(&mut self, payment: &str, shares: &[Share]) -> Reply {
        let ids: Vec<_> = shares.iter().map(|_| self.id("pal")).collect();
        self.payments.allocate(payment, shares, ids, &self.clock.shown())
    }

    /// What a request allocates to a line, after what it allocates before.
    fn share(
        &self,
        wanted: &Value,
        customer: &str,
        currency: &str,
        before: &[Share],
        place: &str,
    ) -> Result<Share, Refusal> {
        let at_line = format!("{place}.invoiceLineId");
        let (invoice, line) = self.invoice_line(wanted["invoiceLineId"].as_str().unwrap_or_default(), &at_line)?;
        if invoice.settled.is_none() {
            return Err(Refusal::invalid(&at_line, "the invoice is a draft; post it first"));
        }
        if invoice.customer() != customer {
            return Err(Refusal::invalid(&at_line, "the invoice is another customer's than the payment"));
        }
        let of_invoice = text(invoice.order, "currency").unwrap_or_default();
        let given = wanted["currency"].as_str().unwrap_or(currency);
        for other in [given, of_invoice] {
            if !other.eq_ignore_ascii_case(currency) {
                let error = format!("the payment is in {currency}, not in {other}");
                return Err(Refusal::invalid(&format!("{place}.currency"), error));
            }
        }
        let share = Share {
            amount: amount(&wanted["amount"]).unwrap_or_default(),
            line: invoice.line_id(&line),
            invoice: invoice.id.clone(),
        };
        let taken = |is_same: &dyn Fn(&Share) -> bool| -> Decimal {
            before.iter().filter(|other| is_same(other)).map(|other| other.amount).sum()
        };
        let left_of_line = invoice.left_of(&line) - taken(&|other| other.line == share.line);
        let left = left_of_line.min(invoice.left() - taken(&|other| other.invoice == share.invoice));
        if share.amount > left {
            let error = format!("the line has {} left to pay", left.max(Decimal::ZERO).normalize());
            return Err(Refusal::invalid(&format!("{place}.amount"), error));
        }
        Ok(share)
    }

    /// A line by its id, with its invoice.
    fn invoice_line(&self, id: &str, place: &str) -> Result<(Invoice<'_>, InvoiceLine), Refusal> {
        let order = id.split('-').next().unwrap_or_default().replacen("inv_", "ord_", 1);
        let found = self.invoices_of(&order).find_map(|invoice| {
            let line = invoice.lines.iter().find(|line| invoice.line_id(line) == id).cloned()?;
            Some((invoice, line))
        });
        found.ok_or_else(|| Refusal::not_found("invoice line", id).at(place))
    }

    fn order_of_invoice(&self, id: &str) -> Value {
        self.invoice(id).ok().and_then(|invoice| invoice.order.get("id").cloned()).unwrap_or_default()
    }

    fn payment_of(&self, id: &str) -> Option<Payment> {
        self.settled.get(id).map(|settled| settled.payment)
    }

    fn set_payment(&mut self, id: &str, payment: Payment) {
        let now = self.clock.now();
        self.credits_due = None;
        if let Some(settled) = self.settled.get_mut(id) {
            settled.payment = payment;
            settled.paid = (payment == Payment::Paid).then_some(now);
        }
    }

    /// Nothing of the invoice is left to pay.
    fn mark_paid(&mut self, id: &str) {
        self.set_payment(id, Payment::Paid);
        self.invoice_event("billing-invoice-paid", id);
    }

    /// A payment of all that is left of an invoice, if anything is. It is not allocated yet.
    fn charge_for(&mut self, id: &str, status: &'static str) -> Option<String> {
        let payment = self.id("pay");
        let time = self.clock.shown();
        let invoice = self.invoice(id).ok().filter(|invoice| invoice.left() > Decimal::ZERO)?;
        let order = text(invoice.order, "id").unwrap_or_default().to_owned();
        let currency = text(invoice.order, "currency").unwrap_or_default().to_owned();
        let (customer, amount) = (invoice.customer().to_owned(), invoice.left());
        let charge = Charge { customer: &customer, invoice: id, order: &order, amount, currency: &currency, status };
        self.payments.charge(&charge, payment.clone(), &time);
        Some(payment)
    }

    pub(in crate::emulator) fn payment_event(&mut self, event: &str, payment: &str) {
        let data = self.payments.event_data(payment);
        self.webhooks.send(event, data, false);
    }

    /// Posts a draft payment, or lets it fail, and queues the webhook. Returns true if it was a draft.
    pub(in crate::emulator) fn end_draft_payment(&mut self, id: &str, status: &str) -> bool {
        let time = self.clock.shown();
        let is_done = self.payments.end_draft(id, status, &time);
        if is_done {
            let event = if status == "posted" { "billing-payment-succeeded" } else { "billing-payment-failed" };
            self.payment_event(event, id);
        }
        is_done
    }

    /// Records a payment that somebody received, and queues the webhook.
    pub(in crate::emulator) fn create_payment(&mut self, body: &Value) -> Reply {
        let (id, time) = (self.id("pay"), self.clock.shown());
        let made = self.payments.create(body, &self.customers, id.clone(), &time)?;
        if made["status"] == json!("posted") {
            self.payment_event("billing-payment-succeeded", &id);
        }
        Ok(made)
    }
}

impl Invoice<'_> {
    /// All that is left, line by line.
    fn shares_of_all(&self) -> Vec<Share> {
        let mut left = self.left();
        let mut shares = Vec::new();
        for line in &self.lines {
            let amount = self.left_of(line).min(left);
            if amount > Decimal::ZERO {
                left -= amount;
                shares.push(Share { invoice: self.id.clone(), line: self.line_id(line), amount });
            }
        }
        shares
    }
}
