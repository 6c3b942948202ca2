//! What a piece of work cost, as a part of its signal (`costData`).

use serde::Serialize;

/// What a piece of work cost you, sent with its signal so that Paid can show the margin.
///
/// Paid's guides describe it; the API's document does not.
///
/// ```
/// use paid::signal::CostData;
///
/// let cost = CostData::amount("openai", 0.0021, "USD").with_model("gpt-4o");
/// let usage = CostData::usage("anthropic", "claude-sonnet-4").input_tokens(100).output_tokens(60);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostData {
    vendor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Amount>,
    #[serde(rename = "gen_ai.response.model", skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Usage>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Amount {
    amount: f64,
    currency: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Usage {
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
    /// A cost that you know, in major currency units (dollars, not cents), with an ISO 4217 currency.
    pub fn amount(vendor: impl Into<String>, amount: f64, currency: impl Into<String>) -> Self {
        let cost = Amount { amount, currency: currency.into() };
        Self { vendor: vendor.into(), cost: Some(cost), model: None, attributes: None }
    }

    /// Usage of a model that Paid prices.
    pub fn usage(vendor: impl Into<String>, model: impl Into<String>) -> Self {
        let usage = Usage { model: model.into(), ..Usage::default() };
        Self { vendor: vendor.into(), cost: None, model: None, attributes: Some(usage) }
    }

    /// Names the model. Usage names its own already; this names another.
    #[must_use]
    pub fn with_model(mut self, model: impl Into<String>) -> Self {
        match &mut self.attributes {
            Some(usage) => usage.model = model.into(),
            None => self.model = Some(model.into()),
        }
        self
    }

    /// Input tokens that had nothing to do with the cache. For usage; an amount has none.
    #[must_use]
    pub fn input_tokens(self, tokens: u64) -> Self {
        self.with_usage(|usage| usage.input = Some(tokens))
    }

    /// Tokens the model gave out. For usage; an amount has none.
    #[must_use]
    pub fn output_tokens(self, tokens: u64) -> Self {
        self.with_usage(|usage| usage.output = Some(tokens))
    }

    /// Input tokens read from the cache. For usage; an amount has none.
    #[must_use]
    pub fn cached_input_tokens(self, tokens: u64) -> Self {
        self.with_usage(|usage| usage.cached = Some(tokens))
    }

    /// Input tokens written to the cache. For usage; an amount has none.
    #[must_use]
    pub fn cache_creation_input_tokens(self, tokens: u64) -> Self {
        self.with_usage(|usage| usage.cache_creation = Some(tokens))
    }

    fn with_usage(mut self, change: impl FnOnce(&mut Usage)) -> Self {
        if let Some(usage) = &mut self.attributes {
            change(usage);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_model_stands_where_each_form_has_it() {
        assert_eq!(
            serde_json::to_value(CostData::amount("openai", 0.0021, "USD").with_model("m")).unwrap(),
            json!({"vendor": "openai", "cost": {"amount": 0.0021, "currency": "USD"}, "gen_ai.response.model": "m"})
        );
        assert_eq!(
            serde_json::to_value(CostData::usage("anthropic", "m").input_tokens(1).cached_input_tokens(2)).unwrap(),
            json!({"vendor": "anthropic", "attributes": {
                "gen_ai.response.model": "m", "gen_ai.usage.input_tokens": 1, "gen_ai.usage.cached_input_tokens": 2
            }})
        );
    }
}
