//! Value metrics, as the API shows them.

use serde_json::{Value, json};

use super::edits::{metric, rate};
use super::unit::Unit;
use crate::Timestamp;

/// A metric in a list.
pub(super) fn summary(metric: &Value) -> Value {
    json!({
        "slug": metric["slug"],
        "name": metric["name"],
        "category": metric["category"],
        "description": metric["description"],
        "archivedAt": metric["archivedAt"],
        "unit": unit(metric),
        "monetaryConversion": conversion(&current(metric, "monetaryConversion")),
    })
}

/// A metric with its formula and its signals.
pub(super) fn detail(content: &Value, slug: &str) -> Value {
    let Ok(metric) = metric(content, slug) else { return Value::Null };
    let mut shown = summary(metric);
    shown["longDescription"] = metric["longDescription"].clone();
    shown["sources"] = metric["sources"].clone();
    shown["formula"] = formula(content, slug);
    let formulas = content["formulas"].as_array().into_iter().flatten();
    let ids: Vec<&Value> =
        formulas.filter(|formula| formula["valueTypeSlug"] == slug).map(|formula| &formula["id"]).collect();
    let signals = content["signals"].as_array().into_iter().flatten();
    shown["signals"] = signals.filter(|signal| ids.contains(&&signal["formulaId"])).map(binding).collect();
    shown
}

/// The first formula of a metric, or null.
pub(super) fn formula(content: &Value, slug: &str) -> Value {
    let formulas = content["formulas"].as_array().into_iter().flatten();
    let Some(formula) = formulas.into_iter().find(|formula| formula["valueTypeSlug"] == slug) else {
        return Value::Null;
    };
    let variables = formula["variables"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|variable| only(variable, &["id", "label", "description", "type", "format", "formatUnit"]));
    json!({
        "id": formula["id"],
        "label": formula["label"],
        "expression": formula["expression"],
        "variables": variables.collect::<Value>(),
    })
}

/// The unit of a metric now.
pub(super) fn unit(metric: &Value) -> Value {
    Unit::read(&current(metric, "unit"), "").map_or(Value::Null, |unit| unit.shown())
}

/// A property that the latest calculation of the timeline has, if there is one.
pub(super) fn current(metric: &Value, key: &str) -> Value {
    let timeline = metric["calculationTimeline"].as_array().into_iter().flatten();
    let from = |entry: &Value| entry["effectiveFrom"].as_str().and_then(|from| from.parse::<Timestamp>().ok());
    let latest = timeline.max_by_key(|entry| from(entry));
    latest.map_or_else(|| metric[key].clone(), |entry| entry["calculation"][key].clone())
}

/// A conversion into money, or null.
pub(super) fn conversion(conversion: &Value) -> Value {
    if conversion.is_null() {
        return Value::Null;
    }
    let rate = rate(conversion);
    json!({
        "expression": conversion["expression"],
        "variables": conversion["variables"].as_array().cloned().unwrap_or_default(),
        "label": rate.map(|rate| &rate["label"]),
        "valuePerUnit": rate.map(|rate| &rate["default"]),
    })
}

fn binding(signal: &Value) -> Value {
    let mut shown = only(signal, &["eventName", "label", "description", "labels", "tags"]);
    let defaults = signal["defaults"].as_object().into_iter().flatten();
    let numbers: Value = Value::Object(
        defaults.filter(|(_, value)| value.is_number()).map(|(key, value)| (key.clone(), value.clone())).collect(),
    );
    shown["defaults"] = numbers;
    shown
}

/// These properties of an object, if it has them.
fn only(object: &Value, keys: &[&str]) -> Value {
    let present = keys.iter().filter_map(|key| Some(((*key).to_owned(), object.get(key)?.clone())));
    Value::Object(present.filter(|(_, value)| !value.is_null()).collect())
}
