//! The account's value receipts.

use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::refusal::{Refusal, Reply};
use super::period::Period;
use super::receipt::{Figures, Receipt, Scope};
use super::{conflict, reading};
use crate::Timestamp;

#[derive(Debug, Default)]
pub(in crate::emulator) struct ValueReceipts {
    receipts: Vec<Receipt>,
}

/// A property of a customer, by id.
pub(in crate::emulator) type Named<'a> = &'a dyn Fn(&str, &str) -> Value;

/// What a receipt is asked for.
pub(in crate::emulator) struct Given {
    pub(in crate::emulator) scope: Scope,
    pub(in crate::emulator) period: Period,
}

impl Given {
    /// Reads the period of a request; the scope names objects of the store.
    pub(in crate::emulator) fn new(scope: Scope, body: &Value) -> Result<Self, Refusal> {
        let start = reading::time(&body["startDate"], "body.startDate")?;
        let end = reading::time(&body["endDate"], "body.endDate")?;
        Ok(Self { scope, period: Period::new(start, end, "body.endDate")? })
    }

    /// Refuses a period that has not ended.
    pub(in crate::emulator) fn check_ended(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.period.end > *now {
            return Err(Refusal::invalid(
                "body.endDate",
                "is still to come; a receipt is about a period that has ended",
            ));
        }
        Ok(())
    }
}

impl Scope {
    pub(in crate::emulator) fn new(customer: &str, product: Option<&str>, order: Option<&str>) -> Self {
        Self { customer: customer.to_owned(), product: product.map(str::to_owned), order: order.map(str::to_owned) }
    }
}

impl Figures {
    pub(in crate::emulator) fn new(currency: &str, total: Option<rust_decimal::Decimal>) -> Self {
        Self { currency: currency.to_owned(), total }
    }
}

impl ValueReceipts {
    /// Adds a receipt with this id and token.
    pub(in crate::emulator) fn add(
        &mut self,
        names: (String, String),
        given: Given,
        figures: Figures,
        now: Timestamp,
    ) -> Value {
        let receipt = Receipt::new(names, given.scope, given.period, figures, now);
        let filled = receipt.filled();
        self.receipts.push(receipt);
        filled
    }

    /// Fills the latest receipt of this scope and period; a sealed one stays as it is. `None` if there is no such receipt.
    pub(in crate::emulator) fn sync(&mut self, given: &Given, figures: &Figures, now: Timestamp) -> Option<Reply> {
        let is_same = |receipt: &&mut Receipt| receipt.scope == given.scope && receipt.period == given.period;
        let mut archived = None;
        for receipt in self.receipts.iter_mut().rev().filter(is_same) {
            if receipt.is_archived() {
                archived = Some(receipt.id.clone());
                continue;
            }
            if !receipt.is_sealed() {
                receipt.refill(figures.clone(), now);
            }
            return Some(Ok(receipt.filled()));
        }
        archived.map(|id| Err(conflict("body", format!("the receipt {id} is archived; unarchive it first"))))
    }

    /// What a draft is about, so that it can be filled again.
    pub(in crate::emulator) fn draft(&self, matched: &Matched) -> Result<(Scope, Period), Refusal> {
        let receipt = self.receipt(matched)?;
        receipt.check_draft()?;
        Ok((receipt.scope.clone(), receipt.period))
    }

    pub(in crate::emulator) fn refresh(&mut self, matched: &Matched, figures: Figures, now: Timestamp) -> Reply {
        let receipt = self.receipt_mut(matched)?;
        receipt.refill(figures, now);
        Ok(receipt.filled())
    }

    pub(in crate::emulator) fn get(&self, matched: &Matched, named: Named<'_>, now: Timestamp) -> Reply {
        self.receipt(matched).map(|receipt| receipt.detail(named, now))
    }

    /// Moves a receipt from one state to another.
    pub(in crate::emulator) fn act(
        &mut self,
        matched: &Matched,
        body: &Value,
        named: Named<'_>,
        now: Timestamp,
    ) -> Reply {
        let receipt = self.receipt_mut(matched)?;
        match matched.operation.as_str() {
            "publish-value-receipt" => {
                let expires = match &body["publishExpiresAt"] {
                    Value::Null => None,
                    time => Some(Timestamp::from(reading::time(time, "body.publishExpiresAt")?)),
                };
                receipt.publish(expires, now)?;
                return Ok(receipt.detail(named, now));
            }
            "unpublish-value-receipt" => {
                receipt.unpublish();
                return Ok(receipt.detail(named, now));
            }
            "seal-value-receipt" => receipt.seal()?,
            "archive-value-receipt" => receipt.archive(now),
            "unarchive-value-receipt" => receipt.unarchive()?,
            other => return Err(Refusal::not_implemented(other)),
        }
        Ok(json!({"success": true}))
    }

    /// A page of the receipts of a customer, a product or an order; of all, if it is not said.
    pub(in crate::emulator) fn list(&self, matched: &Matched, named: Named<'_>, now: Timestamp) -> Value {
        let query = |key: &str| matched.query.get(key).map(String::as_str);
        let wanted = |key: &str, value: Option<&str>| query(key).is_none_or(|wanted| Some(wanted) == value);
        let with_archived = query("archived") == Some("true");
        let rows = self.receipts.iter().filter(|receipt| {
            let external = named(&receipt.scope.customer, "externalId");
            (with_archived || !receipt.is_archived())
                && wanted("customerId", Some(&receipt.scope.customer))
                && wanted("externalCustomerId", external.as_str())
                && wanted("productId", receipt.scope.product.as_deref())
                && wanted("orderId", receipt.scope.order.as_deref())
        });
        let rows: Vec<Value> = rows.map(|receipt| receipt.summary(named, now)).collect();
        let number = |key: &str, default: usize| {
            query(key)
                .and_then(|text| text.parse::<i64>().ok())
                .map_or(default, |number| number.try_into().unwrap_or(0))
        };
        let total = rows.len();
        let data: Vec<Value> = rows.into_iter().skip(number("offset", 0)).take(number("limit", 50)).collect();
        json!({"data": data, "total": total})
    }

    fn receipt(&self, matched: &Matched) -> Result<&Receipt, Refusal> {
        let id = named(matched);
        self.receipts.iter().find(|receipt| receipt.id == id).ok_or_else(|| Refusal::not_found("value receipt", id))
    }

    fn receipt_mut(&mut self, matched: &Matched) -> Result<&mut Receipt, Refusal> {
        let id = named(matched);
        let found = self.receipts.iter_mut().find(|receipt| receipt.id == id);
        found.ok_or_else(|| Refusal::not_found("value receipt", id))
    }
}

fn named(matched: &Matched) -> &str {
    matched.path.get("id").map(String::as_str).unwrap_or_default()
}
