//! Analytics of the emulated account: the operations, over its tables.

use std::time::Instant;

use serde_json::{Value, json};

use super::analytics::{Question, Window, metadata, schema, shown_time};
use super::contract::Matched;
use super::refusal::Reply;
use super::rows::Rows;
use super::sqlite;
use super::store::Store;

/// Executes an operation of this group; `None` if it is of another.
pub(super) fn execute(store: &mut Store, matched: &Matched, body: &Value) -> Option<Reply> {
    let reply = match matched.operation.as_str() {
        "get-analytics-schema" | "get-experimental-analytics-schema" => Ok(schema()),
        "get-signals-metadata" | "get-experimental-signals-metadata" => signals_metadata(store, matched),
        "execute-analytics-query" | "execute-experimental-analytics-query" => {
            store.roll();
            analytics_query(store, body)
        }
        _ => return None,
    };
    Some(reply)
}

fn signals_metadata(store: &Store, matched: &Matched) -> Reply {
    let window = Window::of_query(matched, store.clock.now())?;
    let wanted = matched.query.get("signalName");
    let signals = store
        .signals
        .iter()
        .filter(|signal| window.holds(signal.at) && wanted.is_none_or(|name| *name == signal.event_name));
    Ok(metadata(&window, signals.map(|signal| (signal.event_name.as_str(), &signal.data))))
}

fn analytics_query(store: &Store, body: &Value) -> Reply {
    let sql = body["query"].as_str().unwrap_or_default();
    let now = shown_time(store.clock.now());
    let question = Question { sql, now, period: None, place: "body.query" };
    let rows = Rows { store, customer: None };
    let started = Instant::now();
    let answer = sqlite::query(&question, &|table| rows.of(table))?;
    let elapsed = started.elapsed().as_micros();
    let columns = answer.columns.iter().map(|(name, kind)| json!({"name": name, "type": kind}));
    Ok(json!({
        "columns": columns.collect::<Vec<_>>(),
        "meta": {
            "elapsedMs": u32::try_from(elapsed).map_or(f64::MAX, f64::from) / 1000.0,
            "rowCount": answer.rows.len(),
            "truncated": answer.truncated,
        },
        "rows": answer.rows,
    }))
}
