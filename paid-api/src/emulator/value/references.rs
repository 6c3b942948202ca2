//! Whether the parts of a value model name each other.

use std::collections::BTreeSet;

use super::super::refusal::Refusal;
use super::model::{Binding, Model};

/// Refuses a model with a name that is there twice, or that names nothing.
pub(super) fn check(model: &Model, place: &str) -> Result<(), Refusal> {
    let metrics = unique(model.metrics.iter().map(|metric| metric.slug.as_str()), place, "valueTypes", "slug")?;
    let formulas = unique(model.formulas.iter().map(|formula| formula.id.as_str()), place, "formulas", "id")?;
    let tables = unique(model.tables.iter().map(|table| table.id.as_str()), place, "segmentTables", "id")?;
    let overrides = unique(model.overrides.iter().map(|each| each.id.as_str()), place, "overrides", "id")?;
    for (index, formula) in model.formulas.iter().enumerate() {
        known(&metrics, [&formula.metric], &format!("{place}.formulas.{index}.valueTypeSlug"))?;
    }
    for (index, binding) in model.bindings.iter().enumerate() {
        bound(binding, &formulas, &tables, &format!("{place}.signals.{index}"))?;
    }
    let events: BTreeSet<&str> = all_bindings(model).map(|binding| binding.event.as_str()).collect();
    for (index, each) in model.overrides.iter().enumerate() {
        let place = format!("{place}.overrides.{index}");
        for (at, binding) in each.bindings.iter().enumerate() {
            bound(binding, &formulas, &tables, &format!("{place}.additionalSignals.{at}"))?;
        }
        known(&events, each.defaults.keys(), &format!("{place}.signalOverrides"))?;
        known(&metrics, each.conversions.keys(), &format!("{place}.monetaryConversionOverrides"))?;
    }
    for (index, metric) in model.metrics.iter().enumerate() {
        let limits = metric.timeline.iter().filter_map(|(_, calculation)| calculation.limits.as_ref());
        for (at, limits) in limits.enumerate() {
            let place = format!("{place}.valueTypes.{index}.calculationTimeline.{at}.calculation");
            known(&formulas, &limits.formulas, &format!("{place}.formulaIds"))?;
            known(&events, &limits.events, &format!("{place}.signalEventNames"))?;
            known(&tables, &limits.tables, &format!("{place}.segmentTableIds"))?;
            known(&overrides, &limits.overrides, &format!("{place}.overrideIds"))?;
        }
    }
    Ok(())
}

fn all_bindings(model: &Model) -> impl Iterator<Item = &Binding> {
    model.bindings.iter().chain(model.overrides.iter().flat_map(|each| &each.bindings))
}

fn bound(binding: &Binding, formulas: &BTreeSet<&str>, tables: &BTreeSet<&str>, place: &str) -> Result<(), Refusal> {
    known(formulas, &binding.formula, &format!("{place}.formulaId"))?;
    known(tables, &binding.tables, &format!("{place}.segmentTableIds"))
}

fn unique<'a>(
    names: impl Iterator<Item = &'a str>,
    place: &str,
    list: &str,
    key: &str,
) -> Result<BTreeSet<&'a str>, Refusal> {
    let mut known = BTreeSet::new();
    for (index, name) in names.enumerate() {
        let place = format!("{place}.{list}.{index}.{key}");
        if name.is_empty() {
            return Err(Refusal::invalid(&place, "is empty"));
        }
        if !known.insert(name) {
            return Err(Refusal::invalid(&place, format!("{name:?} is there twice")));
        }
    }
    Ok(known)
}

fn known<'a>(known: &BTreeSet<&str>, names: impl IntoIterator<Item = &'a String>, place: &str) -> Result<(), Refusal> {
    match names.into_iter().find(|name| !known.contains(name.as_str())) {
        Some(name) => Err(Refusal::invalid(place, format!("the model has no {name:?}"))),
        None => Ok(()),
    }
}
