//! Signals, and the invoices that bill them.

use chrono::Months;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::contract::Matched;
use super::pricing::{Charge, number};
use super::refusal::{Refusal, Reply};
use super::store::{Line, LinePrice, Store, StoredSignal};
use super::table::{addressed, page, passes, text};
use crate::{JsonObject, Timestamp};

/// An invoice. It is computed whenever it is read.
struct Invoice<'a> {
    id: String,
    order: &'a JsonObject,
    start: Timestamp,
    end: Timestamp,
    currency: &'a str,
    lines: Vec<InvoiceLine<'a>>,
}

struct InvoiceLine<'a> {
    line: &'a Line,
    priced: &'a LinePrice,
    quantity: Decimal,
    amount: Decimal,
}

impl Store {
    pub(super) fn create_signals(&mut self, body: &Value) -> Value {
        let (mut ingested, mut duplicates, mut failed) = (0, 0, 0);
        for signal in body["signals"].as_array().into_iter().flatten() {
            let key = signal["idempotencyKey"].as_str();
            if key.is_some_and(|key| self.keys.contains(key)) {
                duplicates += 1;
                continue;
            }
            match self.stored(signal) {
                Some(stored) => {
                    self.signals.push(stored);
                    self.keys.extend(key.map(str::to_owned));
                    ingested += 1;
                }
                None => failed += 1,
            }
        }
        json!({"ingested": ingested, "duplicates": duplicates, "failed": failed})
    }

    /// Returns `None` if the name is empty, the customer or product does not exist, or the timestamp is invalid.
    fn stored(&mut self, signal: &Value) -> Option<StoredSignal> {
        let event_name = signal["eventName"].as_str().filter(|name| !name.is_empty())?.to_owned();
        let product = match signal.get("attribution") {
            None => None,
            Some(attribution) => {
                let by_id = attribution["productId"].as_str().and_then(|id| self.products.find("id", id));
                let by_external =
                    attribution["externalProductId"].as_str().and_then(|id| self.products.find("externalId", id));
                Some(text(by_id.or(by_external)?, "id")?.to_owned())
            }
        };
        let at = match signal["timestamp"].as_str() {
            Some(time) => time.parse().ok()?,
            None => Timestamp::now(),
        };
        let customer = self.customer_of(&signal["customer"])?;
        Some(StoredSignal { event_name, customer, product, at })
    }

    /// The customer's id. An unknown external id creates the customer.
    fn customer_of(&mut self, named: &Value) -> Option<String> {
        if let Some(id) = named["customerId"].as_str() {
            return Some(text(self.customer_named("id", id)?, "id")?.to_owned());
        }
        let external = named["externalCustomerId"].as_str().filter(|id| !id.is_empty())?;
        let customer = self.create_customer(&json!({"name": external, "externalId": external})).ok()?;
        customer["id"].as_str().map(str::to_owned)
    }

    pub(super) fn list_invoices(&self, matched: &Matched) -> Value {
        let mut plain = matched.clone();
        let external = plain.query.remove("externalCustomerId");
        let customer = external
            .map(|id| self.customer_named("externalId", &id).and_then(|row| text(row, "id")).unwrap_or_default());
        let invoices = self.invoices().map(|invoice| self.shown_invoice(&invoice));
        let rows = invoices.filter(|shown| {
            let row = shown.as_object();
            row.is_some_and(|row| passes(row, &plain))
                && customer.is_none_or(|customer| shown["customerId"] == customer)
        });
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

    /// The total of an order's invoice.
    pub(super) fn invoice_total(&self, order: &str) -> Option<Decimal> {
        let invoice = self.invoices().find(|invoice| text(invoice.order, "id") == Some(order))?;
        Some(invoice.total())
    }

    /// Queues the webhook for a new invoice.
    pub(super) fn announce_invoice(&mut self, order: &str) {
        let found = self.invoices().find(|invoice| text(invoice.order, "id") == Some(order));
        if let Some(shown) = found.map(|invoice| self.shown_invoice(&invoice)) {
            self.webhooks.send("billing-invoice-created", crate::object!({ "invoice": shown }), false);
        }
    }

    /// Marks an invoice as paid and queues the webhook. Returns true if the invoice exists.
    pub(super) fn pay_invoice(&mut self, id: &str) -> bool {
        if self.invoice(id).is_err() {
            return false;
        }
        self.paid_invoices.insert(id.to_owned());
        if let Ok(shown) = self.invoice(id).map(|invoice| self.shown_invoice(&invoice)) {
            self.webhooks.send("billing-invoice-paid", crate::object!({ "invoice": shown }), false);
        }
        true
    }

    fn invoice(&self, id: &str) -> Result<Invoice<'_>, Refusal> {
        self.invoices().find(|invoice| invoice.id == id).ok_or_else(|| Refusal::not_found("invoice", id))
    }

