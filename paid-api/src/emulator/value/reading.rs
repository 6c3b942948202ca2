//! Reads a value model from its JSON. What it cannot calculate is refused, with its place.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use iso_currency::Currency;
use rust_decimal::Decimal;
use serde_json::Value;

use super::super::numbers::amount;
use super::super::refusal::Refusal;
use super::condition::{Condition, result};
use super::expression::Expression;
use super::model::{Binding, Calculation, Choice, Conversion, Formula, Limits, Metric, Model, Override, SegmentTable};
use super::unit::Unit;
use crate::Timestamp;

/// The variable of a conversion that holds the value in the metric's unit.
pub(super) const UNIT_VALUE: &str = "unit_value";

/// Reads the content of a value model. Whether its parts name each other is checked apart.
pub(super) fn model(content: &Value, place: &str) -> Result<Model, Refusal> {
    let not_done = |key: &str| content[key].as_array().is_some_and(|items| !items.is_empty());
    if not_done("flows") {
        let what = format!("value of flows, as nothing says what their value is ({place}.flows)");
        return Err(Refusal::not_implemented(&what));
    }
    Ok(Model {
        currency: currency(&content["currency"], &format!("{place}.currency"))?,
        metrics: each(content, "valueTypes", place, metric)?,
        formulas: each(content, "formulas", place, formula)?,
        bindings: each(content, "signals", place, binding)?,
        tables: each(content, "segmentTables", place, table)?,
        overrides: each(content, "overrides", place, customers)?,
    })
}

/// Reads the items of a list.
fn each<T>(
    object: &Value,
    key: &str,
    place: &str,
    read: fn(&Value, &str) -> Result<T, Refusal>,
) -> Result<Vec<T>, Refusal> {
    let items = object[key].as_array().into_iter().flatten().enumerate();
    items.map(|(index, item)| read(item, &format!("{place}.{key}.{index}"))).collect()
}

fn text(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_default().to_owned()
}

