//! Value metrics: one kind of value at a time, as a part of the value model. Every change makes a new version of the model.

use serde_json::{Map, Value, json};

use super::super::contract::Matched;
use super::super::refusal::{Refusal, Reply};
use super::super::table::page;
use super::edits;
use super::reading;
use super::shown;
use super::unit::Unit;
use super::versions::ValueModels;
use super::{conflict, slug};
use crate::Timestamp;

/// The most sources of a metric.
const SOURCES: usize = 3;

/// The properties of a metric that a request may set as they are.
const PLAIN: [&str; 4] = ["category", "description", "longDescription", "sources"];

impl ValueModels {
    pub(in crate::emulator) fn list_metrics(&self, matched: &Matched) -> Reply {
        let content = self.content()?;
        let all = matched.query.get("includeArchived").is_some_and(|all| all == "true");
        let metrics = content["valueTypes"].as_array().into_iter().flatten();
        let listed = metrics.filter(|metric| all || metric["archivedAt"].is_null());
        Ok(page(listed.map(shown::summary), matched))
    }

    pub(in crate::emulator) fn get_metric(&self, matched: &Matched) -> Reply {
        let slug = named(matched);
        let content = self.content()?;
        edits::metric(content, slug)?;
        Ok(shown::detail(content, slug))
    }

    /// Adds a metric to the model. `is_known` says whether signals of an event were sent or are billed.
    pub(in crate::emulator) fn create_metric(
        &mut self,
        body: &Value,
        is_known: &dyn Fn(&str) -> bool,
        now: Timestamp,
    ) -> Reply {
        let mut content = self.content()?.clone();
        self.check_version(body["expectedActiveVersion"].as_i64())?;
        check_sources(body)?;
        let name = body["name"].as_str().unwrap_or_default();
        let slug = body["slug"].as_str().map_or_else(|| slug(name), str::to_owned);
        if name.is_empty() || slug.is_empty() {
            return Err(Refusal::invalid("body.name", "has no letters or digits"));
        }
        if edits::metric(&content, &slug).is_ok() {
            return Err(conflict("body.slug", format!("there is a value metric {slug:?}")));
        }
        let event = body["signal"]["eventName"].as_str().unwrap_or_default();
        if !is_known(event) {
            let error = format!("no signal {event:?} was sent, and no active product bills one");
            return Err(Refusal::invalid("body.signal.eventName", error));
        }
        Unit::read(&body["unit"], "body.unit")?;
        reading::formula(&body["formula"], "body.formula")?;
        check_defaults(body)?;
        let formula = format!("{slug}_formula");
        let mut metric = json!({"slug": slug, "name": name, "unit": body["unit"]});
        for key in PLAIN.into_iter().filter(|key| !body[*key].is_null()) {
            metric[key] = body[key].clone();
        }
        if !body["monetaryConversion"].is_null() {
            metric["monetaryConversion"] = edits::conversion(&body["monetaryConversion"]);
        }
        edits::push(&mut content, "valueTypes", metric);
        let given = &body["formula"];
        edits::push(
            &mut content,
            "formulas",
            json!({
                "id": formula,
                "valueTypeSlug": slug,
                "label": given["label"].as_str().unwrap_or(name),
                "expression": given["expression"],
                "variables": given["variables"],
            }),
        );
        let mut signal = body["signal"].as_object().cloned().unwrap_or_default();
        signal.entry("label").or_insert_with(|| event.into());
        signal.insert("formulaId".into(), formula.into());
        edits::push(&mut content, "signals", signal.into());
        self.publish(content, "body", now)?;
        Ok(self.acknowledged(&slug, name))
    }

