//! The timeline of each metric of a value model, as the API shows it.

use serde_json::{Value, json};

use super::unit::Unit;
use crate::Timestamp;

/// A content in which every metric has a timeline: Paid's client for Python cannot read one without. A metric that was given none
/// has one calculation from `since` on, in which all takes part that the model has for it.
pub(super) fn with_timelines(content: &Value, since: Option<Timestamp>) -> Value {
    let mut shown = content.clone();
    for metric in shown["valueTypes"].as_array_mut().into_iter().flatten() {
        if metric["calculationTimeline"].as_array().is_none_or(Vec::is_empty) {
            let since = since.map_or_else(|| "1970-01-01T00:00:00Z".to_owned(), |since| since.to_string());
            let calculation = calculation(content, metric);
            metric["calculationTimeline"] = json!([{"effectiveFrom": since, "calculation": calculation}]);
        }
    }
    shown
}

fn calculation(content: &Value, metric: &Value) -> Value {
    let formulas = ids(&content["formulas"], "id", |formula| formula["valueTypeSlug"] == metric["slug"]);
    let bindings = content["overrides"].as_array().into_iter().flatten().map(|each| &each["additionalSignals"]);
    let mut events = Vec::new();
    for signals in std::iter::once(&content["signals"]).chain(bindings) {
        events.extend(ids(signals, "eventName", |signal| formulas.contains(&signal["formulaId"])));
    }
    let mut shown = json!({
        "unit": Unit::read(&metric["unit"], "").map_or(Value::Null, |unit| unit.of_calculation()),
        "formulaIds": formulas,
        "signalEventNames": events,
        "segmentTableIds": ids(&content["segmentTables"], "id", |_| true),
        "overrideIds": ids(&content["overrides"], "id", |_| true),
    });
    if !metric["monetaryConversion"].is_null() {
        shown["monetaryConversion"] = metric["monetaryConversion"].clone();
    }
    shown
}

/// A property of those items of a list that are wanted.
fn ids(list: &Value, key: &str, is_wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let items = list.as_array().into_iter().flatten();
    items.filter(|item| is_wanted(item)).map(|item| item[key].clone()).collect()
}
