//! How a metric's total came about, as one product: `40 tickets × 45 minutes ÷ 60`.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::pricing::number;
use super::expression::Factor;
use super::fraction::{Fraction, total};
use super::period::shown;
use super::worth::{Band, Worth};

/// The products of a metric's worths, one for each way in which they were calculated. `None` if one of the ways is no
/// product: its formula adds or has conditions, or its signals differ in their values.
pub(super) fn calculations(worths: &[&Worth<'_>], content: &Value) -> Option<Value> {
    let mut ways: Vec<Vec<&Worth<'_>>> = Vec::new();
    for worth in worths {
        let is_same = |way: &Vec<&Worth<'_>>| way.first().is_some_and(|first| std::ptr::eq(first.unit, worth.unit));
        match ways.iter_mut().find(|way| is_same(way)) {
            Some(way) => way.push(worth),
            None => ways.push(vec![worth]),
        }
    }
    ways.sort_by_key(|way| way.iter().map(|worth| worth.signal.at).min());
    let shown: Option<Vec<Value>> = ways.iter().map(|way| product(way, content)).collect();
    shown.filter(|shown| !shown.is_empty()).map(Value::from)
}

fn product(way: &[&Worth<'_>], content: &Value) -> Option<Value> {
    let first = *way.first()?;
    let alike = |worth: &&&Worth<'_>| {
        worth.band == Band::None
            && worth.variables == first.variables
            && std::ptr::eq(worth.formula, first.formula)
            && std::ptr::eq(worth.binding, first.binding)
    };
    if way.iter().filter(alike).count() < way.len() {
        return None;
    }
    let factors = first.formula.choice.otherwise.product()?;
    let count = total(way.iter().map(|worth| worth.quantity));
    let total = way.iter().fold(Fraction::ZERO, |sum, worth| sum.and(worth.units));
    let counted = json!({"label": first.binding.label, "value": number(count)});
    let mut terms = vec![counted];
    let mut product = Fraction::of(count);
    for (divides, factor) in factors {
        let value = match factor {
            Factor::Number(value) => value,
            Factor::Name(name) => *first.variables.get(name)?,
        };
        let next = Fraction::of(value);
        product = if divides { product.over(next)? } else { product.times(next)? };
        let mut term = match factor {
            Factor::Number(value) => json!({"label": value.to_string()}),
            Factor::Name(name) => term(content, &first.formula.id, name),
        };
        term["value"] = number(value);
        term["operator"] = if divides { "÷" } else { "×" }.into();
        // A factor of one says nothing.
        if factor != Factor::Number(Decimal::ONE) {
            terms.push(term);
        }
    }
    // A formula that reads the quantity itself is not multiplied by it.
    if product.value() != total.value() {
        return None;
    }
    let times = way.iter().map(|worth| worth.signal.at);
    Some(json!({
        "startDate": shown(times.clone().min()?),
        "endDate": shown(times.max()?),
        "terms": terms,
        "unitTotal": number(total.shown()),
    }))
}

/// How a variable is shown.
fn term(content: &Value, formula: &str, name: &str) -> Value {
    let formulas = content["formulas"].as_array().into_iter().flatten();
    let variables = formulas.filter(|each| each["id"] == formula).flat_map(|each| each["variables"].as_array());
    let variable = variables.flatten().find(|variable| variable["id"] == name);
    let mut term = json!({"label": variable.map_or(&Value::Null, |variable| &variable["label"])});
    for key in ["format", "formatUnit"] {
        if let Some(value) = variable.and_then(|variable| variable.get(key)).filter(|value| !value.is_null()) {
            term[key] = value.clone();
        }
    }
    term
}
