//! What an amendment asks for, read from a request.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::Timestamp;
use crate::emulator::refusal::Refusal;

/// What happens to the money or the signals of the current period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    None,
    Prorate,
    AllSignals,
    SignalsFromAmendment,
}

impl Treatment {
    pub(super) fn read(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "none" => Some(Self::None),
            "prorate" => Some(Self::Prorate),
            "allSignalsInPeriod" => Some(Self::AllSignals),
            _ => Some(Self::SignalsFromAmendment),
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Prorate => "prorate",
            Self::AllSignals => "allSignalsInPeriod",
            Self::SignalsFromAmendment => "signalsFromAmendment",
        }
    }
}

/// What the first part of a period costs of something that was added within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stub {
    None,
    Full,
    Prorated,
}

/// One change.
#[derive(Debug)]
pub(super) enum Intent<'a> {
    Quantity {
        attribute: &'a str,
        quantity: Decimal,
    },
    Pricing {
        attribute: &'a str,
        pricing: Option<&'a Value>,
        unit_price: Option<Decimal>,
        quantity: Option<Decimal>,
    },
    End {
        attribute: &'a str,
    },
    FromCatalog {
        product_attribute: &'a str,
        quantity: Decimal,
        unit_price: Option<Decimal>,
        stub: Stub,
    },
    Add {
        name: &'a str,
        product: &'a str,
        /// The plan and the attribute of the product that it is of.
        plan: Option<&'a str>,
        product_attribute: Option<&'a str>,
        pricing: &'a Value,
        quantity: Decimal,
        stub: Stub,
        grants_now: bool,
    },
    LineTerm {
        line: &'a str,
        end: DateTime<Utc>,
    },
    OrderTerm {
        end: DateTime<Utc>,
        lines: Vec<&'a str>,
    },
}

/// An intent with its place among the others.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) index: usize,
    pub(super) intent: Intent<'a>,
    pub(super) treatment: Option<Treatment>,
}

impl Asked<'_> {
    pub(super) fn refused(&self, key: &str, error: impl Into<String>) -> Refusal {
        refused(self.index, key, error)
    }
}

pub(super) fn refused(index: usize, key: &str, error: impl Into<String>) -> Refusal {
    let place = if key.is_empty() { format!("body.intents.{index}") } else { format!("body.intents.{index}.{key}") };
    Refusal::invalid(&place, error).of_intent(index)
}

/// Reads the intents of a request, of an order in this currency.
pub(super) fn read<'a>(body: &'a Value, currency: &str) -> Result<Vec<Asked<'a>>, Refusal> {
    let intents = body["intents"].as_array().map(Vec::as_slice).unwrap_or_default();
    if intents.is_empty() {
        return Err(Refusal::invalid("body.intents", "an amendment changes something; add an intent"));
    }
    intents
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let treatment = Treatment::read(&value["treatment"]);
            Ok(Asked { index, intent: intent(value, index, currency)?, treatment })
        })
        .collect()
}

fn intent<'a>(value: &'a Value, index: usize, currency: &str) -> Result<Intent<'a>, Refusal> {
    let text = |key: &str| value[key].as_str().unwrap_or_default();
    let whole = |key: &str| match value[key].as_i64() {
        Some(number) if number >= 0 => Ok(Some(Decimal::from(number))),
        Some(_) => Err(refused(index, key, "is negative")),
        None => Ok(None),
    };
    let time = |key: &str| {
        let time = value[key].as_str().and_then(|time| time.parse::<Timestamp>().ok());
        time.map(|time| *time).ok_or_else(|| refused(index, key, "is no time"))
    };
    let stub = |default: Stub| match value["chargeStub"].as_str() {
        Some("none") => Stub::None,
        Some("full") => Stub::Full,
        Some(_) => Stub::Prorated,
        None => default,
    };
    Ok(match text("type") {
        "updateQuantity" => Intent::Quantity {
            attribute: text("orderLineAttributeId"),
            quantity: whole("newQuantity")?.unwrap_or_default(),
        },
        "updatePricing" => Intent::Pricing {
            attribute: text("orderLineAttributeId"),
            pricing: value.get("newPricing").filter(|pricing| pricing.is_object()),
            unit_price: whole("newUnitPriceMinor")?,
            quantity: whole("newQuantity")?,
        },
        "endAttribute" => Intent::End { attribute: text("orderLineAttributeId") },
        "addFromCatalog" => Intent::FromCatalog {
            product_attribute: text("productAttributeId"),
            quantity: whole("quantity")?.unwrap_or(Decimal::ONE),
            unit_price: whole("unitPriceMinor")?,
            stub: stub(Stub::Prorated),
        },
        "addAttribute" => {
            if value["currency"].as_str().is_some_and(|given| !given.eq_ignore_ascii_case(currency)) {
                return Err(refused(index, "currency", format!("the order is in {currency}")));
            }
            Intent::Add {
                name: text("lineName"),
                product: text("productId"),
                plan: value["planProductId"].as_str(),
                product_attribute: value["productAttributeId"].as_str(),
                pricing: &value["pricing"],
                quantity: whole("quantity")?.unwrap_or(Decimal::ONE),
                stub: stub(Stub::Prorated),
                grants_now: value["creditGrant"] == "full",
            }
        }
        "updateLineTerm" => Intent::LineTerm { line: text("orderLineId"), end: time("newEndDate")? },
        _ => Intent::OrderTerm {
            end: time("newEndDate")?,
            lines: value["extendLineIds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
        },
    })
}
