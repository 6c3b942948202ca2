//! The rows of the tables that SQL asks: of the account, or of one customer.

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde_json::Value;

use super::analytics::{Cell, Definition, shown_time};
use super::contract::Matched;
use super::costs::CollectedCost;
use super::numbers::amount;
use super::signals::Signal;
use super::store::Store;
use super::table::text;
use super::value::{Occurrence, Whose};
use super::values::occurrence;
use crate::{JsonObject, Timestamp};

/// Whose rows are read.
pub(super) struct Rows<'a> {
    pub(super) store: &'a Store,
    /// One customer's id, or all of them.
    pub(super) customer: Option<&'a str>,
}

impl Rows<'_> {
    /// The rows of a table, in the order of its columns.
    pub(super) fn of(&self, table: &Definition) -> Vec<Vec<Cell>> {
        match table.name {
            "dim_customer" => self.customers(),
            "dim_product" => self.products(),
            "dim_order" => self.orders(),
            "fact_signal" => self.signals().map(|one| signal(&one)).collect(),
            "fact_cost" => {
                self.store.costs.iter().filter(|cost| self.is_of(Some(&cost.customer_id))).map(cost).collect()
            }
            "fact_invoice" => self.invoices().iter().map(invoice).collect(),
            "fact_invoice_line" => self.invoices().iter().flat_map(|invoice| self.lines(invoice)).collect(),
            "fact_delivered_value" => self.delivered(),
            _ => Vec::new(),
        }
    }

    fn is_of(&self, customer: Option<&str>) -> bool {
        self.customer.is_none_or(|wanted| customer == Some(wanted))
    }

    fn customers(&self) -> Vec<Vec<Cell>> {
        let rows = self.store.customers.rows().iter().filter(|row| self.is_of(text(row, "id")));
        rows.map(|row| cells(row, &["id", "externalId", "name", "status", "defaultCurrency"], &["createdAt"])).collect()
    }

    fn products(&self) -> Vec<Vec<Cell>> {
        let rows = self.store.products.rows().iter().map(|row| {
            let mut cells = cells(row, &["id", "externalId", "name"], &["createdAt"]);
            cells.insert(3, Cell::Integer((row.get("active") == Some(&Value::Bool(true))).into()));
            cells
        });
        rows.collect()
    }

    fn orders(&self) -> Vec<Vec<Cell>> {
        let rows = self.store.orders.rows().iter().filter(|row| self.is_of(text(row, "customerId")));
        let texts = ["id", "customerId", "name", "creationState", "currency"];
        rows.map(|row| cells(row, &texts, &["startDate", "endDate", "createdAt"])).collect()
    }

    fn signals(&self) -> impl Iterator<Item = Signal<'_>> {
        self.store.signals.iter().filter(|signal| self.is_of(Some(signal.customer)))
    }

    fn invoices(&self) -> Vec<Value> {
        let mut invoices = self.store.shown_invoices();
        invoices.retain(|invoice| self.is_of(invoice["customerId"].as_str()));
        invoices
    }

    fn lines(&self, invoice: &Value) -> Vec<Vec<Cell>> {
        let id = invoice["id"].as_str().unwrap_or_default();
        let all = Matched {
            operation: "get-invoice-lines".to_owned(),
            path: [("id".to_owned(), id.to_owned())].into(),
            query: [("limit".to_owned(), i64::MAX.to_string())].into(),
            status: 200,
        };
        let lines = self.store.list_invoice_lines(&all).unwrap_or_default();
        let cells = lines["data"].as_array().into_iter().flatten().map(|line| {
            vec![
                Cell::of(line.get("id")),
                Cell::Text(id.to_owned()),
                Cell::of(line.get("orderId")),
                Cell::of(invoice.get("customerId")),
                Cell::of(line.get("description")),
                decimal(amount(&line["quantity"])),
                whole(&line["totalPriceAfterTax"]),
                Cell::of(line.get("currency")),
            ]
        });
        cells.collect()
    }

    fn delivered(&self) -> Vec<Vec<Cell>> {
        let models = &self.store.models;
        let Some(model) = models.model() else { return Vec::new() };
        let mut rows = Vec::new();
        for signal in self.signals() {
            let customer = self.store.customers.find("id", signal.customer);
            let external = customer.and_then(|row| text(row, "externalId"));
            let whose = Whose { id: signal.customer, external, group: self.store.groups.of(signal.customer) };
            let currency = model.currency(whose);
            for worth in models.worths(whose, &[occurrence(signal)]) {
                let Occurrence { id, event, product, at, .. } = worth.signal;
                let money = worth.money.and_then(|money| minor(money.shown(), currency));
                rows.push(vec![
                    Cell::Text(id),
                    Cell::Text(event.to_owned()),
                    Cell::Text(signal.customer.to_owned()),
                    Cell::Text(product.to_owned()),
                    Cell::Text(worth.metric.to_owned()),
                    decimal(Some(worth.quantity)),
                    decimal(Some(worth.units.shown())),
                    decimal(money),
                    Cell::Text(currency.to_owned()),
                    Cell::Text(shown_time(Timestamp::from(at))),
                ]);
            }
        }
        rows
    }
}

