//! The value that was delivered to a customer in a period.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::pricing::number;
use super::super::refusal::{Refusal, Reply};
use super::calculation::calculations;
use super::fraction::{Fraction, total};
use super::model::{Model, Whose};
use super::period::Period;
use super::shown;
use super::unit::Unit;
use super::versions::ValueModels;
use super::worth::{Occurrence, Worth, quantity};
use crate::{JsonObject, Timestamp};

/// The signals of a customer in a period, and their value.
pub(in crate::emulator) struct Delivered<'a> {
    pub(super) model: &'a Model,
    pub(super) content: &'a Value,
    pub(super) customer: &'a JsonObject,
    /// The id of the customer's group.
    group: Option<&'a str>,
    pub(super) period: Period,
    signals: Vec<Occurrence<'a>>,
    pub(super) worths: Vec<Worth<'a>>,
}

/// How a customer of a group is named in the store's own objects.
fn whose<'a>(customer: &'a JsonObject, group: Option<&'a str>) -> Whose<'a> {
    let text = |key: &str| customer.get(key).and_then(Value::as_str);
    Whose { id: text("id").unwrap_or_default(), external: text("externalId"), group }
}

impl ValueModels {
    /// What these signals of a customer delivered, by the active model.
    pub(in crate::emulator) fn worths<'a>(&'a self, whose: Whose<'_>, signals: &[Occurrence<'a>]) -> Vec<Worth<'a>> {
        let Some(model) = self.model() else { return Vec::new() };
        let valid = signals.iter().filter(|signal| self.is_valid_at(Timestamp::from(signal.at)));
        valid.flat_map(|signal| model.worth(signal.clone(), whose)).collect()
    }

    /// The value that a customer's signals delivered in a period. `signals` are all of the customer's.
    pub(in crate::emulator) fn delivered<'a>(
        &'a self,
        (customer, group): (&'a JsonObject, Option<&'a str>),
        period: Period,
        signals: impl Iterator<Item = Occurrence<'a>>,
    ) -> Result<Delivered<'a>, Refusal> {
        let content = self.content()?;
        // There is a model, since there is a content.
        let model = self.model().ok_or_else(|| Refusal::not_found("value model", ""))?;
        let signals: Vec<_> = signals.filter(|signal| period.holds(signal.at)).collect();
        let worths = self.worths(whose(customer, group), &signals);
        Ok(Delivered { model, content, customer, group, period, signals, worths })
    }
}