    /// The invoices of all active orders.
    fn invoices(&self) -> impl Iterator<Item = Invoice<'_>> {
        self.orders.rows().iter().filter_map(|order| {
            let active = text(order, "creationState") == Some("active");
            let order_id = text(order, "id").filter(|_| active)?;
            let start: Timestamp = text(order, "startDate")?.parse().ok()?;
            let end = start.checked_add_months(Months::new(1)).map(Timestamp::from)?;
            let currency = text(order, "currency")?;
            let mut invoice =
                Invoice { id: order_id.replacen("ord_", "inv_", 1), order, start, end, currency, lines: Vec::new() };
            for line in self.order_lines.get(order_id).into_iter().flatten() {
                for priced in &line.prices {
                    let quantity = self.quantity(&invoice, line, priced);
                    if let Some(point) = priced.price.point(currency) {
                        let amount = priced.price.amount(point, quantity);
                        let amount = if line.credit { -amount } else { amount };
                        invoice.lines.push(InvoiceLine { line, priced, quantity, amount });
                    }
                }
            }
            Some(invoice)
        })
    }

    fn quantity(&self, invoice: &Invoice<'_>, line: &Line, priced: &LinePrice) -> Decimal {
        let Charge::Usage { event_name } = &priced.price.charge else { return priced.quantity };
        let customer = text(invoice.order, "customerId");
        let billed = self.signals.iter().filter(|signal| {
            signal.event_name == *event_name
                && Some(signal.customer.as_str()) == customer
                && signal.product.as_deref() == Some(&line.product)
                && signal.at >= invoice.start
                && signal.at < invoice.end
        });
        Decimal::from(billed.count())
    }

    fn shown_invoice(&self, invoice: &Invoice<'_>) -> Value {
        let total = number(invoice.total());
        let zero = json!(0);
        let is_paid = self.paid_invoices.contains(&invoice.id);
        let (paid, remaining) = if is_paid { (&total, &zero) } else { (&zero, &total) };
        let field = |key: &str| invoice.order.get(key).cloned().unwrap_or_default();
        json!({
            "id": invoice.id,
            "displayNumber": invoice.id.replacen("inv_", "INV-", 1),
            "orderId": field("id"),
            "customerId": field("customerId"),
            "status": if is_paid { "posted" } else { "draft" },
            "paymentStatus": if is_paid { "paid" } else { "pending" },
            "source": "order_based",
            "startDate": invoice.start.to_string(),
            "endDate": invoice.end.to_string(),
            "issueDate": invoice.end.to_string(),
            "currency": invoice.currency,
            "taxAmount": zero,
            "taxRate": zero,
            "taxStatus": "not_applicable",
            "invoiceTotalExcludingTax": total,
            "invoiceTotal": total,
            "amountDue": remaining,
            "amountPaid": paid,
            "amountRemaining": remaining,
            "creditNotesTotal": zero,
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

    fn shown_line(&self, line: &InvoiceLine<'_>) -> Value {
        let zero = json!(0);
        json!({
            "id": format!("{}-{}", self.id, line.priced.id),
            "orderId": self.order.get("id"),
            "orderLineId": line.line.id,
            "orderLineAttributeId": line.priced.id,
            "startDate": self.start.to_string(),
            "endDate": self.end.to_string(),
            "paymentStatus": "pending",
            "quantity": number(line.quantity),
            "totalPriceBeforeTax": number(line.amount),
            "tax": zero,
            "taxRate": zero,
            "totalPriceAfterTax": number(line.amount),
            "currency": self.currency,
            "description": line.priced.price.name,
            "balanceAmount": number(line.amount),
            "creditedAmount": zero,
            "createdAt": self.order.get("createdAt"),
            "updatedAt": self.order.get("updatedAt"),
        })
    }
}
