//! The keys of signals' data, with the types of their values.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Days;
use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::refusal::Refusal;
use crate::Timestamp;

/// How far back signals are looked at, in days, if it is not said.
const DAYS: u64 = 30;

/// The time whose signals are looked at.
pub(in crate::emulator) struct Window {
    from: Timestamp,
    to: Timestamp,
}

impl Window {
    /// The window of a query; the last 30 days, if it has none.
    pub(in crate::emulator) fn of_query(matched: &Matched, now: Timestamp) -> Result<Self, Refusal> {
        let time = |key: &str| match matched.query.get(key) {
            None => Ok(None),
            Some(text) => match text.parse::<Timestamp>() {
                Ok(time) => Ok(Some(time)),
                Err(_) => Err(Refusal::invalid(&format!("query.{key}"), format!("{text:?} is no time"))),
            },
        };
        let to = time("toDate")?.unwrap_or(now);
        let before = to.checked_sub_days(Days::new(DAYS)).map_or(to, Timestamp::from);
        let from = time("fromDate")?.unwrap_or(before);
        if from > to {
            return Err(Refusal::invalid("query.fromDate", "is after toDate"));
        }
        Ok(Self { from, to })
    }

    pub(in crate::emulator) fn holds(&self, time: Timestamp) -> bool {
        (self.from..=self.to).contains(&time)
    }
}

/// The paths and types in the data of these signals, by event name.
pub(in crate::emulator) fn metadata<'a>(window: &Window, signals: impl Iterator<Item = (&'a str, Value)>) -> Value {
    let mut found: BTreeMap<&str, BTreeMap<String, BTreeSet<&'static str>>> = BTreeMap::new();
    for (name, data) in signals {
        visit(&data, String::new(), found.entry(name).or_default());
    }
    let shown = found.into_iter().map(|(name, paths)| {
        let paths: Vec<Value> = paths.into_iter().map(|(path, types)| json!({"path": path, "types": types})).collect();
        json!({"signalName": name, "paths": paths})
    });
    json!({
        "meta": {"fromDate": window.from.to_string(), "toDate": window.to.to_string()},
        "signals": shown.collect::<Vec<_>>(),
    })
}

/// Objects are gone into; lists and other values have a type.
fn visit(value: &Value, path: String, found: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let kind = match value {
        Value::Object(properties) => {
            for (name, value) in properties {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                visit(value, path, found);
            }
            return;
        }
        Value::Null => return,
        Value::Bool(_) => "Bool",
        Value::Number(number) if number.is_f64() => "Float64",
        Value::Number(number) if number.is_i64() => "Int64",
        Value::Number(_) => "UInt64",
        Value::String(_) => "String",
        Value::Array(_) => "Array(Dynamic)",
    };
    found.entry(path).or_default().insert(kind);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_their_types_are_gathered_by_event() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let window = Window { from: time("2026-01-01"), to: time("2026-02-01") };
        let first = json!({"lead": {"id": "l1", "score": 1.5}, "tags": ["a"], "none": null});
        let second = json!({"lead": {"id": 7}, "hot": true});
        let shown = metadata(&window, [("meeting", first), ("meeting", second), ("call", Value::Null)].into_iter());
        assert_eq!(shown["signals"][0], json!({"signalName": "call", "paths": []}));
        let paths = shown["signals"][1]["paths"].as_array().unwrap();
        let expected = json!([
            {"path": "hot", "types": ["Bool"]},
            {"path": "lead.id", "types": ["Int64", "String"]},
            {"path": "lead.score", "types": ["Float64"]},
            {"path": "tags", "types": ["Array(Dynamic)"]},
        ]);
        assert_eq!(Value::from(paths.clone()), expected);
    }
}