impl Delivered<'_> {
    pub(in crate::emulator) fn shown(&self) -> Reply {
        let ids: BTreeSet<&str> = self.worths.iter().map(|worth| worth.signal.id.as_str()).collect();
        let contributed = self.signals.iter().filter(|signal| ids.contains(signal.id.as_str()));
        let count = total(contributed.map(|signal| quantity(&signal.data)));
        Ok(json!({
            "currency": self.currency(),
            "customer": self.customer_shown(),
            "period": self.period.shown(),
            "totals": {"monetaryTotal": number(self.total()), "signalCount": number(count)},
            "valueMetrics": self.metrics(),
            "signals": self.events(),
        }))
    }

    pub(in crate::emulator) fn currency(&self) -> &str {
        self.model.currency(whose(self.customer, self.group))
    }

    /// The money of all of it, in major units.
    pub(in crate::emulator) fn total(&self) -> Decimal {
        let money = self.worths.iter().filter_map(|worth| worth.money);
        money.fold(Fraction::ZERO, Fraction::and).shown()
    }

    pub(super) fn customer_shown(&self) -> Value {
        let field = |key: &str| self.customer.get(key).cloned().unwrap_or_default();
        json!({"id": field("id"), "externalId": field("externalId"), "name": field("name")})
    }

    /// The metrics that are in use, and archived ones that delivered something.
    fn metrics(&self) -> Vec<Value> {
        let metrics = self.content["valueTypes"].as_array().into_iter().flatten();
        let shown = metrics.filter_map(|metric| {
            let slug = metric["slug"].as_str()?;
            let worths: Vec<&Worth<'_>> = self.worths.iter().filter(|worth| worth.metric == slug).collect();
            (metric["archivedAt"].is_null() || !worths.is_empty()).then(|| self.metric(metric, slug, &worths))
        });
        shown.collect()
    }

    fn metric(&self, metric: &Value, slug: &str, worths: &[&Worth<'_>]) -> Value {
        let mut shown = shown::summary(metric);
        for key in ["longDescription", "sources"] {
            shown[key] = metric[key].clone();
        }
        shown["formula"] = shown::formula(self.content, slug);
        let count = total(worths.iter().map(|worth| worth.quantity));
        shown["signalCount"] = number(count);
        let unit = self.model.metric(slug).and_then(|metric| metric.current()).map(|calculation| &calculation.unit);
        if let Some(total) = unit.and_then(|unit| units(worths.iter().copied(), unit)) {
            shown["unitTotal"] = number(total.shown());
        }
        let converts = !shown["monetaryConversion"].is_null() || unit == Some(&Unit::Monetary);
        shown["monetaryTotal"] = money(worths, converts);
        if let Some(calculations) = calculations(worths, self.content) {
            shown["calculations"] = calculations;
        }
        shown
    }

    /// The events that occurred, in the model's order.
    fn events(&self) -> Vec<Value> {
        let bindings = self.model.bindings(whose(self.customer, self.group)).map(|binding| binding.event.as_str());
        let occurred = bindings.filter(|event| self.signals.iter().any(|signal| signal.event == *event));
        distinct(occurred).into_iter().map(|event| self.event(event)).collect()
    }

    fn event(&self, event: &str) -> Value {
        let bindings: Vec<_> =
            self.model.bindings(whose(self.customer, self.group)).filter(|binding| binding.event == event).collect();
        let formulas = bindings.iter().filter_map(|binding| self.model.formula(binding.formula.as_deref()?));
        let slugs = distinct(formulas.map(|formula| formula.metric.as_str()));
        let tags = distinct(bindings.iter().flat_map(|binding| &binding.tags).map(String::as_str));
        let own = bindings.iter().find_map(|binding| binding.description.clone());
        let metrics = self.content["valueTypes"].as_array().into_iter().flatten();
        let of_metric = || {
            let first = metrics
                .clone()
                .find(|metric| Some(metric["slug"].as_str().unwrap_or_default()) == slugs.first().copied());
            first.and_then(|metric| metric["description"].as_str()).map(str::to_owned)
        };
        let signals = self.signals.iter().filter(|signal| signal.event == event);
        let count = total(signals.map(|signal| quantity(&signal.data)));
        json!({
            "eventName": event,
            "label": bindings.first().map(|binding| binding.label.as_str()),
            "description": own.or_else(of_metric),
            "valueTypeSlugs": slugs,
            "tags": tags,
            "count": number(count),
            "values": slugs.iter().filter_map(|slug| self.of_event(event, slug)).collect::<Vec<_>>(),
        })
    }

    /// What an event delivered of a metric; `None` if it delivered nothing.
    fn of_event(&self, event: &str, slug: &str) -> Option<Value> {
        let worths: Vec<&Worth<'_>> =
            self.worths.iter().filter(|worth| worth.signal.event == event && worth.metric == slug).collect();
        if worths.is_empty() {
            return None;
        }
        let total = worths.iter().filter_map(|worth| worth.money).fold(Fraction::ZERO, Fraction::and);
        let mut shown = json!({"valueTypeSlug": slug, "monetaryValue": number(total.shown())});
        let unit = &self.model.metric(slug)?.current()?.unit;
        if let Some(total) = units(worths.into_iter(), unit) {
            shown["unitValue"] = number(total.shown());
        }
        Some(shown)
    }
}

/// Each text once, in the order of the first ones.
fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}

/// The sum in this unit; `None` if a value cannot be stated in it.
pub(super) fn units<'a, 'b: 'a>(worths: impl Iterator<Item = &'a Worth<'b>>, unit: &Unit) -> Option<Fraction> {
    let mut restated = worths.map(|worth| worth.unit.restated(worth.units, unit));
    restated.try_fold(Fraction::ZERO, |sum, units| Some(sum.and(units?)))
}

/// Null if a metric delivered no money and converts none.
fn money(worths: &[&Worth<'_>], converts: bool) -> Value {
    let mut money = worths.iter().filter_map(|worth| worth.money).peekable();
    if money.peek().is_none() && !converts {
        return Value::Null;
    }
    number(money.fold(Fraction::ZERO, Fraction::and).shown())
}
