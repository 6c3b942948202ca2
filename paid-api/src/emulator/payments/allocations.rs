//! Which invoice lines a payment settles.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::numbers::amount;
use super::super::pricing::number;
use super::super::refusal::{Refusal, Reply};
use super::super::table::{merge, page, passes, text};
use super::{Payments, left_of};
use crate::JsonObject;

/// What a payment settles of one line.
#[derive(Debug, Clone)]
pub(in crate::emulator) struct Share {
    pub(in crate::emulator) invoice: String,
    pub(in crate::emulator) line: String,
    pub(in crate::emulator) amount: Decimal,
}

impl Payments {
    pub(in crate::emulator) fn list_allocations(&self, matched: &Matched) -> Value {
        let rows = self.allocations.rows().iter().filter(|row| passes(row, matched));
        page(rows.cloned().map(Value::Object), matched)
    }

    /// The payment that a request allocates: a posted one, with enough left for all of the request.
    pub(in crate::emulator) fn allocatable(&self, body: &Value) -> Result<JsonObject, Refusal> {
        let id = body["paymentId"].as_str().unwrap_or_default();
        let payment = self.find(id).map_err(|refusal| refusal.at("body.paymentId"))?;
        if text(payment, "status") != Some("posted") {
            let error = format!("the payment is {}, not posted", text(payment, "status").unwrap_or_default());
            return Err(Refusal::invalid("body.paymentId", error));
        }
        let mut left = left_of(payment, self.allocated(id));
        for (index, share) in body["allocations"].as_array().into_iter().flatten().enumerate() {
            let place = format!("body.allocations.{index}.amount");
            let wanted = amount(&share["amount"]).unwrap_or_default();
            if wanted <= Decimal::ZERO {
                return Err(Refusal::invalid(&place, "an allocation is more than nothing"));
            }
            if wanted > left {
                return Err(Refusal::invalid(&place, format!("the payment has {} left", left.normalize())));
            }
            left -= wanted;
        }
        Ok(payment.clone())
    }

    /// Allocates a payment to lines, each under its id. The caller checked that the lines and the payment have so much left.
    pub(in crate::emulator) fn allocate(
        &mut self,
        payment: &str,
        shares: &[Share],
        ids: Vec<String>,
        time: &Value,
    ) -> Reply {
        let currency = self.find(payment)?.get("currency").cloned();
        let mut made = Vec::new();
        for (share, id) in shares.iter().zip(ids) {
            let row = crate::object!({
                "id": id,
                "paymentId": payment,
                "invoiceId": share.invoice,
                "invoiceLineId": share.line,
                "amount": number(share.amount),
                "currency": currency,
                "type": "payment",
                "status": "posted",
                "allocationDate": time,
                "createdAt": time,
            });
            made.push(row.clone());
            self.allocations.push(row);
            let lines = self.paid.entry(share.invoice.clone()).or_default();
            *lines.entry(share.line.clone()).or_default() += share.amount;
        }
        Ok(json!({ "data": made }))
    }

    /// Notes the invoice that a payment is for, if it is for one only.
    pub(in crate::emulator) fn note_invoice(&mut self, payment: &str, order_of: impl Fn(&str) -> Value, time: &Value) {
        let of_payment = self.allocations.rows().iter().filter(|row| text(row, "paymentId") == Some(payment));
        let mut invoices: Vec<_> = of_payment.filter_map(|row| text(row, "invoiceId")).collect();
        invoices.sort_unstable();
        invoices.dedup();
        let (invoice, order) = match invoices[..] {
            [only] => (only.into(), order_of(only)),
            _ => (Value::Null, Value::Null),
        };
        if let Some(row) = self.table.find_mut("id", payment) {
            merge(row, &json!({"invoiceId": invoice, "orderId": order}), time.clone());
        }
    }

    /// What is paid of an invoice.
    pub(in crate::emulator) fn paid_of(&self, invoice: &str) -> Decimal {
        self.paid.get(invoice).map(|lines| lines.values().sum()).unwrap_or_default()
    }

    /// What is paid of a line of an invoice.
    pub(in crate::emulator) fn paid_of_line(&self, invoice: &str, line: &str) -> Decimal {
        self.paid.get(invoice).and_then(|lines| lines.get(line)).copied().unwrap_or_default()
    }

    pub(super) fn allocated(&self, payment: &str) -> Decimal {
        let of_payment = self.allocations.rows().iter().filter(|row| text(row, "paymentId") == Some(payment));
        of_payment.filter_map(|row| row.get("amount").and_then(amount)).sum()
    }
}
