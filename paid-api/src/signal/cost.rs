//! The cost of a piece of work, as part of its signal (`costData`).

use serde::Serialize;

use crate::money::{self, Money};

/// What a piece of work cost you, sent with its signal so that Paid can show the margin: an amount of money, or usage of a
/// model that Paid prices.
///
/// Paid's guides describe it; the API's OpenAPI document does not.
///
/// ```
/// use paid::signal::CostData;
/// use paid::{Currency, Money};
///
/// let amount = CostData::amount("openai", Money::parse("0.0021", Currency::USD)?).model("gpt-4o");
/// let usage = CostData::usage("anthropic", "claude-sonnet-4").input_tokens(100).output_tokens(60);
/// # Ok::<(), rust_decimal::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CostData {
    /// An amount of money.
    Amount(CostAmount),
    /// Usage of a model that Paid prices.
    Usage(CostUsage),
}

/// A cost whose amount you know; see [`CostData::amount`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostAmount {
    vendor: String,
    #[serde(serialize_with = "money::serialize")]
    cost: Money,
    #[serde(rename = "gen_ai.response.model", skip_serializing_if = "Option::is_none")]
    model: Option<String>,
}

/// Usage of a model that Paid prices; see [`CostData::usage`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostUsage {
    vendor: String,
    attributes: UsageAttributes,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct UsageAttributes {
    #[serde(rename = "gen_ai.response.model")]
    model: String,
    #[serde(rename = "gen_ai.usage.input_tokens", skip_serializing_if = "Option::is_none")]
    input: Option<u64>,
    #[serde(rename = "gen_ai.usage.output_tokens", skip_serializing_if = "Option::is_none")]
    output: Option<u64>,
    #[serde(rename = "gen_ai.usage.cached_input_tokens", skip_serializing_if = "Option::is_none")]
    cached: Option<u64>,
    #[serde(rename = "gen_ai.usage.cache_creation_input_tokens", skip_serializing_if = "Option::is_none")]
    cache_creation: Option<u64>,
}

impl CostData {
    /// Creates a cost from an amount of money that was paid to a vendor.
    pub fn amount(vendor: impl Into<String>, cost: Money) -> CostAmount {
        CostAmount { vendor: vendor.into(), cost, model: None }
    }

    /// Creates a cost from the usage of a vendor's model, which Paid prices.
    pub fn usage(vendor: impl Into<String>, model: impl Into<String>) -> CostUsage {
        let attributes = UsageAttributes { model: model.into(), ..UsageAttributes::default() };
        CostUsage { vendor: vendor.into(), attributes }
    }
}

impl CostAmount {
    /// Sets the model that the money was paid for.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }
}

impl CostUsage {
    /// Sets the input tokens that were neither read from the cache nor written to it.
    #[must_use]
    pub fn input_tokens(mut self, tokens: u64) -> Self {
        self.attributes.input = Some(tokens);
        self
    }

    /// Sets how many tokens the model wrote.
    #[must_use]
    pub fn output_tokens(mut self, tokens: u64) -> Self {
        self.attributes.output = Some(tokens);
        self
    }

    /// Sets the input tokens read from the cache.
    #[must_use]
    pub fn cached_input_tokens(mut self, tokens: u64) -> Self {
        self.attributes.cached = Some(tokens);
        self
    }

    /// Sets the input tokens written to the cache.
    #[must_use]
    pub fn cache_creation_input_tokens(mut self, tokens: u64) -> Self {
        self.attributes.cache_creation = Some(tokens);
        self
    }
}

impl From<CostAmount> for CostData {
    fn from(cost: CostAmount) -> Self {
        Self::Amount(cost)
    }
}

impl From<CostUsage> for CostData {
    fn from(cost: CostUsage) -> Self {
        Self::Usage(cost)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::money::Currency;

    #[test]
    fn the_model_stands_where_each_form_has_it() {
        let cost = Money::parse("0.0021", Currency::USD).unwrap();
        assert_eq!(
            serde_json::to_value(CostData::amount("openai", cost).model("m")).unwrap(),
            json!({"vendor": "openai", "cost": {"amount": 0.0021, "currency": "USD"}, "gen_ai.response.model": "m"})
        );
        assert_eq!(
            serde_json::to_value(CostData::usage("anthropic", "m").input_tokens(1).cached_input_tokens(2)).unwrap(),
            json!({"vendor": "anthropic", "attributes": {
                "gen_ai.response.model": "m", "gen_ai.usage.input_tokens": 1, "gen_ai.usage.cached_input_tokens": 2
            }})
        );
    }

    #[test]
    fn amounts_keep_every_digit() {
        for digits in ["0.10000000000000000001", "79228162514264337593543950335", "0.0021", "10.5", "0"] {
            let cost = CostData::amount("v", Money::parse(digits, Currency::USD).unwrap());
            let text = serde_json::to_string(&CostData::from(cost)).unwrap();
            assert!(text.contains(&format!(r#""amount":{digits},"#)), "{text}");
        }
    }
}
