//! Revenue, cost and margin of each signal, as Paid would show them. The emulator has the signals and the spans with
//! the usage; the scope id joins them.

use std::collections::BTreeMap;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use paid::Decimal;
use paid::emulator::Emulator;

use crate::guide;

/// The model's prices in US dollars per million tokens: input, cached input, output.
const PRICES: [(&str, &str); 3] = [
    ("gen_ai.usage.input_tokens", "0.15"),
    ("gen_ai.usage.cached_input_tokens", "0.075"),
    ("gen_ai.usage.output_tokens", "0.60"),
];

/// Work that led to no signal.
const NO_SIGNAL: &str = "no signal";

#[derive(Default)]
struct Row {
    signals: u32,
    revenue: Decimal,
    cost: Decimal,
}

/// Prints the table.
pub(crate) fn print(emulator: &Emulator) {
    let rows = rows(emulator);
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["Signal", "Number", "Revenue", "Cost", "Margin"]);
    let mut total = Row::default();
    for (name, row) in &rows {
        table.add_row(cells(name, row));
        total.signals += row.signals;
        total.revenue += row.revenue;
        total.cost += row.cost;
    }
    table.add_row(cells("Total", &total));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("\nMargin per signal, in USD (the platform fee aside)\n{table}");
}

fn cells(name: &str, row: &Row) -> [String; 5] {
    let margin = row.revenue - row.cost;
    [
        name.to_owned(),
        row.signals.to_string(),
        format!("{:.2}", row.revenue),
        format!("{:.6}", row.cost),
        format!("{margin:.6}"),
    ]
}

/// One row for each event name.
fn rows(emulator: &Emulator) -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::<String, Row>::new();
    let mut names = BTreeMap::new();
    for request in emulator.requests().iter().filter(|request| request.operation.as_deref() == Some("create-signals")) {
        for signal in request.body["signals"].as_array().into_iter().flatten() {
            let name = signal["eventName"].as_str().unwrap_or_default().to_owned();
            if let Some(scope) = signal["data"]["paid"]["paid_scope_id"].as_i64() {
                names.insert(scope, name.clone());
            }
            let row = rows.entry(name.clone()).or_default();
            row.signals += 1;
            row.revenue += guide::price_in_dollars(&name);
        }
    }
    for span in emulator.spans() {
        let name = span.attribute("paid_scope_id").as_i64().and_then(|scope| names.get(&scope));
        let row = rows.entry(name.cloned().unwrap_or_else(|| NO_SIGNAL.to_owned())).or_default();
        for (kind, price) in PRICES {
            let tokens = Decimal::from(span.attribute(kind).as_i64().unwrap_or_default());
            row.cost += tokens * price.parse::<Decimal>().unwrap_or_default() / Decimal::from(1_000_000);
        }
    }
    rows
}
