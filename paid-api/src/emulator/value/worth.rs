//! What a signal is worth to its customer, by a value model.

use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::super::numbers::amount;
use super::fraction::Fraction;
use super::model::{Binding, Calculation, Choice, Conversion, Formula, Model, Whose};
use super::reading::UNIT_VALUE;
use super::unit::Unit;

/// The key of the data that says how many occurrences a signal stands for.
const QUANTITY: &str = "quantity";

/// A signal of a customer.
#[derive(Debug, Clone)]
pub(in crate::emulator) struct Occurrence<'a> {
    pub(in crate::emulator) id: String,
    pub(in crate::emulator) event: &'a str,
    pub(in crate::emulator) product: &'a str,
    pub(in crate::emulator) at: DateTime<Utc>,
    pub(in crate::emulator) data: Rc<Value>,
}

/// Which condition of a formula decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::emulator) enum Band {
    Condition(usize),
    /// No condition held.
    Default,
    /// The formula has no conditions.
    None,
}

/// What a signal delivered of one metric.
#[derive(Debug, Clone)]
pub(in crate::emulator) struct Worth<'a> {
    pub(in crate::emulator) signal: Occurrence<'a>,
    /// The metric's slug.
    pub(in crate::emulator) metric: &'a str,
    pub(in crate::emulator) quantity: Decimal,
    /// The value of all occurrences, in the unit.
    pub(in crate::emulator) units: Fraction,
    /// Its money, in major units of the model's currency.
    pub(in crate::emulator) money: Option<Fraction>,
    pub(super) unit: &'a Unit,
    pub(super) band: Band,
    pub(super) formula: &'a Formula,
    pub(super) binding: &'a Binding,
    /// The variables that the formula used, for one occurrence.
    pub(super) variables: BTreeMap<String, Decimal>,
}

impl Model {
    /// What a signal delivered, one entry for each metric and formula.
    pub(in crate::emulator) fn worth<'a>(&'a self, signal: Occurrence<'a>, whose: Whose<'_>) -> Vec<Worth<'a>> {
        let bindings: Vec<&Binding> = self.bindings(whose).filter(|binding| binding.event == signal.event).collect();
        bindings.into_iter().filter_map(|binding| self.worth_by(binding, signal.clone(), whose)).collect()
    }

    /// `None` if the signal has no value: there is no formula or no calculation for it, or a variable has no value.
    fn worth_by<'a>(&'a self, binding: &'a Binding, signal: Occurrence<'a>, whose: Whose<'_>) -> Option<Worth<'a>> {
        let formula = self.formula(binding.formula.as_deref()?)?;
        let metric = self.metric(&formula.metric)?;
        let calculation = metric.at(signal.at)?;
        let limits = calculation.limits.as_ref();
        if limits.is_some_and(|limits| !limits.formulas.contains(&formula.id) || !limits.events.contains(signal.event))
        {
            return None;
        }
        let inputs = Inputs { model: self, binding, calculation, signal: signal.clone(), whose };
        let (band, expression) = chosen(&formula.choice, &signal.data);
        let each = expression.value(&|name| inputs.number(name).map(Fraction::of))?;
        let names = expression.names();
        let counts = !names.iter().any(|name| binding.path(name) == QUANTITY);
        let quantity = quantity(&signal.data);
        let units = if counts { each.times(Fraction::of(quantity))? } else { each };
        let money = match &calculation.conversion {
            Some(conversion) => Some(inputs.converted(conversion, &metric.slug, units)?),
            None => (calculation.unit == Unit::Monetary).then_some(units),
        };
        let variables = names.iter().filter_map(|name| Some(((*name).to_owned(), inputs.number(name)?))).collect();
        let unit = &calculation.unit;
        Some(Worth { signal, metric: &metric.slug, quantity, units, money, unit, band, formula, binding, variables })
    }
}

