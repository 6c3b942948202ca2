//! Changes of a value model's content.

use serde_json::{Map, Value, json};

use super::super::refusal::Refusal;
use super::reading::UNIT_VALUE;

/// The variable that a conversion with one rate has.
const RATE: &str = "rate";

pub(super) fn metric<'a>(content: &'a Value, slug: &str) -> Result<&'a Value, Refusal> {
    let metrics = content["valueTypes"].as_array().into_iter().flatten();
    metrics.into_iter().find(|metric| metric["slug"] == slug).ok_or_else(|| Refusal::not_found("value metric", slug))
}

pub(super) fn metric_mut<'a>(content: &'a mut Value, slug: &str) -> Result<&'a mut Map<String, Value>, Refusal> {
    let metrics = content["valueTypes"].as_array_mut().into_iter().flatten();
    let found = metrics.into_iter().find(|metric| metric["slug"] == slug);
    found.and_then(Value::as_object_mut).ok_or_else(|| Refusal::not_found("value metric", slug))
}

/// Adds an item to a list of the content.
pub(super) fn push(content: &mut Value, list: &str, item: Value) {
    match content[list].as_array_mut() {
        Some(items) => items.push(item),
        None => content[list] = json!([item]),
    }
}

/// The conversion that multiplies by one rate.
pub(super) fn conversion(given: &Value) -> Value {
    json!({
        "expression": format!("{UNIT_VALUE} * {RATE}"),
        "variables": [{"id": RATE, "label": given["label"].as_str().unwrap_or(RATE), "default": given["valuePerUnit"]}],
    })
}

/// What a conversion multiplies by, if it does nothing else: the variable.
pub(super) fn rate(conversion: &Value) -> Option<&Value> {
    let variables = conversion["variables"].as_array()?;
    let [variable] = variables.as_slice() else { return None };
    let name = variable["id"].as_str()?;
    let expression: String = conversion["expression"].as_str()?.split_whitespace().collect();
    let multiplies = [format!("{UNIT_VALUE}*{name}"), format!("{name}*{UNIT_VALUE}")].contains(&expression);
    let plain = conversion["conditions"].as_array().is_none_or(Vec::is_empty);
    (multiplies && plain).then_some(variable)
}

/// Edits a variable of a metric's formulas: how it is shown, and the number that its signals have in their place.
pub(super) fn variable(content: &mut Value, slug: &str, name: &str, edit: &Value) -> Result<(), Refusal> {
    let mut formulas = Vec::new();
    for formula in content["formulas"].as_array_mut().into_iter().flatten() {
        if formula["valueTypeSlug"] != slug {
            continue;
        }
        let id = formula["id"].clone();
        let variables = formula["variables"].as_array_mut().into_iter().flatten();
        if let Some(variable) = variables.into_iter().find(|variable| variable["id"] == name) {
            show(variable, edit);
            formulas.push(id);
        }
    }
    if formulas.is_empty() {
        let error = format!("the formula of {slug:?} has no variable {name:?}");
        return Err(Refusal::invalid(&format!("body.variables.{name}"), error));
    }
    if edit["value"].is_null() {
        return Ok(());
    }
    for signal in content["signals"].as_array_mut().into_iter().flatten() {
        if formulas.contains(&signal["formulaId"]) {
            if !signal["defaults"].is_object() {
                signal["defaults"] = json!({});
            }
            signal["defaults"][name] = edit["value"].clone();
        }
    }
    Ok(())
}

fn show(variable: &mut Value, edit: &Value) {
    let Some(variable) = variable.as_object_mut() else { return };
    for key in ["label", "format", "formatUnit"] {
        match edit.get(key) {
            None => {}
            Some(Value::Null) => {
                variable.remove(key);
            }
            Some(value) => {
                variable.insert(key.to_owned(), value.clone());
            }
        }
    }
}
