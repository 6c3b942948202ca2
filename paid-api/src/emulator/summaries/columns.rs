//! The columns of an export: one for each signal, each part of its dimensions and each measure.

use serde_json::{Value, json};

use super::super::refusal::Refusal;
use super::super::value::slug;
use super::dimension::{Dimension, Part};

/// The most dimensions that divide one signal: names have two places for them.
const DIMENSIONS: usize = 2;

const TEMPLATE: &str = "{signal}_{dim1}_{dim2}";

#[derive(Debug)]
pub(super) struct Columns {
    pub(super) dimensions: Vec<Dimension>,
    pub(super) all: Vec<Column>,
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) event: String,
    pub(super) signal_group: String,
    pub(super) dimension_group: Option<String>,
    /// The parts that its signals belong to: the numbers of the dimension and of its part.
    pub(super) parts: Vec<(usize, usize)>,
    pub(super) measure: Measure,
}

#[derive(Debug, Clone)]
pub(super) struct Measure {
    pub(super) function: String,
    /// Where its number stands in a signal's data.
    pub(super) path: Option<String>,
    suffix: Option<String>,
}

impl Columns {
    pub(super) fn read(spec: &Value) -> Result<Self, Refusal> {
        let dimensions = spec["dimensions"].as_array().into_iter().flatten().enumerate();
        let dimensions: Vec<Dimension> = dimensions
            .map(|(index, dimension)| Dimension::read(dimension, &format!("body.spec.dimensions.{index}")))
            .collect::<Result<_, _>>()?;
        let measures = measures(spec)?;
        let signals = spec["signalNames"].as_array().map(Vec::as_slice).unwrap_or_default();
        if signals.is_empty() {
            return Err(Refusal::invalid("body.spec.signalNames", "is empty"));
        }
        let template = spec["columnNameTemplate"].as_str().unwrap_or(TEMPLATE);
        let mut all: Vec<Column> = Vec::new();
        for (index, signal) in signals.iter().enumerate() {
            let place = format!("body.spec.signalNames.{index}");
            for column in columns(signal, &dimensions, &measures, template, &place)? {
                if all.iter().any(|known| known.name == column.name) {
                    let error = format!("two columns have the name {:?}; slugs tell them apart", column.name);
                    return Err(Refusal::invalid(&place, error));
                }
                all.push(column);
            }
        }
        check_applied(&dimensions, signals)?;
        Ok(Self { dimensions, all })
    }

    /// The columns in their order.
    pub(super) fn shown(&self) -> Value {
        let shown = self.all.iter().map(|column| {
            json!({"name": column.name, "signalGroup": column.signal_group, "dimensionGroup": column.dimension_group})
        });
        shown.collect()
    }
}

fn measures(spec: &Value) -> Result<Vec<Measure>, Refusal> {
    let given = spec["measures"].as_array().map(Vec::as_slice).unwrap_or_default();
    if given.is_empty() {
        return Err(Refusal::invalid("body.spec.measures", "is empty"));
    }
    let is_one = given.len() == 1;
    let measures = given.iter().enumerate().map(|(index, measure)| {
        let function = measure["fn"].as_str().unwrap_or_default().to_owned();
        let path = measure["path"].as_str().map(str::to_owned);
        if (function == "count") == path.is_some() {
            let problem = if path.is_some() { "counts no value" } else { "is needed: where the number stands" };
            return Err(Refusal::invalid(&format!("body.spec.measures.{index}.path"), problem));
        }
        let of_function =
            || (!is_one).then(|| path.as_ref().map_or(function.clone(), |path| slug(&format!("{function} {path}"))));
        let suffix = measure["slug"].as_str().map(str::to_owned).or_else(of_function);
        Ok(Measure { function: function.clone(), path: path.clone(), suffix })
    });
    measures.collect()
}

/// The columns of one signal.
fn columns(
    signal: &Value,
    dimensions: &[Dimension],
    measures: &[Measure],
    template: &str,
    place: &str,
) -> Result<Vec<Column>, Refusal> {
    let text = |key: &str| signal[key].as_str().unwrap_or_default();
    let (event, group) = (text("name"), text("group"));
    let signal_slug = signal["slug"].as_str().map_or_else(|| slug(group), str::to_owned);
    if event.is_empty() || signal_slug.is_empty() {
        let key = if event.is_empty() { "name" } else { "group" };
        return Err(Refusal::invalid(&format!("{place}.{key}"), "is empty"));
    }
    let applied = dimensions.iter().enumerate().filter(|(_, dimension)| is_applied(dimension, signal));
    let applied: Vec<(usize, &Dimension)> = applied.collect();
    if applied.len() > DIMENSIONS {
        return Err(Refusal::invalid(place, format!("is divided by more than {DIMENSIONS} dimensions")));
    }
    let mut combinations: Vec<Vec<(usize, usize, &Part)>> = vec![Vec::new()];
    for (at, dimension) in applied {
        let parts = || dimension.parts.iter().enumerate();
        combinations = combinations
            .iter()
            .flat_map(|prefix| parts().map(move |(part, named)| [prefix.as_slice(), &[(at, part, named)]].concat()))
            .collect();
    }
    let mut columns = Vec::new();
    for parts in &combinations {
        let slugs: Vec<&str> = parts.iter().map(|(.., part)| part.slug.as_str()).collect();
        let groups: Vec<&str> = parts.iter().filter_map(|(.., part)| part.group.as_deref()).collect();
        for measure in measures {
            columns.push(Column {
                name: name(template, &signal_slug, &slugs, measure.suffix.as_deref()),
                event: event.to_owned(),
                signal_group: group.to_owned(),
                dimension_group: (!groups.is_empty()).then(|| groups.join(" / ")),
                parts: parts.iter().map(|(at, part, _)| (*at, *part)).collect(),
                measure: measure.clone(),
            });
        }
    }
    Ok(columns)
}

/// A dimension names events, or groups of them.
fn is_applied(dimension: &Dimension, signal: &Value) -> bool {
    dimension.applies_to.iter().any(|named| ["name", "group", "slug"].iter().any(|key| signal[*key] == *named.as_str()))
}

fn check_applied(dimensions: &[Dimension], signals: &[Value]) -> Result<(), Refusal> {
    for (index, dimension) in dimensions.iter().enumerate() {
        let is_known = |named: &&String| {
            !signals.iter().any(|signal| ["name", "group", "slug"].iter().any(|key| signal[*key] == named.as_str()))
        };
        if let Some(named) = dimension.applies_to.iter().find(is_known) {
            let place = format!("body.spec.dimensions.{index}.appliesTo");
            return Err(Refusal::invalid(&place, format!("{named:?} is none of signalNames")));
        }
    }
    Ok(())
}

/// A name from its template. A placeholder without a value is left out, with the `_` beside it.
fn name(template: &str, signal: &str, dimensions: &[&str], suffix: Option<&str>) -> String {
    let of = |at: usize| dimensions.get(at).copied().unwrap_or_default();
    let filled = template.replace("{signal}", signal).replace("{dim1}", of(0)).replace("{dim2}", of(1));
    let parts = filled.split('_').chain(suffix).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_template_and_leave_out_what_is_missing() {
        assert_eq!(name(TEMPLATE, "run", &[], None), "run");
        assert_eq!(name(TEMPLATE, "run", &["1_step", "eu"], None), "run_1_step_eu");
        assert_eq!(name("{dim1}_{signal}_{dim2}", "runs", &["ticket"], Some("sum")), "ticket_runs_sum");
    }
}
