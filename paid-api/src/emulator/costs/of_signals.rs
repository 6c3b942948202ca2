//! The costs that come with signals: `costData`, as Paid's guides describe it.

use serde_json::Value;

use super::super::store::Store;
use super::usage::usage;
use super::{CollectedCost, money};
use crate::{JsonObject, Timestamp};

impl Store {
    /// The cost in a signal's data, if there is one; or its place and what is wrong with it.
    pub(in crate::emulator) fn cost_of_data(data: &Value, at: Timestamp) -> Result<Option<CollectedCost>, String> {
        let cost = &data["costData"];
        if cost.is_null() {
            return Ok(None);
        }
        let vendor = cost["vendor"].as_str().filter(|vendor| !vendor.is_empty());
        let vendor = vendor.ok_or("data.costData.vendor: is missing")?.to_owned();
        let timestamp = match cost["start_time"].as_str() {
            Some(time) => time.parse().map_err(|_| "data.costData.start_time: is no time".to_owned())?,
            None => at,
        };
        let attributes = &cost["attributes"];
        let (amount, currency) = match (cost["cost"].is_object(), attributes.is_object()) {
            (true, false) => money(&cost["cost"], "data.costData.cost")
                .map_err(|refusal| format!("{}: {}", refusal.details.unwrap_or_default(), refusal.error))?,
            (false, true) => (None, None),
            _ => return Err("data.costData: has either `cost` or `attributes`".to_owned()),
        };
        let model = cost["gen_ai.response.model"].as_str().or_else(|| attributes["gen_ai.response.model"].as_str());
        Ok(Some(CollectedCost {
            customer_id: String::new(),
            product_id: None,
            vendor,
            model: model.unwrap_or_default().to_owned(),
            amount,
            currency,
            usage: usage(|key| attributes.get(key)),
            timestamp,
            metadata: JsonObject::new(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cost_is_an_amount_or_usage_and_anything_else_is_told_of() {
        let at = Timestamp::now();
        let read = |cost: Value| Store::cost_of_data(&json!({ "costData": cost }), at);
        let amount =
            read(json!({"vendor": "v", "cost": {"amount": 0.25, "currency": "usd"}, "gen_ai.response.model": "m",
            "start_time": "2026-01-02T03:04:05Z"}));
        let amount = amount.unwrap().unwrap();
        assert_eq!((amount.amount, amount.currency.as_deref()), (Some(rust_decimal::Decimal::new(25, 2)), Some("USD")));
        assert_eq!((amount.model.as_str(), amount.timestamp.to_string().as_str()), ("m", "2026-01-02T03:04:05Z"));
        let usage =
            read(json!({"vendor": "v", "attributes": {"gen_ai.response.model": "m", "gen_ai.usage.input_tokens": 7}}));
        assert_eq!(usage.unwrap().unwrap().usage["inputTokens"], 7);
        for (cost, place) in [
            (json!({"cost": {"amount": 1, "currency": "USD"}}), "data.costData.vendor"),
            (json!({"vendor": "v"}), "data.costData: "),
            (json!({"vendor": "v", "cost": {"amount": -1, "currency": "USD"}}), "data.costData.cost.amount"),
            (json!({"vendor": "v", "cost": {"amount": 1, "currency": "gold"}}), "data.costData.cost.currency"),
            (json!(3), "data.costData.vendor"),
        ] {
            let problem = read(cost).unwrap_err();
            assert!(problem.starts_with(place), "{problem}");
        }
    }
}
