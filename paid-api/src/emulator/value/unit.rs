//! Units of value: money, time, or one of the user's own.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::refusal::Refusal;
use super::fraction::Fraction;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::emulator) enum Unit {
    Monetary,
    /// The name of the time, and its seconds.
    Duration(String, u32),
    /// Its name, and how it is shown.
    Custom(String, Option<String>),
}

impl Unit {
    /// Reads a unit of a value metric, or of a calculation, which writes `unit_display`.
    pub(super) fn read(unit: &Value, place: &str) -> Result<Self, Refusal> {
        let invalid = |key: &str, problem: &str| Err(Refusal::invalid(&format!("{place}.{key}"), problem));
        let text = |key: &str| unit[key].as_str().filter(|text| !text.is_empty());
        match unit["type"].as_str() {
            Some("monetary") => Ok(Self::Monetary),
            Some("duration") => match text("durationUnit").map(|name| (name, seconds(name))) {
                Some((name, Some(seconds))) => Ok(Self::Duration(name.to_owned(), seconds)),
                Some((name, None)) => invalid("durationUnit", &format!("{name:?} is no unit of time")),
                None => invalid("durationUnit", "a duration needs its unit"),
            },
            Some("custom") => match text("unit") {
                Some(name) => {
                    let display = text("unitDisplay").or_else(|| text("unit_display"));
                    Ok(Self::Custom(name.to_owned(), display.map(str::to_owned)))
                }
                None => invalid("unit", "a custom unit needs its name"),
            },
            Some(other) => invalid("type", &format!("{other:?} is none of custom, duration and monetary")),
            None => invalid("type", "a unit needs its type: custom, duration or monetary"),
        }
    }

    /// As a value metric shows it.
    pub(super) fn shown(&self) -> Value {
        match self {
            Self::Monetary => json!({"type": "monetary"}),
            Self::Duration(name, _) => json!({"type": "duration", "durationUnit": name}),
            Self::Custom(name, None) => json!({"type": "custom", "unit": name}),
            Self::Custom(name, Some(display)) => json!({"type": "custom", "unit": name, "unitDisplay": display}),
        }
    }

    /// As a calculation of a timeline shows it.
    pub(super) fn of_calculation(&self) -> Value {
        match self {
            Self::Custom(name, display) => {
                json!({"type": "custom", "unit": name, "unit_display": display.as_ref().unwrap_or(name)})
            }
            _ => self.shown(),
        }
    }

    /// A value of this unit in another; `None` if it cannot be stated there.
    pub(super) fn restated(&self, value: Fraction, other: &Self) -> Option<Fraction> {
        match (self, other) {
            (Self::Monetary, Self::Monetary) => Some(value),
            (Self::Custom(own, _), Self::Custom(others, _)) if own == others => Some(value),
            (Self::Duration(_, own), Self::Duration(_, others)) => {
                let of = |seconds: u32| Fraction::of(Decimal::from(seconds));
                value.times(of(*own))?.over(of(*others))
            }
            _ => None,
        }
    }
}

fn seconds(name: &str) -> Option<u32> {
    match name {
        "seconds" => Some(1),
        "minutes" => Some(60),
        "hours" => Some(3_600),
        "days" => Some(86_400),
        _ => None,
    }
}
