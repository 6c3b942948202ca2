//! What customers have, as the API shows it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Credits, Grant, Pool, whole};
use crate::emulator::contract::Matched;
use crate::emulator::pricing::number;
use crate::emulator::table::{page, text};
use crate::{JsonObject, Timestamp};

impl Credits {
    /// The balances of a customer: one for each currency, and one for its seats together.
    pub(in crate::emulator) fn balances(&self, customer: &str, now: DateTime<Utc>) -> Value {
        let of_currency = |row: &JsonObject| {
            let id = text(row, "id").unwrap_or_default();
            let current = |is_of_seats: bool| {
                let grants = self.ledger.grants.iter().filter(move |grant| {
                    let pool = &grant.pool;
                    pool.customer == customer && pool.currency == id && pool.seat.is_some() == is_of_seats
                });
                grants.filter(|grant| grant.is_current(now)).collect::<Vec<_>>()
            };
            let both = [("organization", current(false)), ("seat", current(true))];
            let held = both.into_iter().filter(|(_, grants)| !grants.is_empty());
            held.map(|(recipient, grants)| balance(row, recipient, &grants, now)).collect::<Vec<_>>()
        };
        let all: Vec<_> = self.currencies.rows().iter().flat_map(of_currency).collect();
        json!({ "data": all })
    }

    /// Of each customer and currency with credits: what was granted, and what is left, of seats too.
    pub(in crate::emulator) fn held(&self, now: DateTime<Utc>) -> Vec<(String, String, Decimal, Decimal)> {
        let mut held = BTreeMap::<(String, String), (Decimal, Decimal)>::new();
        for grant in self.ledger.grants.iter().filter(|grant| grant.is_current(now)) {
            let sums = held.entry((grant.pool.customer.clone(), grant.pool.currency.clone())).or_default();
            sums.0 += grant.shown_total();
            sums.1 += grant.available(now);
        }
        held.into_iter().map(|((customer, currency), (total, left))| (customer, currency, total, left)).collect()
    }

    /// What a customer or one of its seats can spend, by currency.
    pub(in crate::emulator) fn summary(&self, customer: &str, seat: Option<&str>, now: DateTime<Utc>) -> Value {
        let of_currency = |row: &JsonObject| {
            let currency = text(row, "id").unwrap_or_default();
            let seat = seat.map(str::to_owned);
            let pool = Pool { customer: customer.to_owned(), currency: currency.to_owned(), seat };
            let is_held = self.ledger.grants.iter().any(|grant| grant.pool == pool && grant.is_current(now));
            is_held.then(|| {
                json!({
                    "balance": number(self.ledger.available(&pool, now)),
                    "creditsCurrencyId": currency,
                    "currencyKey": row.get("key"),
                    "currencyName": row.get("name"),
                })
            })
        };
        json!({ "balances": self.currencies.rows().iter().filter_map(of_currency).collect::<Value>() })
    }

    /// What waits for credits.
    pub(in crate::emulator) fn pending(&self, customer: &str, matched: &Matched) -> Value {
        let meant = self.ledger.pending.iter().filter(|spend| spend.customer == customer);
        let shown = meant.map(|spend| {
            json!({
                "creditCurrency": self.named(&spend.currency),
                "credits": whole(spend.credits),
                "creditsDecimal": spend.credits.normalize().to_string(),
                "eventName": spend.origin.event,
                "occurredAt": Timestamp::from(spend.at).to_string(),
                "orderId": spend.origin.order,
                "recordedAt": Timestamp::from(spend.recorded).to_string(),
            })
        });
        page(shown, matched)
    }
}

fn balance(currency: &JsonObject, recipient: &str, grants: &[&Grant], now: DateTime<Utc>) -> Value {
    let sum = |part: fn(&Grant) -> Decimal| number(grants.iter().map(|grant| part(grant)).sum());
    let available: Decimal = grants.iter().map(|grant| grant.available(now)).sum();
    let periods = || grants.iter().filter(|grant| grant.is_of_period);
    let rollovers = grants.iter().filter_map(|grant| grant.rollover.map(|rollover| rollover.until));
    json!({
        "creditsCurrencyId": currency.get("id"),
        "currencyKey": currency.get("key"),
        "currencyName": currency.get("name"),
        "recipient": recipient,
        "total": sum(Grant::shown_total),
        "used": sum(Grant::used),
        "available": number(available),
        "periodStart": shown(periods().map(|grant| grant.start).max()),
        "periodEnd": shown(periods().filter_map(|grant| grant.end).max()),
        "rolloverEndDate": shown(rollovers.max()),
        "grants": grants.iter().map(|grant| shown_grant(grant, now)).collect::<Value>(),
    })
}

fn shown_grant(grant: &Grant, now: DateTime<Utc>) -> Value {
    json!({
        "total": number(grant.shown_total()),
        "used": number(grant.used()),
        "available": number(grant.available(now)),
        "periodStart": Timestamp::from(grant.start).to_string(),
        "periodEnd": shown(grant.end.filter(|_| grant.is_of_period)),
        "expiresAt": shown(grant.expires()),
        "rolloverAmount": grant.rollover.and_then(|rollover| rollover.most).map(number),
        "rolloverEndDate": shown(grant.rollover.map(|rollover| rollover.until)),
        "isInRolloverWindow": grant.rolls_over_at(now),
    })
}

fn shown(time: Option<DateTime<Utc>>) -> Value {
    time.map(|time| Timestamp::from(time).to_string()).into()
}
