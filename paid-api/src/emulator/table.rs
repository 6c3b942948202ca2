//! Lists of JSON objects, and the queries that the API's lists support.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Value, json};

use super::contract::Matched;
use super::refusal::Refusal;
use crate::{JsonObject, Timestamp};

/// The properties that name one row.
const KEYS: [&str; 2] = ["id", "externalId"];

/// Objects with an `id`, in the order in which they were created.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<JsonObject>,
    /// Where rows were, by their id and external id, when they came. A hint: rows change.
    places: HashMap<String, usize>,
}

/// What is in it, and not where: two tables of the same rows are alike.
impl fmt::Debug for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.fmt(formatter)
    }
}

/// A property, if it is a string.
pub(super) fn text<'a>(object: &'a JsonObject, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

impl Table {
    pub(super) fn rows(&self) -> &[JsonObject] {
        &self.rows
    }

    pub(super) fn find(&self, key: &str, value: &str) -> Option<&JsonObject> {
        self.place(key, value).and_then(|at| self.rows.get(at))
    }

    pub(super) fn find_mut(&mut self, key: &str, value: &str) -> Option<&mut JsonObject> {
        self.place(key, value).and_then(|at| self.rows.get_mut(at))
    }

    pub(super) fn find_mut_where(&mut self, is_meant: impl Fn(&JsonObject) -> bool) -> Option<&mut JsonObject> {
        self.rows.iter_mut().find(|row| is_meant(row))
    }

    /// Refuses an update that gives the object at `key` = `value` an external id of another.
    pub(super) fn check_free(&self, key: &str, value: &str, update: &Value, what: &str) -> Result<(), Refusal> {
        let Some(external) = update["externalId"].as_str() else { return Ok(()) };
        let own = self.find(key, value).and_then(|row| text(row, "id"));
        match self.find("externalId", external) {
            Some(other) if text(other, "id") != own => {
                Err(Refusal::invalid("body.externalId", format!("another {what} has the external id {external:?}")))
            }
            _ => Ok(()),
        }
    }

    fn place(&self, key: &str, value: &str) -> Option<usize> {
        let is_meant = |row: &JsonObject| text(row, key) == Some(value);
        let hint = if KEYS.contains(&key) { self.places.get(value).copied() } else { None };
        hint.filter(|at| self.rows.get(*at).is_some_and(is_meant)).or_else(|| self.rows.iter().position(is_meant))
    }

    pub(super) fn push(&mut self, row: JsonObject) {
        for key in KEYS.iter().filter_map(|key| text(&row, key)) {
            self.places.insert(key.to_owned(), self.rows.len());
        }
        self.rows.push(row);
    }

    pub(super) fn remove(&mut self, key: &str, value: &str) -> Option<JsonObject> {
        let at = self.place(key, value)?;
        // The rows after it move.
        self.places.clear();
        Some(self.rows.remove(at))
    }
}

/// The property and the value that a path addresses an object by: `id` or `externalId`.
pub(super) fn addressed(matched: &Matched) -> (&'static str, &str) {
    match matched.path.get("id") {
        Some(id) => ("id", id),
        None => ("externalId", matched.path.get("externalId").map(String::as_str).unwrap_or_default()),
    }
}

/// One page of these rows, as the query asks for it.
pub(super) fn page(rows: impl Iterator<Item = Value>, matched: &Matched) -> Value {
    page_of(rows, matched, |row| row)
}

/// The limit and the offset of a query.
fn bounds(matched: &Matched) -> (usize, usize) {
    let number = |name: &str, default: usize| {
        let given = matched.query.get(name).and_then(|text| text.parse::<i64>().ok());
        given.map_or(default, |value| usize::try_from(value).unwrap_or(0))
    };
    (number("limit", 10), number("offset", 0))
}

/// One page of so many rows, which are found by their number.
pub(super) fn page_at(total: usize, matched: &Matched, show: impl Fn(usize) -> Option<Value>) -> Value {
    let (limit, offset) = bounds(matched);
    let data: Vec<Value> = (offset..total.min(offset.saturating_add(limit))).filter_map(show).collect();
    let has_more = offset.saturating_add(data.len()) < total && !data.is_empty();
    json!({"data": data, "pagination": {"limit": limit, "offset": offset, "total": total, "hasMore": has_more}})
}

/// One page of these rows, of which only those on the page are made ready to be shown.
pub(super) fn page_of<T>(rows: impl Iterator<Item = T>, matched: &Matched, show: impl Fn(T) -> Value) -> Value {
    let (limit, offset) = bounds(matched);
    let mut total = 0;
    let mut data = Vec::new();
    for row in rows {
        if total >= offset && data.len() < limit {
            data.push(show(row));
        }
        total += 1;
    }
    let has_more = offset.saturating_add(data.len()) < total && !data.is_empty();
    json!({"data": data, "pagination": {"limit": limit, "offset": offset, "total": total, "hasMore": has_more}})
}

/// Returns true if a row matches the filters of a list: `xFrom` and `xTo` are bounds of the time `x`, `name` is a part of the
/// name, and every other filter is an exact value.
pub(super) fn passes(row: &JsonObject, matched: &Matched) -> bool {
    matched.query.iter().all(|(name, wanted)| {
        let time = |key: &str| row.get(key).and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
        let bound = wanted.parse::<Timestamp>().ok();
        match name.as_str() {
            "limit" | "offset" => true,
            "archived" => row.get("archivedAt").is_some_and(|at| at.is_null() != (wanted == "true")),
            "name" => text(row, name).is_some_and(|value| value.to_lowercase().contains(&wanted.to_lowercase())),
            _ if name.ends_with("From") => time(name.trim_end_matches("From")) >= bound,
            _ if name.ends_with("To") => time(name.trim_end_matches("To")).is_some_and(|time| Some(time) <= bound),
            _ => match row.get(name) {
                Some(Value::Bool(value)) => value.to_string() == *wanted,
                Some(Value::String(value)) => value == wanted,
                _ => false,
            },
        }
    })
}

/// Replaces the properties of a row that an update contains.
pub(super) fn merge(row: &mut JsonObject, update: &Value, now: Value) {
    for (key, value) in update.as_object().into_iter().flatten() {
        row.insert(key.clone(), value.clone());
    }
    row.insert("updatedAt".into(), now);
}

/// A property of a request, or a default if the request does not have it.
pub(super) fn given(body: &Value, key: &str, default: impl Into<Value>) -> Value {
    body.get(key).cloned().unwrap_or_else(|| default.into())
}