    pub(in crate::emulator) fn update_metric(&mut self, matched: &Matched, body: &Value, now: Timestamp) -> Reply {
        let slug = named(matched);
        let mut content = self.content()?.clone();
        edits::metric(&content, slug)?;
        self.check_version(body["expectedActiveVersion"].as_i64())?;
        check_sources(body)?;
        for (variable, edit) in body["variables"].as_object().into_iter().flatten() {
            edits::variable(&mut content, slug, variable, edit)?;
        }
        if let Some(unit) = body.get("unit") {
            Unit::read(unit, "body.unit")?;
        }
        let metric = edits::metric_mut(&mut content, slug)?;
        let calculated = ["unit", "monetaryConversion"].into_iter().find(|key| body.get(*key).is_some());
        if let Some(key) = calculated.filter(|_| has_timeline(metric)) {
            let what = format!("another {key} of a metric with a calculationTimeline (body.{key})");
            return Err(Refusal::not_implemented(&what));
        }
        for key in PLAIN.into_iter().chain(["name", "unit", "archivedAt"]) {
            if let Some(value) = body.get(key) {
                set(metric, key, value);
            }
        }
        match body.get("monetaryConversion") {
            None => {}
            Some(Value::Null) => set(metric, "monetaryConversion", &Value::Null),
            Some(given) => set(metric, "monetaryConversion", &edits::conversion(given)),
        }
        let name = metric.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(Refusal::invalid("body.name", "is empty"));
        }
        self.publish(content, "body", now)?;
        Ok(self.acknowledged(slug, &name))
    }

    /// Archives a metric. One that is archived stays as it is.
    pub(in crate::emulator) fn archive_metric(&mut self, matched: &Matched, now: Timestamp) -> Reply {
        let slug = named(matched);
        let mut content = self.content()?.clone();
        let expected = matched.query.get("expectedActiveVersion").and_then(|version| version.parse().ok());
        let metric = edits::metric_mut(&mut content, slug)?;
        self.check_version(expected)?;
        let name = metric.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if metric.get("archivedAt").is_none_or(Value::is_null) {
            set(metric, "archivedAt", &now.to_string().into());
            self.publish(content, "body", now)?;
        }
        Ok(self.acknowledged(slug, &name))
    }

    fn acknowledged(&self, slug: &str, name: &str) -> Value {
        json!({"slug": slug, "name": name, "version": self.active()})
    }

    fn check_version(&self, expected: Option<i64>) -> Result<(), Refusal> {
        let active = self.active();
        match expected.filter(|expected| usize::try_from(*expected) != Ok(active)) {
            Some(expected) => {
                Err(conflict("expectedActiveVersion", format!("the active version is {active}, not {expected}")))
            }
            None => Ok(()),
        }
    }
}

fn named(matched: &Matched) -> &str {
    matched.path.get("slug").map(String::as_str).unwrap_or_default()
}

fn has_timeline(metric: &Map<String, Value>) -> bool {
    metric.get("calculationTimeline").and_then(Value::as_array).is_some_and(|timeline| !timeline.is_empty())
}

/// Sets a property; null removes it.
fn set(metric: &mut Map<String, Value>, key: &str, value: &Value) {
    if value.is_null() {
        metric.remove(key);
    } else {
        metric.insert(key.to_owned(), value.clone());
    }
}

fn check_sources(body: &Value) -> Result<(), Refusal> {
    if body["sources"].as_array().is_some_and(|sources| sources.len() > SOURCES) {
        return Err(Refusal::invalid("body.sources", format!("has more than {SOURCES}")));
    }
    Ok(())
}

/// Every variable of the formula has a default, and nothing else has one.
fn check_defaults(body: &Value) -> Result<(), Refusal> {
    let defaults = body["signal"]["defaults"].as_object();
    let variables = body["formula"]["variables"].as_array().into_iter().flatten();
    let names: Vec<&str> = variables.filter_map(|variable| variable["id"].as_str()).collect();
    if let Some(name) = names.iter().find(|name| defaults.is_none_or(|defaults| !defaults.contains_key(**name))) {
        return Err(Refusal::invalid("body.signal.defaults", format!("has no number for the variable {name:?}")));
    }
    match defaults.into_iter().flatten().find(|(name, _)| !names.contains(&name.as_str())) {
        Some((name, _)) => {
            Err(Refusal::invalid(&format!("body.signal.defaults.{name}"), "is no variable of the formula"))
        }
        None => Ok(()),
    }
}
