//! A value model, read and checked: which signals deliver which value.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::condition::Condition;
use super::expression::Expression;
use super::unit::Unit;

#[derive(Debug, Clone, Default)]
pub(in crate::emulator) struct Model {
    pub(super) currency: String,
    pub(super) metrics: Vec<Metric>,
    pub(super) formulas: Vec<Formula>,
    pub(super) bindings: Vec<Binding>,
    pub(super) tables: Vec<SegmentTable>,
    pub(super) overrides: Vec<Override>,
}

/// A kind of value, such as time saved. The document calls it a value metric, and a value type within a model.
#[derive(Debug, Clone)]
pub(super) struct Metric {
    pub(super) slug: String,
    pub(super) archived: bool,
    /// How it is calculated at which time, oldest first.
    pub(super) timeline: Vec<(DateTime<Utc>, Calculation)>,
}

/// How a metric is calculated.
#[derive(Debug, Clone)]
pub(super) struct Calculation {
    pub(super) unit: Unit,
    pub(super) conversion: Option<Conversion>,
    pub(super) limits: Option<Limits>,
}

/// What alone takes part in a calculation, by id.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) formulas: BTreeSet<String>,
    pub(super) events: BTreeSet<String>,
    pub(super) tables: BTreeSet<String>,
    pub(super) overrides: BTreeSet<String>,
}

/// A result that may depend on conditions. The first condition that holds counts.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) conditions: Vec<Condition>,
    pub(super) otherwise: Expression,
}

/// What one unit is worth, with the values of its variables.
#[derive(Debug, Clone)]
pub(super) struct Conversion {
    pub(super) choice: Choice,
    pub(super) variables: BTreeMap<String, Decimal>,
}

#[derive(Debug, Clone)]
pub(super) struct Formula {
    pub(super) id: String,
    /// The slug of the metric that it calculates.
    pub(super) metric: String,
    pub(super) choice: Choice,
}

/// Signals of one event, and the formula that calculates their value.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    pub(super) event: String,
    pub(super) label: String,
    pub(super) description: Option<String>,
    pub(super) tags: Vec<String>,
    /// `None` if the signals are shown only.
    pub(super) formula: Option<String>,
    pub(super) defaults: BTreeMap<String, Value>,
    /// Where each variable stands in the signal's data, if not under its own name.
    pub(super) mapping: BTreeMap<String, String>,
    pub(super) tables: Vec<String>,
}

/// Values of variables by segment.
#[derive(Debug, Clone)]
pub(super) struct SegmentTable {
    pub(super) id: String,
    pub(super) keys: Vec<String>,
    pub(super) rows: Vec<(BTreeMap<String, String>, BTreeMap<String, Decimal>)>,
    pub(super) default: BTreeMap<String, Decimal>,
}

/// Other values for some customers.
#[derive(Debug, Clone)]
pub(super) struct Override {
    pub(super) id: String,
    pub(super) customers: BTreeSet<String>,
    /// The ids of customer groups, whose members they are for.
    pub(super) groups: BTreeSet<String>,
    pub(super) currency: Option<String>,
    pub(super) bindings: Vec<Binding>,
    /// Defaults of variables, by event name.
    pub(super) defaults: BTreeMap<String, BTreeMap<String, Value>>,
    /// Variables of conversions, by metric.
    pub(super) conversions: BTreeMap<String, BTreeMap<String, Decimal>>,
}

/// A customer, by Paid's id and by the user's own, and the id of its group.
#[derive(Debug, Clone, Copy)]
pub(in crate::emulator) struct Whose<'a> {
    pub(in crate::emulator) id: &'a str,
    pub(in crate::emulator) external: Option<&'a str>,
    pub(in crate::emulator) group: Option<&'a str>,
}

impl Model {
    pub(super) fn metric(&self, slug: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.slug == slug)
    }

    pub(super) fn formula(&self, id: &str) -> Option<&Formula> {
        self.formulas.iter().find(|formula| formula.id == id)
    }

    /// The overrides for a customer: first those that name it, then those of its group.
    pub(super) fn overrides(&self, whose: Whose<'_>) -> impl Iterator<Item = &Override> {
        let names_it = move |each: &&Override| {
            each.customers.contains(whose.id) || whose.external.is_some_and(|id| each.customers.contains(id))
        };
        let is_of_group = move |each: &&Override| whose.group.is_some_and(|group| each.groups.contains(group));
        let own = self.overrides.iter().filter(names_it);
        own.chain(self.overrides.iter().filter(move |each| is_of_group(each) && !names_it(each)))
    }

    /// The signals that deliver value to a customer.
    pub(super) fn bindings(&self, whose: Whose<'_>) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().chain(self.overrides(whose).flat_map(|each| &each.bindings))
    }

    /// The currency of a customer's values.
    pub(in crate::emulator) fn currency(&self, whose: Whose<'_>) -> &str {
        self.overrides(whose).find_map(|each| each.currency.as_deref()).unwrap_or(&self.currency)
    }
}

impl Metric {
    /// How it is calculated now: by the latest entry of its timeline.
    pub(super) fn current(&self) -> Option<&Calculation> {
        self.timeline.last().map(|(_, calculation)| calculation)
    }

    /// How it is calculated at a time; `None` before its first calculation.
    pub(super) fn at(&self, time: DateTime<Utc>) -> Option<&Calculation> {
        let past = self.timeline.iter().take_while(|(from, _)| *from <= time);
        past.last().map(|(_, calculation)| calculation)
    }
}

impl Binding {
    /// Where a variable stands in a signal's data.
    pub(super) fn path<'a>(&'a self, variable: &'a str) -> &'a str {
        self.mapping.get(variable).map_or(variable, String::as_str)
    }
}
