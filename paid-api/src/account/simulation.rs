//! What signals would cost under other prices: exact, by the emulator's rules, without a server.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use paid_catalog::Catalog;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::amounts::decimal;
use super::differences::name_of;
use super::prices::{in_full, to_attribute};
use super::records::FileSignal;
use crate::emulator::Offline;
use crate::{JsonObject, Timestamp};

/// How many signals are taken in at once.
const BATCH: usize = 500;

/// What one price costs one customer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Position {
    /// Your own id of the customer, or Paid's: as the signals have it.
    pub customer: String,
    /// The external id of the product.
    pub product: String,
    /// Which of the product's prices it is, by name.
    pub price: String,
}

/// What signals cost, by customer, product and price, in the currency's minor unit.
pub type Bill = BTreeMap<Position, Decimal>;

/// Computes what signals cost under the prices of a catalogue, in one currency.
///
/// Every customer has an order of the products that its signals name, from the first of the month of the first signal to the end of the
/// month of the last one. Every customer starts with zero credits, and gets only those that the catalogue's
/// prices include. The rules are those of the emulator.
///
/// # Errors
///
/// If a signal names a product that the catalogue lacks, or a price cannot be used: with what is wrong.
pub fn bill(catalog: &Catalog, signals: &[FileSignal], currency: &str) -> Result<Bill, String> {
    let mut signals = signals.iter().map(Timed::of).collect::<Result<Vec<_>, _>>()?;
    signals.sort_by_key(|signal| signal.at);
    let (Some(first), Some(last)) = (signals.first().map(|first| first.at), signals.last().map(|last| last.at)) else {
        return Ok(Bill::new());
    };
    let start = first_of_month(first)?;
    let mut account = Offline::default();
    account.is_at(start.into());
    let end =
        first_of_month(last)?.checked_add_months(Months::new(1)).ok_or("there is no time after the last signal")?;
    let orders = Orders::open(&mut account, catalog, &signals, currency, (start, end))?;
    for batch in signals.chunks(BATCH) {
        let now = batch.last().map_or(last, |signal| signal.at);
        account.is_at(now.into());
        let bodies = batch.iter().map(|signal| orders.body(signal)).collect::<Vec<_>>();
        let answer = account.request("POST", "/signals/bulk", &json!({ "signals": bodies }))?;
        let failed = answer["failed"].as_u64().unwrap_or(0);
        if failed > 0 {
            return Err(format!(
                "{failed} signals cannot be priced: a quantity that is no number, or an unknown customer"
            ));
        }
    }
    account.is_at(end.into());
    orders.bill(&mut account)
}

fn first_of_month(time: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let day = NaiveDate::from_ymd_opt(time.year(), time.month(), 1).and_then(|day| day.and_hms_opt(0, 0, 0));
    day.map(|day| day.and_utc()).ok_or_else(|| format!("{time} is no time of a calendar"))
}

/// A signal with its time, customer and product.
struct Timed<'a> {
    at: DateTime<Utc>,
    customer: &'a str,
    product: &'a str,
    signal: &'a JsonObject,
}

impl<'a> Timed<'a> {
    fn of(read: &'a FileSignal) -> Result<Self, String> {
        let signal = &read.signal;
        let id = |object: &str, keys: [&str; 2]| {
            let object = signal.get(object).and_then(Value::as_object);
            keys.into_iter().find_map(|key| object?.get(key)?.as_str())
        };
        let time = signal.get("timestamp").and_then(Value::as_str).and_then(|time| time.parse::<Timestamp>().ok());
        let problem = |what: &str| format!("line {}: {what}", read.line);
        Ok(Self {
            at: *time.ok_or_else(|| problem("the signal has no time"))?,
            customer: id("customer", ["externalCustomerId", "customerId"]).ok_or_else(|| problem("no customer"))?,
            product: id("attribution", ["externalProductId", "productId"]).ok_or_else(|| problem("no product"))?,
            signal,
        })
    }
}

/// The orders of an account that was made for the signals.
struct Orders {
    /// The customer and product of a line, by the line's id.
    lines: BTreeMap<String, (String, String)>,
}

