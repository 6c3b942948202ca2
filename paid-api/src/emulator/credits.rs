//! Credits: their currencies, who has how many, and what spent them.

mod balances;
mod benefit;
mod grant;
mod ledger;
mod summary;
mod transactions;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::billing::{Charge, Price};
use super::contract::Matched;
use super::numbers::amount;
use super::refusal::{Refusal, Reply};
use super::table::{Table, addressed, given, merge, text};
use crate::{JsonObject, Timestamp};

pub(super) use benefit::{Benefit, Trigger, read as read_benefits};
pub(super) use grant::{Grant, Pool};

pub(super) use ledger::{Kind, Ledger, Origin, Spend, Spent, Transaction};
pub(super) use transactions::Named;

/// The account's credits.
#[derive(Debug, Default)]
pub(super) struct Credits {
    currencies: Table,
    pub(super) ledger: Ledger,
    /// What came with a period already: once only.
    given: BTreeSet<String>,
}

impl Credits {
    /// Returns true the first time that it is asked for this.
    pub(super) fn is_first(&mut self, what: String) -> bool {
        self.given.insert(what)
    }

    /// Refuses a currency that is not there, or archived.
    pub(super) fn check(&self, currency: &str, place: &str) -> Result<(), Refusal> {
        match self.currencies.find("id", currency).and_then(|row| text(row, "status")) {
            Some("active") => Ok(()),
            Some(_) => Err(Refusal::invalid(place, format!("the credit currency {currency:?} is archived"))),
            None => Err(Refusal::not_found("credit currency", currency)),
        }
    }

    /// Refuses a price in a credit currency that is not there.
    pub(super) fn check_price(&self, price: &Price, place: &str) -> Result<(), Refusal> {
        let currency = match &price.charge {
            Charge::Credits { credits, .. } => &credits.currency,
            Charge::SeatCredits { currency, .. } => currency,
            _ => return Ok(()),
        };
        self.check(currency, &format!("{place}.creditsCurrencyId"))
    }

    pub(super) fn check_benefits(&self, benefits: &[Benefit], place: &str) -> Result<(), Refusal> {
        for (index, benefit) in benefits.iter().enumerate() {
            self.check(&benefit.currency, &format!("{place}.{index}.creditsCurrencyId"))?;
        }
        Ok(())
    }

    /// The id of the active currency, if there is only one.
    pub(super) fn only_currency(&self) -> Option<String> {
        let mut active = self.currencies.rows().iter().filter(|row| text(row, "status") == Some("active"));
        let only = active.next().and_then(|row| text(row, "id")).map(str::to_owned);
        only.filter(|_| active.next().is_none())
    }

    /// The id of the currency with this key.
    pub(super) fn by_key(&self, key: &str) -> Option<&str> {
        self.currencies.find("key", key).and_then(|row| text(row, "id"))
    }

    /// A currency in the short form that other objects show.
    pub(super) fn named(&self, id: &str) -> Value {
        let row = self.currencies.find("id", id);
        let field = |key: &str| row.and_then(|row| row.get(key)).cloned().unwrap_or_default();
        json!({ "key": field("key"), "name": field("name") })
    }

    pub(super) fn list_currencies(&self, matched: &Matched) -> Value {
        let wanted = matched.query.get("status").map_or("all", String::as_str);
        let rows = self.currencies.rows().iter().filter(|row| wanted == "all" || text(row, "status") == Some(wanted));
        json!({ "data": rows.cloned().map(Value::Object).collect::<Value>() })
    }

    pub(super) fn create_currency(&mut self, id: String, body: &Value, now: Value) -> Reply {
        let key = body["key"].as_str().unwrap_or_default();
        let is_plain = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_' | '-');
        if key.is_empty() || !key.chars().all(is_plain) {
            return Err(Refusal::invalid("body.key", "use lowercase letters, digits, `_` and `-`"));
        }
        if self.by_key(key).is_some() {
            return Err(Refusal::invalid("body.key", format!("another credit currency has the key {key:?}")));
        }
        let currency = json!({
            "id": id,
            "key": key,
            "name": body["name"],
            "description": given(body, "description", Value::Null),
            "status": "active",
            "archivedAt": null,
            "createdAt": now,
            "updatedAt": now,
        });
        if let Value::Object(row) = &currency {
            self.currencies.push(row.clone());
        }
        Ok(currency)
    }

    pub(super) fn update_currency(&mut self, matched: &Matched, body: &Value, now: Value) -> Reply {
        let (_, id) = addressed(matched);
        let row = self.currencies.find_mut("id", id).ok_or_else(|| Refusal::not_found("credit currency", id))?;
        merge(row, body, now.clone());
        match body["status"].as_str() {
            Some("archived") => {
                row.entry("archivedAt").and_modify(|at| {
                    if at.is_null() {
                        *at = now;
                    }
                });
            }
            Some(_) => {
                row.insert("archivedAt".into(), Value::Null);
            }
            None => {}
        }
        Ok(Value::Object(row.clone()))
    }

    /// Grants credits by hand. What waited for them is returned: it is to be spent.
    pub(super) fn grant_by_hand(
        &mut self,
        customer: &JsonObject,
        body: &Value,
        now: Timestamp,
    ) -> Result<(Value, Vec<Spend>), Refusal> {
        let key = body["creditCurrencyKey"].as_str().unwrap_or_default();
        let currency = self.by_key(key).ok_or_else(|| Refusal::not_found("credit currency", key))?.to_owned();
        self.check(&currency, "body.creditCurrencyKey")?;
        let credits = amount(&body["amount"]).filter(|credits| *credits > Decimal::ZERO);
        let credits = credits.ok_or_else(|| Refusal::invalid("body.amount", "is not above 0"))?;
        check_decimals(credits, "body.amount")?;
        let start = time(&body["startsAt"]).unwrap_or(*now);
        if start > *now {
            return Err(Refusal::invalid("body.startsAt", "is in the future"));
        }
        let end = time(&body["expiresAt"]);
        if end.is_some_and(|end| end <= start) {
            return Err(Refusal::invalid("body.expiresAt", "is not after startsAt"));
        }
        let id = text(customer, "id").unwrap_or_default();
        let pool = Pool { customer: id.to_owned(), currency: currency.clone(), seat: None };
        let grant = Grant::new(pool, Some(credits), start).until(end, None);
        let waited = self.ledger.grant(grant, "manual_grant", None);
        let shown = json!({
            "created": true,
            "createdAt": now.to_string(),
            "creditCurrency": self.named(&currency),
            "customer": reference(customer),
            "grant": {
                "amount": whole(credits),
                "amountDecimal": credits.normalize().to_string(),
                "startsAt": Timestamp::from(start).to_string(),
                "expiresAt": end.map(|end| Timestamp::from(end).to_string()),
                "status": "active",
            },
        });
        Ok((shown, waited))
    }
}

/// Credits are exact to 6 decimals.
fn check_decimals(credits: Decimal, place: &str) -> Result<(), Refusal> {
    match credits.normalize().scale() {
        0..=6 => Ok(()),
        _ => Err(Refusal::invalid(place, "has more than 6 decimals")),
    }
}

/// The integer that a decimal shows beside its digits: rounded down.
fn whole(credits: Decimal) -> Value {
    use rust_decimal::prelude::ToPrimitive;
    credits.trunc().to_i64().unwrap_or(i64::MAX).into()
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse::<Timestamp>().ok().map(|time| *time)
}

/// A customer in the short form that other objects show.
fn reference(customer: &JsonObject) -> Value {
    json!({ "id": customer.get("id"), "externalId": customer.get("externalId") })
}
