//! Analytics, custom views and exports of signals of the emulated account: the operations, over its tables.

use std::time::Instant;

use serde_json::{Value, json};

use super::analytics::{Answer, Question, Window, metadata, schema, shown_time};
use super::contract::Matched;
use super::refusal::{Refusal, Reply};
use super::rows::Rows;
use super::sqlite;
use super::store::Store;
use super::summaries::{Customer, Months, Usage, Written};
use super::table::text;
use super::views::{Query, View, ViewPeriod, token};
use crate::{JsonObject, Timestamp};

/// Executes an operation of this group; `None` if it is of another.
pub(super) fn execute(store: &mut Store, matched: &Matched, body: &Value) -> Option<Reply> {
    let now = store.clock.now();
    let reply = match matched.operation.as_str() {
        "get-analytics-schema" | "get-experimental-analytics-schema" => Ok(schema()),
        "get-signals-metadata" | "get-experimental-signals-metadata" => signals_metadata(store, matched),
        "execute-analytics-query" | "execute-experimental-analytics-query" => {
            store.roll();
            analytics_query(store, body)
        }
        "list-custom-views" => Ok(store.views.list()),
        "get-custom-view" => store.views.get(matched),
        "create-custom-view" => {
            let mut views = std::mem::take(&mut store.views);
            let reply = views.create(body, &|query, place| check(query, place, now), || store.id("view"), now);
            store.views = views;
            reply
        }
        "update-custom-view" => store.views.update(matched, body, &|query, place| check(query, place, now)),
        "update-custom-view-period" => store.views.update_period(matched, body),
        "publish-custom-view" => store.views.publish(matched),
        "get-custom-view-data" => {
            store.roll();
            view_data(store, matched)
        }
        "get-custom-view-embed-token" => embed_token(store, matched),
        "create-signal-summary-export" => create_export(store, body),
        "get-signal-summary-export" => store.summaries.get(matched, now),
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
    Ok(metadata(&window, signals.map(|signal| (signal.event_name, signal.data()))))
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

/// Refuses a statement of a view that is no `SELECT`.
fn check(query: &Query, place: &str, now: Timestamp) -> Result<(), Refusal> {
    sqlite::check(&Question { sql: &query.sql, now: shown_time(now), period: None, place })
}

/// The customer that a view is shown for, by Paid's id or the user's own.
fn customer<'a>(store: &'a Store, id: &str) -> Result<&'a JsonObject, Refusal> {
    let found = store.customers.find("id", id).or_else(|| store.customers.find("externalId", id));
    found.ok_or_else(|| Refusal::not_found("customer", id))
}

fn view_data(store: &Store, matched: &Matched) -> Reply {
    let view = store.views.view(matched)?;
    let asked = ViewPeriod::of_query(matched)?;
    if asked.is_some() && !view.queries.iter().any(Query::has_period) {
        return Err(Refusal::invalid("query.periodKind", "no query of the view is about a period"));
    }
    let customer = match (view.is_of_organization, matched.query.get("customerId")) {
        (true, _) => None,
        (false, Some(id)) => text(customer(store, id)?, "id"),
        (false, None) => return Err(Refusal::invalid("query.customerId", "is needed: the view is about one customer")),
    };
    let now = store.clock.now();
    let period = match asked.as_ref().or(view.period.as_ref()) {
        None => None,
        Some(period) => {
            let beyond = || Refusal::invalid("query.periodAmount", "begins before all times that can be written");
            let (start, end) = period.bounds(now).ok_or_else(beyond)?;
            Some((shown_time(start), shown_time(end)))
        }
    };
    let rows = Rows { store, customer };
    let mut data = serde_json::Map::new();
    for query in &view.queries {
        let place = format!("queries.{}.sql", query.id);
        let question = Question { sql: &query.sql, now: shown_time(now), period: period.clone(), place: &place };
        let answer = sqlite::query(&question, &|table| rows.of(table)).map_err(of_view)?;
        data.insert(query.id.clone(), objects(answer, view, &place)?);
    }
    Ok(json!({"data": data}))
}

/// The document has no 422 for views.
fn of_view(refusal: Refusal) -> Refusal {
    Refusal { status: if refusal.status == 422 { 400 } else { refusal.status }, ..refusal }
}

/// The rows of an answer as objects. An answer that is cut off would look whole.
fn objects(answer: Answer, view: &View, place: &str) -> Reply {
    if answer.truncated {
        let error = format!("a query of the view {} finds more rows than an answer has", view.id);
        return Err(Refusal::invalid(place, error));
    }
    let names: Vec<String> = answer.columns.into_iter().map(|(name, _)| name).collect();
    let object = |row: Vec<Value>| names.iter().cloned().zip(row).collect::<serde_json::Map<_, _>>();
    Ok(answer.rows.into_iter().map(|row| Value::Object(object(row))).collect())
}

fn embed_token(store: &Store, matched: &Matched) -> Reply {
    let view = store.views.view(matched)?;
    view.check_embeddable()?;
    let asked = matched.query.get("customerId").map(String::as_str).unwrap_or_default();
    let id = text(customer(store, asked)?, "id").unwrap_or_default();
    token(matched, &view.id, id, store.clock.now())
}

fn create_export(store: &mut Store, body: &Value) -> Reply {
    let spec = store.summaries.spec(body)?;
    let written = Written::new(spec, Months::of_body(body)?, &exported(store, body)?)?;
    let id = store.id("exp");
    Ok(store.summaries.add(id, written, store.clock.now()))
}

/// The customers of an export, with all their signals.
fn exported<'a>(store: &'a Store, body: &Value) -> Result<Vec<Customer<'a>>, Refusal> {
    let mut rows: Vec<&JsonObject> = Vec::new();
    match body["customerIds"].as_array() {
        None => rows.extend(store.customers.rows()),
        Some(ids) => {
            for id in ids.iter().filter_map(Value::as_str) {
                let found = customer(store, id)?;
                if !rows.iter().any(|known| text(known, "id") == text(found, "id")) {
                    rows.push(found);
                }
            }
        }
    }
    let with_signals = rows.into_iter().map(|row| {
        let id = text(row, "id").unwrap_or_default();
        let signals = store.signals.iter().filter(|signal| signal.customer == id);
        let signals = signals.map(|signal| Usage { event: signal.event_name, at: *signal.at, data: signal.data() });
        Customer {
            id,
            external: text(row, "externalId"),
            name: text(row, "name").unwrap_or_default(),
            signals: signals.collect(),
        }
    });
    Ok(with_signals.collect())
}
