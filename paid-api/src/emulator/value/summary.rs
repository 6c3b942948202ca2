//! Delivered value, added up by interval and group.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::pricing::number;
use super::super::refusal::{Refusal, Reply};
use super::delivered::{Delivered, units};
use super::fraction::{Fraction, total};
use super::interval::intervals;
use super::model::Choice;
use super::period::{Period, shown};
use super::worth::{Band, Worth, found, quantity};

/// The longest key of a dimension, in characters.
const KEY: usize = 64;

/// What sums are grouped by.
enum Grouping<'a> {
    Metric,
    /// A key of the signals' data.
    Dimension(&'a str),
    Condition,
}

/// The group that a worth belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    key: String,
    metric: Option<String>,
    band: Option<Band>,
}

impl Delivered<'_> {
    /// The sums for a query.
    pub(in crate::emulator) fn summary(&self, matched: &Matched) -> Reply {
        let query = |key: &str| matched.query.get(key).map(String::as_str);
        let grouping = grouping(query("groupBy").unwrap_or_default(), query("dimensionKey"))?;
        let length = query("interval").unwrap_or_default();
        let mut data = Vec::new();
        for interval in intervals(self.period, length)? {
            let mut groups: BTreeMap<Group, Vec<&Worth<'_>>> = BTreeMap::new();
            if matches!(grouping, Grouping::Condition) {
                groups.extend(self.bands().into_iter().map(|band| (band, Vec::new())));
            }
            for worth in self.worths.iter().filter(|worth| interval.holds(worth.signal.at)) {
                groups.entry(grouping.of(worth)).or_default().push(worth);
            }
            data.extend(groups.iter().map(|(group, worths)| self.bucket(interval, group, worths)));
        }
        let mut answer = json!({
            "currency": self.currency(),
            "customer": self.customer_shown(),
            "groupBy": query("groupBy"),
            "interval": length,
            "data": data,
        });
        if let Grouping::Dimension(key) = grouping {
            answer["dimensionKey"] = key.into();
        }
        Ok(answer)
    }

    /// The bands of the metrics that are in use: a band without signals is shown, too.
    fn bands(&self) -> BTreeSet<Group> {
        let formulas = self
            .model
            .formulas
            .iter()
            .filter(|formula| self.model.metric(&formula.metric).is_some_and(|metric| !metric.archived));
        let bands = |choice: &Choice| -> Vec<Band> {
            let conditions = (0..choice.conditions.len()).map(Band::Condition);
            let rest = if choice.conditions.is_empty() { Band::None } else { Band::Default };
            conditions.chain([rest]).collect()
        };
        formulas
            .flat_map(|formula| bands(&formula.choice).into_iter().map(|band| Group::of_band(&formula.metric, band)))
            .collect()
    }

    fn bucket(&self, interval: Period, group: &Group, worths: &[&Worth<'_>]) -> Value {
        let money = worths.iter().filter_map(|worth| worth.money).fold(Fraction::ZERO, Fraction::and);
        let mut bucket = json!({
            "periodStart": shown(interval.start),
            "periodEnd": shown(interval.end),
            "groupKey": group.key,
            "monetaryTotal": number(money.shown()),
            "signalCount": number(count(group, worths)),
        });
        let unit = group.metric.as_deref().and_then(|slug| self.model.metric(slug)?.current());
        if let Some(total) = unit.and_then(|calculation| units(worths.iter().copied(), &calculation.unit)) {
            bucket["unitTotal"] = number(total.shown());
        }
        if let (Some(metric), Some(band)) = (&group.metric, group.band) {
            bucket["valueMetric"] = metric.as_str().into();
            if let Band::Condition(index) = band {
                bucket["conditionIndex"] = index.into();
                if let Some(label) = self.label(metric, index) {
                    bucket["conditionLabel"] = label.into();
                }
            }
        }
        bucket
    }

    /// The condition of a band, if all formulas of the metric agree on it.
    fn label(&self, metric: &str, index: usize) -> Option<String> {
        let formulas = self.model.formulas.iter().filter(|formula| formula.metric == metric);
        let labels = formulas.filter_map(|formula| formula.choice.conditions.get(index).map(|each| each.label()));
        let labels: BTreeSet<String> = labels.collect();
        if labels.len() == 1 { labels.into_iter().next() } else { None }
    }
}

impl Grouping<'_> {
    fn of(&self, worth: &Worth<'_>) -> Group {
        match self {
            Self::Metric => Group { key: worth.metric.to_owned(), metric: Some(worth.metric.to_owned()), band: None },
            Self::Condition => Group::of_band(worth.metric, worth.band),
            Self::Dimension(key) => {
                let value = match found(&worth.signal.data, key) {
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                    None => String::new(),
                };
                Group { key: value, metric: None, band: None }
            }
        }
    }
}

impl Group {
    fn of_band(metric: &str, band: Band) -> Self {
        let name = match band {
            Band::Condition(index) => index.to_string(),
            Band::Default => "default".to_owned(),
            Band::None => "none".to_owned(),
        };
        Self { key: format!("{metric}:{name}"), metric: Some(metric.to_owned()), band: Some(band) }
    }
}

/// A signal counts once in its group, however many metrics it feeds.
fn count(group: &Group, worths: &[&Worth<'_>]) -> Decimal {
    if group.metric.is_some() {
        return total(worths.iter().map(|worth| worth.quantity));
    }
    let signals: BTreeMap<&str, Decimal> =
        worths.iter().map(|worth| (worth.signal.id.as_str(), quantity(&worth.signal.data))).collect();
    total(signals.into_values())
}

fn grouping<'a>(name: &str, key: Option<&'a str>) -> Result<Grouping<'a>, Refusal> {
    match (name, key) {
        ("dimension", Some(key)) => {
            let is_key = |key: &str| key.chars().all(|each| each.is_ascii_alphanumeric() || each == '_');
            if key.is_empty() || key.len() > KEY || !is_key(key) {
                let error = format!("is not 1 to {KEY} letters, digits or underscores");
                return Err(Refusal::invalid("query.dimensionKey", error));
            }
            Ok(Grouping::Dimension(key))
        }
        ("dimension", None) => Err(Refusal::invalid("query.dimensionKey", "is needed to group by a dimension")),
        (_, Some(_)) => Err(Refusal::invalid("query.dimensionKey", "groups by a dimension only")),
        ("formulaCondition", None) => Ok(Grouping::Condition),
        _ => Ok(Grouping::Metric),
    }
}
