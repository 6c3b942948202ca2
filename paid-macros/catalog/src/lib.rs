//! `signals.toml`: the catalogue of a company's own signals. Finds, reads and checks it, and suggests names.
//! Knows neither syn nor tokio: the macros, the tools and the tests share it.
//!
//! ```
//! let catalog = paid_catalog::Catalog::parse(r#"
//!     [signals.meeting_booked]
//!     type = "outcome"
//!     [signals.meeting_booked.data]
//!     lead_id = { type = "string", required = true }
//! "#).unwrap();
//! assert!(catalog.signal("meeting_booked").unwrap().data["lead_id"].required);
//! assert_eq!(catalog.nearest("meting_booked"), ["meeting_booked"]);
//! ```

mod billed;
mod event_name;
mod field;
mod find;
mod lints;
mod manifest;
mod places;
mod product;
mod read;
mod suggest;

use std::collections::{BTreeMap, BTreeSet};

pub use event_name::{MAX_LENGTH, NameProblem, check_event_name, to_snake_case};
pub use field::{Field, JsonType, Literal, Pii, Protection};
pub use find::{Absent, FILE_NAME, Found, VARIABLE, find, library, manifests};
pub use lints::{
    DEPRECATED_SIGNAL, DYNAMIC_NAME, EXPIRED_SIGNAL, Level, Lints, MISSING_PRICE, OUTCOME_WITHOUT_KEY, RULES, Rule,
    SIMILAR_NAMES, UNBILLED_SIGNAL, UNKNOWN_SIGNAL, UNLISTED_PRICE, UNORDERED_PRODUCT, UNUSED_ALLOWANCE, UNUSED_SIGNAL,
};
pub use places::{Places, Spot};
pub use product::{Key, PRICING_TYPES, Price, Product, SETTINGS, Setting, Settings, Shape};
pub use read::{Problem, Problems};
pub use suggest::{is_alike, nearest, nearest_of};

/// The JSON Schema of `signals.toml`, for editors.
pub const SCHEMA: &str = include_str!("signals.schema.json");

/// A catalogue: signals by event name, and the products that bill them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalog {
    /// By event name.
    pub signals: BTreeMap<String, Signal>,
    /// By external id.
    pub products: BTreeMap<String, Product>,
    /// What the rules do.
    pub lints: Lints,
}

/// What a signal counts: work or results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Work done, such as `email_sent`.
    Activity,
    /// A result reached, such as `meeting_booked`.
    Outcome,
}

impl Kind {
    /// Its name, as Paid's API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Outcome => "outcome",
        }
    }

    /// What it is not.
    pub fn other(self) -> Self {
        match self {
            Self::Activity => Self::Outcome,
            Self::Outcome => Self::Activity,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What the catalogue says about one signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Activity or outcome.
    pub kind: Kind,
    /// The external id of the product it is billed by.
    pub product: Option<String>,
    /// Whether each signal has to name a unit of its customer.
    pub unit_required: bool,
    /// What it means.
    pub description: Option<String>,
    /// Set if the signal should no longer be sent.
    pub deprecated: Option<Deprecated>,
    /// The day, `YYYY-MM-DD`, from which it should no longer be sent.
    pub expires: Option<String>,
    /// The rules that it may break.
    pub allow: BTreeSet<String>,
    /// The fields of its data.
    pub data: BTreeMap<String, Field>,
}

/// Marks a signal that should no longer be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deprecated {
    /// Since when, or since which version.
    pub since: Option<String>,
    /// What to send instead.
    pub renamed_to: Option<String>,
}

impl Catalog {
    /// Reads a catalogue.
    ///
    /// # Errors
    ///
    /// Every mistake in it, with line and column.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        read::catalog(text)
    }

    /// The signal of this event name.
    pub fn signal(&self, name: &str) -> Option<&Signal> {
        self.signals.get(name)
    }

    /// What a rule does at a signal.
    pub fn level(&self, rule: &str, signal: Option<&Signal>) -> Level {
        let is_allowed = signal.is_some_and(|signal| signal.allow.contains(rule));
        if is_allowed { Level::Allow } else { self.lints.level(rule) }
    }

    /// The active prices that bill signals of a name: those of the product, or of every product if it is not known.
    pub fn prices_of(&self, event_name: &str, product: Option<&str>) -> impl Iterator<Item = (&str, &Price)> {
        self.products
            .iter()
            .filter(move |(id, _)| product.is_none_or(|product| product == *id))
            .flat_map(|(_, product)| &product.prices)
            .filter(move |(_, price)| price.bills(event_name))
            .map(|(name, price)| (name.as_str(), price))
    }

    /// The names that are most like this one, the nearest first, three at most.
    pub fn nearest(&self, name: &str) -> Vec<&str> {
        nearest(name, self.signals.keys().map(String::as_str))
    }
}

impl Signal {
    /// The names of the required fields.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.data.iter().filter(|(_, field)| field.required).map(|(name, _)| name.as_str())
    }

    /// The fields that are most like this name, the nearest first.
    pub fn nearest_field(&self, name: &str) -> Vec<&str> {
        nearest(name, self.data.keys().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_schema_for_editors_takes_what_the_reader_takes() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let good = json!({"lints": {"outcome_without_key": "warn"}, "signals": {"meeting_booked": {
            "type": "outcome", "product": "p", "unit": "required", "description": "d", "expires": "2027-03-31",
            "deprecated": {"since": "1", "renamed_to": "x"},
            "data": {"a": {"type": ["integer", "null"], "required": true, "minimum": 1, "enum": [1, 2]},
                "b": {"pii": "hash"}, "c": {"pii": "refuse", "secret": true}}
        }}, "products": {"p": {"name": "P", "prices": {"x": {"pricing_type": "UsageVolume", "event_name": "a", "price_points": [
            {"currency": "USD", "unit_price": 1, "tiers": [{"lower_bound": 1, "unit_amount": "0.5"}]}]}}}}});
        assert!(validator.is_valid(&good));
        let rules = &schema["properties"]["lints"]["properties"];
        let named: Vec<&str> = rules.as_object().unwrap().keys().map(String::as_str).collect();
        let mut known: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        known.sort_unstable();
        assert_eq!(named, known);
        for bad in [
            json!({"signal": {}}),
            json!({"signals": {"a": {}}}),
            json!({"lints": {"outcome_without_key": "on"}}),
            json!({"signals": {"a": {"type": "outcome", "unit": "optional"}}}),
            json!({"signals": {"a": {"type": "outcome", "data": {"b": {"pii": "drop"}}}}}),
            json!({"signals": {"a": {"type": "event"}}}),
            json!({"signals": {"a": {"type": "outcome", "allow": ["unbiled_signal"]}}}),
            json!({"products": {"p": {"prices": {"x": {"price": {"USD": "1"}}}}}}),
            json!({"products": {"p": {"prices": {"x": {"pricing_type": "UsagePerUnit", "price": {"usd": "1"}}}}}}),
            json!({"products": {"p": {"prices": {"x": {"pricing_type": "UsagePerUnit", "price": {"USD": "1,5"}}}}}}),
            json!({"signals": {"a": {"type": "outcome", "data": {"paid": {}}}}}),
            json!({"signals": {"a": {"type": "outcome", "data": {"b": {"type": "integr"}}}}}),
        ] {
            assert!(!validator.is_valid(&bad), "{bad}");
        }
    }
}