/// Texts of an object, then times.
fn cells(row: &JsonObject, texts: &[&str], times: &[&str]) -> Vec<Cell> {
    let texts = texts.iter().map(|key| Cell::of(row.get(*key)));
    texts.chain(times.iter().map(|key| Cell::of_time(row.get(*key)))).collect()
}

fn signal(signal: &Signal<'_>) -> Vec<Cell> {
    let data = Some(signal.data()).filter(|data| !data.is_null()).map(|data| data.to_string());
    vec![
        Cell::Text(signal.id()),
        Cell::Text(signal.event_name.to_owned()),
        Cell::Text(signal.customer.to_owned()),
        Cell::Text(signal.product.to_owned()),
        Cell::Text(shown_time(signal.at)),
        Cell::Text(shown_time(signal.arrived)),
        data.map_or(Cell::Null, Cell::Text),
    ]
}

fn cost(cost: &CollectedCost) -> Vec<Cell> {
    let maybe = |text: &Option<String>| text.clone().map_or(Cell::Null, Cell::Text);
    let amount = cost.amount.zip(cost.currency.as_deref()).and_then(|(amount, currency)| minor(amount, currency));
    vec![
        Cell::Text(cost.customer_id.clone()),
        maybe(&cost.product_id),
        Cell::Text(cost.vendor.clone()),
        Cell::Text(cost.model.clone()),
        decimal(amount),
        maybe(&cost.currency),
        Cell::Text(shown_time(cost.timestamp)),
    ]
}

fn invoice(invoice: &Value) -> Vec<Cell> {
    let texts = ["id", "orderId", "customerId", "status", "paymentStatus", "currency"];
    let times = ["startDate", "endDate", "issueDate", "dueDate"];
    let amounts = ["invoiceTotal", "amountPaid"].iter().map(|key| whole(&invoice[*key]));
    let texts = texts.iter().map(|key| Cell::of(invoice.get(*key)));
    texts.chain(amounts).chain(times.iter().map(|key| Cell::of_time(invoice.get(*key)))).collect()
}

/// An amount of whole smallest units.
fn whole(amount_of: &Value) -> Cell {
    let whole = amount(amount_of).filter(Decimal::is_integer).and_then(|amount| i64::try_from(amount).ok());
    whole.map_or(Cell::Null, Cell::Integer)
}

fn decimal(value: Option<Decimal>) -> Cell {
    value.map_or(Cell::Null, |value| Cell::Text(value.normalize().to_string()))
}

/// An amount of major units in the currency's smallest one.
fn minor(amount: Decimal, currency: &str) -> Option<Decimal> {
    let exponent = Currency::from_code(currency)?.exponent().unwrap_or_default();
    amount.checked_mul(Decimal::from(10_u64.checked_pow(exponent.into())?))
}
