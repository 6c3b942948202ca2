//! Transactions summed over intervals.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Credits, Kind};
use crate::Timestamp;
use crate::emulator::accounts::Customers;
use crate::emulator::contract::Matched;
use crate::emulator::refusal::Reply;

/// The start of an interval, the currency, and the event.
type Bucket = (DateTime<Utc>, String, Option<String>);

pub(super) fn of(credits: &Credits, customers: &Customers, matched: &Matched) -> Reply {
    let mut filters = matched.clone();
    let kind = filters.query.entry("type".to_owned()).or_insert_with(|| Kind::Spend.word().to_owned()).clone();
    let interval = matched.query.get("interval").map(String::as_str).unwrap_or_default();
    let mut buckets = BTreeMap::<Bucket, (Decimal, u64)>::new();
    for one in credits.ledger.transactions.iter().filter(|one| credits.is_meant(one, customers, &filters)) {
        let Some(start) = start_of(interval, one.at) else { continue };
        let bucket = buckets.entry((start, one.currency.clone(), one.origin.event.clone())).or_default();
        bucket.0 += one.credits;
        bucket.1 += 1;
    }
    let shown = buckets.into_iter().map(|((start, currency, event), (sum, count))| {
        json!({
            "creditCurrency": credits.named(&currency),
            "credits": sum.normalize().to_string(),
            "groupKey": event,
            "periodStart": Timestamp::from(start).to_string(),
            "periodEnd": Timestamp::from(end_of(interval, start)).to_string(),
            "transactionCount": count,
        })
    });
    let data: Vec<Value> = shown.collect();
    Ok(json!({ "data": data, "groupBy": "eventName", "interval": interval, "type": kind }))
}

/// Days begin at midnight in UTC, weeks on Monday, months on their first.
fn start_of(interval: &str, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let day = at.date_naive();
    let first = match interval {
        "month" => day.with_day(1)?,
        "week" => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))?,
        _ => day,
    };
    Some(first.and_time(NaiveTime::MIN).and_utc())
}

fn end_of(interval: &str, start: DateTime<Utc>) -> DateTime<Utc> {
    let end = match interval {
        "month" => start.checked_add_months(Months::new(1)),
        "week" => start.checked_add_days(Days::new(7)),
        _ => start.checked_add_days(Days::new(1)),
    };
    end.unwrap_or(start)
}