fn texts<T: FromIterator<String>>(object: &Value, key: &str) -> T {
    object[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn decimals(object: &Value) -> BTreeMap<String, Decimal> {
    let values = object.as_object().into_iter().flatten();
    values.filter_map(|(name, value)| Some((name.clone(), amount(value)?))).collect()
}

fn values(object: &Value) -> BTreeMap<String, Value> {
    object.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

pub(super) fn currency(code: &Value, place: &str) -> Result<String, Refusal> {
    let code = code.as_str().unwrap_or_default();
    match Currency::from_code(&code.to_uppercase()) {
        Some(currency) => Ok(currency.code().to_owned()),
        None => Err(Refusal::invalid(place, format!("{code:?} is no currency of ISO 4217"))),
    }
}

fn expression(text: &Value, place: &str) -> Result<Expression, Refusal> {
    Expression::parse(text.as_str().unwrap_or_default()).map_err(|problem| Refusal::invalid(place, problem))
}

/// Refuses an expression that names what is no variable.
fn check_names(expression: &Expression, known: &BTreeSet<String>, place: &str) -> Result<(), Refusal> {
    match expression.names().into_iter().find(|name| !known.contains(*name)) {
        Some(name) => Err(Refusal::invalid(place, format!("{name:?} is none of the variables"))),
        None => Ok(()),
    }
}

/// The conditions and the result without them. All of it may name these variables.
fn choice(object: &Value, known: &BTreeSet<String>, place: &str) -> Result<Choice, Refusal> {
    let conditions: Vec<Condition> = each(object, "conditions", place, Condition::read)?;
    for (index, condition) in conditions.iter().enumerate() {
        check_names(&condition.result, known, &format!("{place}.conditions.{index}.result.expression"))?;
    }
    let plain = expression(&object["expression"], &format!("{place}.expression"))?;
    check_names(&plain, known, &format!("{place}.expression"))?;
    let otherwise = match &object["defaultResult"] {
        Value::Null => plain,
        _ if conditions.is_empty() => {
            return Err(Refusal::invalid(&format!("{place}.defaultResult"), "there are no conditions"));
        }
        default => {
            let place = format!("{place}.defaultResult");
            let otherwise = result(default, &place)?;
            check_names(&otherwise, known, &place)?;
            otherwise
        }
    };
    Ok(Choice { conditions, otherwise })
}

fn ids(variables: &Value) -> BTreeSet<String> {
    variables.as_array().into_iter().flatten().map(|variable| text(variable, "id")).collect()
}

pub(super) fn formula(formula: &Value, place: &str) -> Result<Formula, Refusal> {
    let variables = formula["variables"].as_array().into_iter().flatten();
    for (index, variable) in variables.enumerate() {
        if !variable["derivedFrom"].is_null() {
            let what = format!(
                "derived variables, as nothing says in which unit the source is ({place}.variables.{index}.derivedFrom)"
            );
            return Err(Refusal::not_implemented(&what));
        }
    }
    let choice = choice(formula, &ids(&formula["variables"]), place)?;
    Ok(Formula { id: text(formula, "id"), metric: text(formula, "valueTypeSlug"), choice })
}

/// The conversion into money, for a metric that has one.
fn conversion(conversion: &Value, place: &str) -> Result<Option<Conversion>, Refusal> {
    if conversion.is_null() {
        return Ok(None);
    }
    let mut known = ids(&conversion["variables"]);
    known.insert(UNIT_VALUE.to_owned());
    let variables = conversion["variables"].as_array().into_iter().flatten();
    let variables = variables.filter_map(|variable| Some((text(variable, "id"), amount(&variable["default"])?)));
    let variables = variables.collect();
    Ok(Some(Conversion { choice: choice(conversion, &known, place)?, variables }))
}

fn metric(metric: &Value, place: &str) -> Result<Metric, Refusal> {
    if !metric["maturation"].is_null() {
        let what = format!("value that matures, as nothing says what is in it ({place}.maturation)");
        return Err(Refusal::not_implemented(&what));
    }
    let mut timeline = each(metric, "calculationTimeline", place, dated)?;
    if timeline.is_empty() {
        if metric["unit"].is_null() {
            return Err(Refusal::invalid(&format!("{place}.unit"), "needs a unit, or a calculationTimeline"));
        }
        let unit = Unit::read(&metric["unit"], &format!("{place}.unit"))?;
        let conversion = conversion(&metric["monetaryConversion"], &format!("{place}.monetaryConversion"))?;
        timeline.push((DateTime::<Utc>::MIN_UTC, Calculation { unit, conversion, limits: None }));
    }
    timeline.sort_by_key(|(from, _)| *from);
    Ok(Metric { slug: text(metric, "slug"), archived: !metric["archivedAt"].is_null(), timeline })
}

fn dated(entry: &Value, place: &str) -> Result<(DateTime<Utc>, Calculation), Refusal> {
    let from = time(&entry["effectiveFrom"], &format!("{place}.effectiveFrom"))?;
    let (given, place) = (&entry["calculation"], format!("{place}.calculation"));
    let limits = Limits {
        formulas: texts(given, "formulaIds"),
        events: texts(given, "signalEventNames"),
        tables: texts(given, "segmentTableIds"),
        overrides: texts(given, "overrideIds"),
    };
    let unit = Unit::read(&given["unit"], &format!("{place}.unit"))?;
    let conversion = conversion(&given["monetaryConversion"], &format!("{place}.monetaryConversion"))?;
    Ok((from, Calculation { unit, conversion, limits: Some(limits) }))
}

pub(super) fn time(text: &Value, place: &str) -> Result<DateTime<Utc>, Refusal> {
    let text = text.as_str().unwrap_or_default();
    match text.parse::<Timestamp>() {
        Ok(time) => Ok(*time),
        Err(_) => Err(Refusal::invalid(place, format!("{text:?} is no time"))),
    }
}

fn binding(signal: &Value, place: &str) -> Result<Binding, Refusal> {
    let event = text(signal, "eventName");
    if event.is_empty() {
        return Err(Refusal::invalid(&format!("{place}.eventName"), "is empty"));
    }
    let mapping = signal["variableMapping"].as_object().into_iter().flatten();
    let mapping = mapping.filter_map(|(name, path)| Some((name.clone(), path.as_str()?.to_owned())));
    Ok(Binding {
        event,
        label: text(signal, "label"),
        description: signal["description"].as_str().map(str::to_owned),
        tags: texts(signal, "tags"),
        formula: signal["formulaId"].as_str().map(str::to_owned),
        defaults: values(&signal["defaults"]),
        mapping: mapping.collect(),
        tables: texts(signal, "segmentTableIds"),
    })
}

fn table(table: &Value, _: &str) -> Result<SegmentTable, Refusal> {
    let rows = table["rows"].as_array().into_iter().flatten();
    let segment = |row: &Value| {
        let values = row["segmentValues"].as_object().into_iter().flatten();
        values.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    };
    Ok(SegmentTable {
        id: text(table, "id"),
        keys: texts(table, "segmentKeys"),
        rows: rows.map(|row| (segment(row), decimals(&row["variables"]))).collect(),
        default: decimals(&table["defaultRow"]),
    })
}

fn customers(given: &Value, place: &str) -> Result<Override, Refusal> {
    let scope = &given["scope"];
    // Nothing says whether these are variables of formulas or of conversions.
    if given["valueTypeOverrides"].as_object().is_some_and(|overrides| !overrides.is_empty()) {
        return Err(Refusal::not_implemented(&format!("overrides of value types ({place}.valueTypeOverrides)")));
    }
    let currency = match &given["currency"] {
        Value::Null => None,
        code => Some(currency(code, &format!("{place}.currency"))?),
    };
    let signals = given["signalOverrides"].as_object().into_iter().flatten();
    let conversions = given["monetaryConversionOverrides"].as_object().into_iter().flatten();
    let conversions = conversions.map(|(slug, value)| (slug.clone(), decimals(&value["variables"]))).collect();
    Ok(Override {
        id: text(given, "id"),
        customers: texts(scope, "customerIds"),
        groups: texts(scope, "customerGroupIds"),
        currency,
        bindings: each(given, "additionalSignals", place, binding)?,
        defaults: signals.map(|(event, value)| (event.clone(), values(&value["defaults"]))).collect(),
        conversions,
    })
}