impl Orders {
    fn open(
        account: &mut Offline,
        catalog: &Catalog,
        signals: &[Timed<'_>],
        currency: &str,
        (start, end): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Self, String> {
        let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for signal in signals {
            wanted.entry(signal.customer).or_default().insert(signal.product);
        }
        let products: BTreeSet<&str> = wanted.values().flatten().copied().collect();
        let mut ids = BTreeMap::new();
        let mut credits = Credits::default();
        for product in products {
            ids.insert(product, create_product(account, catalog, product, &mut credits)?);
        }
        let mut orders = Self { lines: BTreeMap::new() };
        for (customer, products) in wanted {
            let made = account.request("POST", "/customers/", &json!({ "name": customer, "externalId": customer }))?;
            let lines: Vec<Value> = products.iter().map(|product| json!({ "productId": ids[product] })).collect();
            let order = json!({ "customerId": made["id"], "currency": currency, "creationState": "active",
                "startDate": Timestamp::from(start).to_string(),
                "endDate": Timestamp::from(end).to_string(), "lines": lines });
            let order =
                account.request("POST", "/orders/", &order).map_err(|problem| format!("{customer}: {problem}"))?;
            let path = format!("/orders/{}/lines?limit=1000", order["id"].as_str().unwrap_or_default());
            let lines = account.request("GET", &path, &Value::Null)?;
            let lines = lines["data"].as_array().or(lines.as_array()).cloned().unwrap_or_default();
            for (line, product) in lines.iter().zip(&products) {
                let id = line["id"].as_str().unwrap_or_default().to_owned();
                orders.lines.insert(id, (customer.to_owned(), (*product).to_owned()));
            }
        }
        Ok(orders)
    }

    /// The signal for this account: customers and products have external ids here.
    fn body(&self, signal: &Timed<'_>) -> Value {
        let mut body = signal.signal.clone();
        body.insert("customer".into(), json!({ "externalCustomerId": signal.customer }));
        body.insert("attribution".into(), json!({ "externalProductId": signal.product }));
        body.remove("customerUnit");
        body.into()
    }

    /// What all invoices say.
    fn bill(&self, account: &mut Offline) -> Result<Bill, String> {
        let mut bill = Bill::new();
        let invoices = account.request("GET", "/invoices/?limit=1000000", &Value::Null)?;
        for invoice in invoices["data"].as_array().into_iter().flatten() {
            let path = format!("/invoices/{}/lines?limit=1000000", invoice["id"].as_str().unwrap_or_default());
            let lines = account.request("GET", &path, &Value::Null)?;
            for line in lines["data"].as_array().into_iter().flatten() {
                let of = line["orderLineId"].as_str().and_then(|id| self.lines.get(id)).cloned();
                let (customer, product) = of.unwrap_or_default();
                let price = line["description"].as_str().unwrap_or_default().to_owned();
                let amount = line["totalPriceBeforeTax"].as_number().and_then(decimal);
                let amount = amount.ok_or_else(|| format!("the line {price:?} has no amount"))?;
                *bill.entry(Position { customer, product, price }).or_default() += amount;
            }
        }
        Ok(bill)
    }
}

/// The credit currencies of an account that was made for the signals, by the ids that the catalogue has.
#[derive(Default)]
struct Credits(BTreeMap<String, Value>);

impl Credits {
    /// Puts ids of this account where the catalogue has those of another.
    fn exchange(&mut self, account: &mut Offline, part: &mut Value) -> Result<(), String> {
        match part {
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.exchange(account, item)),
            Value::Object(fields) => fields.iter_mut().try_for_each(|(key, value)| match value.as_str() {
                Some(known) if key == "creditsCurrencyId" => {
                    let known = known.to_owned();
                    *value = self.currency(account, known)?;
                    Ok(())
                }
                _ => self.exchange(account, value),
            }),
            _ => Ok(()),
        }
    }

    fn currency(&mut self, account: &mut Offline, known: String) -> Result<Value, String> {
        if let Some(id) = self.0.get(&known) {
            return Ok(id.clone());
        }
        let key = format!("credits_{}", self.0.len() + 1);
        let made = account.request("POST", "/credits/currencies", &json!({ "name": known, "key": key }))?;
        self.0.insert(known, made["id"].clone());
        Ok(made["id"].clone())
    }
}

fn create_product(
    account: &mut Offline,
    catalog: &Catalog,
    external_id: &str,
    credits: &mut Credits,
) -> Result<Value, String> {
    let known = catalog.products.get(external_id);
    let product = known.ok_or_else(|| format!("the prices have no product {external_id:?}, which signals name"))?;
    let body = json!({ "name": external_id, "externalId": external_id, "active": true });
    let made = account.request("POST", "/products/", &body)?;
    let id = made["id"].as_str().unwrap_or_default();
    let mut attributes = Vec::new();
    for (key, price) in &product.prices {
        let problem = |problem: String| format!("the price {key:?} of product {external_id}: {problem}");
        let mut attribute = to_attribute(name_of(key, price), price, &in_full(price), None).map_err(problem)?;
        credits.exchange(account, &mut attribute).map_err(problem)?;
        attributes.push(attribute);
    }
    account.request("PUT", &format!("/products/{id}"), &json!({ "productAttributes": attributes }))?;
    Ok(made["id"].clone())
}
