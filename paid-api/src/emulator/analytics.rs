//! What SQL can ask about the account: the tables and the keys of signals' data. Knows no store and no engine.

mod metadata;
mod tables;

pub(super) use metadata::{Window, metadata};
pub(super) use tables::{Cell, Definition, TABLES, shown_time};

use serde_json::{Value, json};

/// What an engine is asked.
#[allow(dead_code)] // Without an engine, nobody reads all of it.
pub(super) struct Question<'a> {
    pub(super) sql: &'a str,
    /// The time now, as tables show times.
    pub(super) now: String,
    /// The values of `{period_start:DateTime}` and `{period_end:DateTime}`.
    pub(super) period: Option<(String, String)>,
    /// Where the statement stands in the request.
    pub(super) place: &'a str,
}

/// What an engine found.
#[derive(Debug)]
pub(super) struct Answer {
    /// Names and types.
    pub(super) columns: Vec<(String, &'static str)>,
    /// Integers are text, as those of 64 bits are in Paid's answers.
    pub(super) rows: Vec<Vec<Value>>,
    /// Whether there were more rows than an answer has.
    pub(super) truncated: bool,
}

/// The rows of a table.
pub(super) type Fill<'a> = &'a dyn Fn(&Definition) -> Vec<Vec<Cell>>;

/// Returns true if an operation reads, whatever its method.
pub(super) fn only_reads(operation: &str) -> bool {
    operation.ends_with("analytics-query") || operation == "preview-order-amendment"
}

/// The tables, as the API lists them.
pub(super) fn schema() -> Value {
    let column = |(name, kind, comment): &(&str, &str, &str)| json!({"name": name, "type": kind, "comment": comment});
    let view = |table: &Definition| {
        let columns: Vec<Value> = table.columns.iter().map(column).collect();
        json!({"name": table.name, "comment": table.comment, "columns": columns})
    };
    json!({"views": TABLES.iter().map(view).collect::<Vec<_>>()})
}
