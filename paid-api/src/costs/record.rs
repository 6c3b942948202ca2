//! A cost record, checked and as JSON.

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::emit::EmitError;
use crate::signal::scope::Scope;
use crate::signal::{DataProblem, Key};
use crate::types::{CustomerAttribution, ProductAttribution, TokenUsage};
use crate::{JsonObject, Timestamp};

/// What a piece of work cost you. Amounts are decimals, in major currency units: dollars, not cents.
#[derive(Clone, Debug)]
pub struct CostRecord {
    what: What,
    customer: Option<CustomerAttribution>,
    product: Option<ProductAttribution>,
    vendor: Option<String>,
    model: Option<String>,
    timestamp: Option<Timestamp>,
    metadata: Option<JsonObject>,
}

#[derive(Clone, Debug)]
enum What {
    Amount(Money),
    Usage { usage: TokenUsage, price: Option<Money> },
}

#[derive(Clone, Copy, Debug)]
struct Money {
    amount_major: Decimal,
    currency: Currency,
}

impl CostRecord {
    /// A cost whose amount you know, in major units of the currency.
    pub fn amount(amount_major: Decimal, currency: Currency) -> Self {
        Self::new(What::Amount(Money { amount_major, currency }), None, None)
    }

    /// Usage of a model, which Paid prices: the provider (`openai`) and its exact name of the model. A pair that Paid does
    /// not know is refused.
    pub fn usage(vendor: impl Into<String>, model: impl Into<String>, usage: TokenUsage) -> Self {
        Self::new(What::Usage { usage, price: None }, Some(vendor.into()), Some(model.into()))
    }

    fn new(what: What, vendor: Option<String>, model: Option<String>) -> Self {
        Self { what, customer: None, product: None, vendor, model, timestamp: None, metadata: None }
    }

    /// Whose work it was: your own id, or a [`CustomerId`](crate::types::CustomerId); else the scope's.
    #[must_use]
    pub fn customer(mut self, customer: impl Into<CustomerAttribution>) -> Self {
        self.customer = Some(customer.into());
        self
    }

    /// Which product did it: your own id, or a [`ProductId`](crate::types::ProductId); else the scope's.
    #[must_use]
    pub fn product(mut self, product: impl Into<ProductAttribution>) -> Self {
        self.product = Some(product.into());
        self
    }

    /// Who was paid: a tag of an amount. Usage has its vendor already.
    #[must_use]
    pub fn vendor(mut self, vendor: impl Into<String>) -> Self {
        self.vendor = Some(vendor.into());
        self
    }

    /// Which model it was: a tag of an amount. Usage has its model already.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// A price of your own for usage, in major units, instead of Paid's. An amount has its own.
    #[must_use]
    pub fn priced_at(mut self, amount_major: Decimal, currency: Currency) -> Self {
        let money = Money { amount_major, currency };
        match &mut self.what {
            What::Amount(amount) => *amount = money,
            What::Usage { price, .. } => *price = Some(money),
        }
        self
    }

    /// When it was spent; else when it is recorded.
    #[must_use]
    pub fn timestamp(mut self, timestamp: impl Into<Timestamp>) -> Self {
        self.timestamp = Some(timestamp.into());
        self
    }

    /// Data of your own, to filter by.
    #[must_use]
    pub fn metadata(mut self, metadata: JsonObject) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// As it stands in the queue: the record as Paid takes it, below what the queue wants to know.
    pub(super) fn to_envelope(&self) -> Result<Vec<u8>, EmitError> {
        let (scope_customer, scope_product) = Scope::with_current(|scope| {
            let customer = scope.and_then(Scope::customer_named).cloned();
            (customer, scope.and_then(Scope::product_named).cloned())
        });
        let Some(customer) = self.customer.clone().or(scope_customer) else {
            return Err(EmitError::NoCustomer { name: super::sink::NAME.into() });
        };
        for (field, text) in [("vendor", &self.vendor), ("model", &self.model)] {
            if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
                return Err(problem(field, "is empty"));
            }
        }
        let (kind, amount, price, usage) = match &self.what {
            What::Amount(money) => ("cost", Some(money), None, None),
            What::Usage { usage, price } => ("usage", None, price.as_ref(), Some(usage)),
        };
        check_usage(usage)?;
        let record = Wire {
            kind,
            amount: amount.map(|money| number(money.amount_major)).transpose()?,
            currency: amount.map(|money| money.currency.code()),
            customer: &customer,
            product: self.product.clone().or(scope_product),
            vendor: self.vendor.as_deref(),
            model: self.model.as_deref(),
            usage,
            cost_override: match price {
                Some(money) => Some(WirePrice { amount: number(money.amount_major)?, currency: money.currency.code() }),
                None => None,
            },
            timestamp: self.timestamp.unwrap_or_else(Timestamp::now),
            metadata: self.metadata.as_ref(),
        };
        let key = Key::make();
        let envelope = WireEnvelope {
            event_name: super::sink::NAME,
            idempotency_key: key.as_str(),
            customer: &customer,
            record: &record,
        };
        serde_json::to_vec(&envelope).map_err(|error| problem("metadata", &error.to_string()))
    }
}

fn problem(field: &str, problem: &str) -> EmitError {
    let problem = DataProblem { field: field.to_owned(), problem: problem.to_owned() };
    EmitError::Data { name: super::sink::NAME.into(), problem }
}

/// The decimal's own digits: no floating point in between.
fn number(amount: Decimal) -> Result<Box<RawValue>, EmitError> {
    if amount.is_sign_negative() && !amount.is_zero() {
        return Err(problem("amount", "is below zero: a cost is what was spent"));
    }
    RawValue::from_string(amount.abs().to_string()).map_err(|error| problem("amount", &error.to_string()))
}

fn check_usage(usage: Option<&TokenUsage>) -> Result<(), EmitError> {
    let Some(usage) = usage else { return Ok(()) };
    let counts = [
        ("inputTokens", usage.input_tokens),
        ("outputTokens", usage.output_tokens),
        ("cacheReadInputTokens", usage.cache_read_input_tokens),
        ("cacheCreationInputTokens", usage.cache_creation_input_tokens),
        ("reasoningOutputTokens", usage.reasoning_output_tokens),
    ];
    match counts.iter().find(|(_, count)| count.is_some_and(|count| count < 0)) {
        Some((field, _)) => Err(problem(field, "is below zero")),
        None => Ok(()),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'static str>,
    customer: &'a CustomerAttribution,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<ProductAttribution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'a TokenUsage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_override: Option<WirePrice>,
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a JsonObject>,
}

#[derive(Serialize)]
struct WirePrice {
    amount: Box<RawValue>,
    currency: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireEnvelope<'a> {
    event_name: &'static str,
    idempotency_key: &'a str,
    customer: &'a CustomerAttribution,
    record: &'a Wire<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_every_digit() {
        for amount in ["0.10000000000000000001", "79228162514264337593543950335", "0.0021", "0"] {
            let record = CostRecord::amount(amount.parse().unwrap(), Currency::USD).customer("acme");
            let text = String::from_utf8(record.to_envelope().unwrap()).unwrap();
            assert!(text.contains(&format!("\"amount\":{amount},\"currency\":\"USD\"")), "{text}");
        }
    }
}
