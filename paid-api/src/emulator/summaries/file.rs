//! The file: CSV, with a row for each customer and month that has signals. Three rows head it: the groups of the signals, the
//! groups of the dimensions, and the names of the columns.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::super::numbers::amount;
use super::super::value::{found, total};
use super::columns::{Column, Columns};
use super::window::Months;

/// The columns that say what a row is about.
const KEYS: [&str; 4] = ["customer_id", "external_customer_id", "customer_name", "month"];

/// A customer and its signals.
pub(in crate::emulator) struct Customer<'a> {
    pub(in crate::emulator) id: &'a str,
    pub(in crate::emulator) external: Option<&'a str>,
    pub(in crate::emulator) name: &'a str,
    pub(in crate::emulator) signals: Vec<Usage<'a>>,
}

/// A signal.
pub(in crate::emulator) struct Usage<'a> {
    pub(in crate::emulator) event: &'a str,
    pub(in crate::emulator) at: DateTime<Utc>,
    pub(in crate::emulator) data: Value,
}

/// The text of the file, and its number of rows below the heads.
pub(super) fn write(columns: &Columns, months: &Months, customers: &[Customer<'_>]) -> (String, usize) {
    let mut text = String::new();
    let head = |of: &dyn Fn(&Column) -> String| columns.all.iter().map(of).collect::<Vec<_>>();
    let empty = [""; KEYS.len()];
    line(&mut text, &empty, &head(&|column| column.signal_group.clone()));
    line(&mut text, &empty, &head(&|column| column.dimension_group.clone().unwrap_or_default()));
    line(&mut text, &KEYS, &head(&|column| column.name.clone()));
    let mut rows = 0;
    for customer in customers {
        let mut by_month: BTreeMap<NaiveDate, Vec<&Usage<'_>>> = BTreeMap::new();
        let counted =
            customer.signals.iter().filter(|usage| columns.all.iter().any(|column| column.event == usage.event));
        for usage in counted {
            if let Some(month) = months.of(usage.at) {
                by_month.entry(month).or_default().push(usage);
            }
        }
        for (month, signals) in &by_month {
            let month = month.format("%Y-%m").to_string();
            let keys = [customer.id, customer.external.unwrap_or_default(), customer.name, &month];
            let cells: Vec<String> = columns.all.iter().map(|column| cell(columns, column, signals)).collect();
            line(&mut text, &keys, &cells);
            rows += 1;
        }
    }
    (text, rows)
}

/// What a column measures in the signals of one month.
fn cell(columns: &Columns, column: &Column, signals: &[&Usage<'_>]) -> String {
    let is_of = |usage: &&&Usage<'_>| {
        let is_part = |(at, part): &(usize, usize)| {
            columns.dimensions.get(*at).is_some_and(|dimension| dimension.part_of(&usage.data) == *part)
        };
        usage.event == column.event && column.parts.iter().all(is_part)
    };
    let signals = signals.iter().filter(is_of);
    let Some(path) = &column.measure.path else { return signals.count().to_string() };
    let numbers =
        signals.filter_map(|usage| found(&usage.data, path).filter(|value| value.is_number()).and_then(amount));
    let numbers: Vec<Decimal> = numbers.collect();
    let sum = total(numbers.iter().copied());
    let value = match column.measure.function.as_str() {
        "sum" => Some(sum),
        "avg" => sum.checked_div(Decimal::from(numbers.len())),
        "min" => numbers.iter().min().copied(),
        _ => numbers.iter().max().copied(),
    };
    value.map(|value| value.normalize().to_string()).unwrap_or_default()
}

fn line(text: &mut String, keys: &[&str], cells: &[String]) {
    let all = keys.iter().copied().chain(cells.iter().map(String::as_str));
    let quoted: Vec<String> = all.map(quoted).collect();
    text.push_str(&quoted.join(","));
    text.push_str("\r\n");
}

/// A cell, in quotes if it has what CSV reads.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
