//! What people look at: the latest of everything, with what each signal was billed as, or why it was not.

use std::collections::BTreeMap;

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::signals::Signal;
use super::store::Store;
use super::table::text;
use super::verdicts::SignalOutcome;
use crate::JsonObject;

/// At most so many of each are shown.
const SHOWN: usize = 100;

impl Store {
    /// Everything that the page shows, but for what is outside the account.
    pub(super) fn overview(&self) -> Value {
        let invoices = self.shown_invoices();
        json!({
            "now": self.clock.shown(),
            "counts": {
                "signals": self.signals.len(),
                "failed": self.failed_count,
                "customers": self.customers.rows().len(),
                "products": self.products.rows().len(),
                "orders": self.orders.rows().len(),
                "costs": self.costs.len(),
            },
            "signals": self.latest_signals(),
            "orders": self.orders.rows().iter().rev().take(SHOWN).map(|order| self.seen_order(order)).collect::<Value>(),
            "margins": self.margins(&invoices),
            "invoices": invoices.iter().rev().take(SHOWN).map(|invoice| self.seen_invoice(invoice)).collect::<Value>(),
            "credits": self.seen_credits(),
            "caps": self.seen_caps(),
            "webhooks": self.webhooks.log(),
        })
    }

    /// The latest signals, and those that were not accepted.
    fn latest_signals(&self) -> Value {
        let failed = self.failed_signals.iter().rev().take(SHOWN / 10).map(|failed| {
            json!({ "at": "", "event": failed.event_name, "customer": "", "product": "", "isBilled": false,
                "says": format!("failed: {}", failed.problem) })
        });
        let accepted = self.signals.iter().rev().map(|signal| self.seen_signal(&signal));
        failed.chain(accepted).take(SHOWN).collect()
    }

    fn seen_signal(&self, signal: &Signal<'_>) -> Value {
        let (is_billed, says) = match self.outcome(signal) {
            SignalOutcome::Billed { order_id, price, in_credits: true } => {
                (true, format!("{price} in credits, in {order_id}"))
            }
            SignalOutcome::Billed { order_id, price, .. } => (true, format!("{price}, in {order_id}")),
            SignalOutcome::NotBilled(reason) => (false, reason),
        };
        json!({
            "at": signal.at.to_string(),
            "event": signal.event_name,
            "customer": named(self.customers.find("id", signal.customer)),
            "product": named(self.products.find("id", signal.product)),
            "isBilled": is_billed,
            "says": says,
        })
    }

    fn seen_order(&self, order: &JsonObject) -> Value {
        let customer = text(order, "customerId").and_then(|id| self.customers.find("id", id));
        json!({ "id": order.get("id"), "customer": named(customer), "state": self.state_of(order) })
    }

    fn seen_invoice(&self, invoice: &Value) -> Value {
        let customer = invoice["customerId"].as_str().and_then(|id| self.customers.find("id", id));
        let (currency, amount) = major(invoice);
        json!({
            "id": invoice["displayNumber"],
            "customer": named(customer),
            "ends": invoice["endDate"],
            "status": format!("{}, {}", invoice["status"].as_str().unwrap_or_default(),
                invoice["paymentStatus"].as_str().unwrap_or_default()),
            "total": shown(amount, &currency),
        })
    }

    /// What customers have of each credit currency.
    fn seen_credits(&self) -> Value {
        let held = self.credits.held(*self.clock.now());
        let seen = held.into_iter().take(SHOWN).map(|(customer, currency, total, available)| {
            json!({
                "customer": named(self.customers.find("id", &customer)),
                "currency": self.credits.named(&currency)["name"],
                "available": available.normalize().to_string(),
                "total": total.normalize().to_string(),
            })
        });
        seen.collect()
    }

    fn seen_caps(&self) -> Value {
        let current = self.caps.current(*self.clock.now()).take(SHOWN);
        let seen = current.map(|(of, amount, month)| {
            let used = self.spent_by_units(of)(month);
            json!({
                "customer": named(self.customers.find("id", &of.customer)),
                "unit": of.unit,
                "currency": self.credits.named(&of.currency)["name"],
                "used": used.normalize().to_string(),
                "amount": amount.normalize().to_string(),
                "isReached": used >= amount,
            })
        });
        seen.collect()
    }

    /// Of each customer and currency: what is invoiced, and what it cost.
    fn margins(&self, invoices: &[Value]) -> Value {
        let mut sums: BTreeMap<(String, String), (Decimal, Decimal)> = BTreeMap::new();
        for invoice in invoices {
            let (currency, amount) = major(invoice);
            // Whose work it is, whoever pays.
            let order = invoice["orderId"].as_str().and_then(|id| self.orders.find("id", id));
            let customer = order.and_then(|row| text(row, "customerId")).unwrap_or_default().to_owned();
            sums.entry((customer, currency)).or_default().0 += amount;
        }
        for cost in &self.costs {
            if let (Some(amount), Some(currency)) = (cost.amount, &cost.currency) {
                sums.entry((cost.customer_id.clone(), currency.clone())).or_default().1 += amount;
            }
        }
        let seen = sums.into_iter().take(SHOWN).map(|((customer, currency), (invoiced, costs))| {
            let margin = invoiced - costs;
            json!({
                "customer": named(self.customers.find("id", &customer)),
                "invoiced": shown(invoiced, &currency),
                "costs": shown(costs, &currency),
                "margin": shown(margin, &currency),
                "isLoss": margin < Decimal::ZERO,
            })
        });
        seen.collect()
    }
}

/// An object as people know it: your own id, or else its name.
fn named(row: Option<&JsonObject>) -> String {
    let named = row.and_then(|row| text(row, "externalId").or_else(|| text(row, "name")));
    named.unwrap_or_default().to_owned()
}

/// An amount in major units, with at least the decimals of its currency.
fn shown(amount: Decimal, currency: &str) -> String {
    let mut amount = amount.normalize();
    amount.rescale(amount.scale().max(decimals(currency)));
    format!("{amount} {currency}")
}

fn decimals(currency: &str) -> u32 {
    Currency::from_code(currency).and_then(Currency::exponent).unwrap_or(2).into()
}

/// The currency of an invoice, and its total in major units.
fn major(invoice: &Value) -> (String, Decimal) {
    let currency = invoice["currency"].as_str().unwrap_or_default();
    let digits = decimals(currency);
    let minor = invoice["invoiceTotal"].to_string().parse::<Decimal>().unwrap_or_default();
    (currency.to_owned(), (minor / Decimal::from(10_u64.pow(digits))).round_dp(digits))
}