/// Where the variables of a formula come from.
struct Inputs<'a, 'b> {
    model: &'a Model,
    binding: &'a Binding,
    calculation: &'a Calculation,
    signal: Occurrence<'a>,
    whose: Whose<'b>,
}

impl Inputs<'_, '_> {
    /// The signal's data first; then the customer's own default, the segment's value and the default of all.
    fn number(&self, variable: &str) -> Option<Decimal> {
        number(found(&self.signal.data, self.binding.path(variable)))
            .or_else(|| {
                let overrides = self.overrides().filter_map(|each| each.defaults.get(&self.binding.event));
                overrides.filter_map(|defaults| number(defaults.get(variable))).next()
            })
            .or_else(|| self.of_segment(variable))
            .or_else(|| number(self.binding.defaults.get(variable)))
    }

    fn overrides(&self) -> impl Iterator<Item = &super::model::Override> {
        let limits = self.calculation.limits.as_ref();
        let takes_part = move |id: &str| limits.is_none_or(|limits| limits.overrides.contains(id));
        self.model.overrides(self.whose).filter(move |each| takes_part(&each.id))
    }

    fn of_segment(&self, variable: &str) -> Option<Decimal> {
        let limits = self.calculation.limits.as_ref();
        let tables = self.model.tables.iter().filter(|table| {
            self.binding.tables.contains(&table.id) && limits.is_none_or(|limits| limits.tables.contains(&table.id))
        });
        tables
            .filter_map(|table| {
                let is_of = |key: &String, wanted: Option<&String>| {
                    let value = found(&self.signal.data, key).map(|value| match value {
                        Value::String(text) => text.clone(),
                        other => other.to_string(),
                    });
                    value.is_some() && value.as_ref() == wanted
                };
                let mut rows = table.rows.iter();
                let row = rows.find(|(segment, _)| table.keys.iter().all(|key| is_of(key, segment.get(key))));
                let value = row.and_then(|(_, variables)| variables.get(variable));
                value.or_else(|| table.default.get(variable)).copied()
            })
            .next()
    }

    /// The money of a value in the metric's unit.
    fn converted(&self, conversion: &Conversion, metric: &str, units: Fraction) -> Option<Fraction> {
        let (_, expression) = chosen(&conversion.choice, &self.signal.data);
        let variable = |name: &str| {
            let own = self.overrides().filter_map(|each| each.conversions.get(metric)?.get(name)).next();
            own.or_else(|| conversion.variables.get(name)).copied()
        };
        let of = |name: &str| if name == UNIT_VALUE { Some(units) } else { variable(name).map(Fraction::of) };
        expression.value(&of)
    }
}

/// The result that applies to a signal's data.
fn chosen<'a>(choice: &'a Choice, data: &Value) -> (Band, &'a super::expression::Expression) {
    let holds = choice.conditions.iter().position(|condition| condition.holds(found(data, &condition.field)));
    match holds.and_then(|at| Some((at, choice.conditions.get(at)?))) {
        Some((at, condition)) => (Band::Condition(at), &condition.result),
        None if choice.conditions.is_empty() => (Band::None, &choice.otherwise),
        None => (Band::Default, &choice.otherwise),
    }
}

/// A value of a signal's data: dots lead into objects.
pub(in crate::emulator) fn found<'a>(data: &'a Value, path: &str) -> Option<&'a Value> {
    let path = path.strip_prefix("$.").unwrap_or(path);
    let whole = data.get(path);
    whole.or_else(|| path.split('.').try_fold(data, |value, key| value.get(key))).filter(|value| !value.is_null())
}

/// A number, also as text.
fn number(value: Option<&Value>) -> Option<Decimal> {
    value.filter(|value| value.is_number() || value.is_string()).and_then(amount)
}

/// How many occurrences a signal stands for: its `quantity`, or one.
pub(in crate::emulator) fn quantity(data: &Value) -> Decimal {
    let given = number(data.get(QUANTITY)).filter(|quantity| *quantity >= Decimal::ZERO);
    given.unwrap_or(Decimal::ONE)
}
