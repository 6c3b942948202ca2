//! A cost record: its checks and its JSON.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use crate::dispatch::Record;
use crate::money::{self, Money};
use crate::report::{DataProblem, DeliveryError, RecordKind};
use crate::scope::Scope;
use crate::signal::lane::lane_of;
use crate::signal::{IdempotencyKey, check};
use crate::types::{CustomerAttribution, ProductAttribution, TokenUsage};
use crate::wire::{self, decimal};
use crate::{JsonObject, Timestamp};

/// What a piece of work cost you: an amount of money ([`CostRecord::amount`]), or usage of a model that Paid prices
/// ([`CostRecord::usage`]).
///
/// ```
/// use paid::costs::CostRecord;
/// use paid::types::TokenUsage;
/// use paid::{Currency, Money};
///
/// let scraper = CostRecord::amount(Money::parse("0.0021", Currency::USD)?).customer("acme").vendor("scraper");
/// let tokens = TokenUsage::new().input_tokens(100).output_tokens(60);
/// let model = CostRecord::usage("openai", "gpt-4o", tokens).customer("acme");
/// # Ok::<(), rust_decimal::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CostRecord<C> {
    cost: C,
    customer: Option<CustomerAttribution>,
    product: Option<ProductAttribution>,
    timestamp: Option<Timestamp>,
    metadata: Option<JsonObject>,
}

/// A cost whose amount is known; see [`CostRecord::amount`].
#[derive(Clone, Debug)]
pub struct Spent {
    money: Money,
    vendor: Option<String>,
    model: Option<String>,
}

/// Usage of a model that Paid prices; see [`CostRecord::usage`].
#[derive(Clone, Debug)]
pub struct Used {
    vendor: String,
    model: String,
    usage: TokenUsage,
    price: Option<Money>,
}

/// The contents of a cost record: [`Spent`] or [`Used`].
pub trait Cost: sealed::AsWire {}

impl Cost for Spent {}
impl Cost for Used {}

mod sealed {
    use super::{Result, WireCost};

    /// Sealed: only this crate defines costs.
    pub trait AsWire {
        #[doc(hidden)]
        fn as_wire(&self) -> Result<WireCost<'_>>;
    }
}

type Result<T> = std::result::Result<T, DeliveryError>;

impl CostRecord<Spent> {
    /// Creates a record of what something cost, where you know the money.
    pub fn amount(money: Money) -> Self {
        Self::of(Spent { money, vendor: None, model: None })
    }

    /// Sets who was paid.
    #[must_use]
    pub fn vendor(mut self, vendor: impl Into<String>) -> Self {
        self.cost.vendor = Some(vendor.into());
        self
    }

    /// Sets which model was paid for.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.cost.model = Some(model.into());
        self
    }
}

impl CostRecord<Used> {
    /// Creates a record of a model's usage, which Paid prices. `vendor` is the provider (`openai`), `model` the
    /// provider's exact name of the model. Paid refuses a pair that it does not know.
    pub fn usage(vendor: impl Into<String>, model: impl Into<String>, usage: TokenUsage) -> Self {
        Self::of(Used { vendor: vendor.into(), model: model.into(), usage, price: None })
    }

    /// Sets your own price instead of Paid's.
    #[must_use]
    pub fn priced_at(mut self, price: Money) -> Self {
        self.cost.price = Some(price);
        self
    }
}

impl<C> CostRecord<C> {
    fn of(cost: C) -> Self {
        Self { cost, customer: None, product: None, timestamp: None, metadata: None }
    }

    /// Sets whose work it was, by your own id or a [`CustomerId`](crate::types::CustomerId); the scope's customer by
    /// default.
    #[must_use]
    pub fn customer(mut self, customer: impl Into<CustomerAttribution>) -> Self {
        self.customer = Some(customer.into());
        self
    }

    /// Sets which product did the work, by your own id or a [`ProductId`](crate::types::ProductId); the scope's product
    /// by default.
    #[must_use]
    pub fn product(mut self, product: impl Into<ProductAttribution>) -> Self {
        self.product = Some(product.into());
        self
    }

    /// Sets when the money was spent; the time of recording by default.
    #[must_use]
    pub fn timestamp(mut self, timestamp: impl Into<Timestamp>) -> Self {
        self.timestamp = Some(timestamp.into());
        self
    }

    /// Sets custom data to filter by.
    #[must_use]
    pub fn metadata(mut self, metadata: JsonObject) -> Self {
        self.metadata = Some(metadata);
        self
    }
}

impl<C: Cost> CostRecord<C> {
    /// The record as it is queued: with the scope's customer and product if it sets none, a key and the time.
    pub(crate) fn to_record(&self) -> Result<Record> {
        let (scope_customer, scope_product) = Scope::with_current(|scope| {
            let customer = scope.and_then(Scope::customer_named).cloned();
            (customer, scope.and_then(Scope::product_named).cloned())
        });
        let customer = self.customer.clone().or(scope_customer);
        let customer = customer.ok_or_else(|| DeliveryError::no_customer(RecordKind::Cost, ""))?;
        let product = self.product.clone().or(scope_product);
        let timestamp = self.timestamp.unwrap_or_else(Timestamp::now).without_leap_second();
        let refused = check::customer(&customer)
            .or_else(|| product.as_ref().and_then(check::product))
            .or_else(|| (!timestamp.is_writable()).then(check::timeless));
        if let Some(problem) = refused {
            return Err(DeliveryError::data(RecordKind::Cost, "", problem));
        }
        if let Some(Err(problem)) = self.metadata.as_ref().map(wire::check_json) {
            return Err(self::problem("metadata", &problem.to_string()));
        }
        let wire = WireRecord {
            cost: self.cost.as_wire()?,
            customer: &customer,
            product,
            timestamp,
            metadata: self.metadata.as_ref(),
        };
        let body = serde_json::to_vec(&wire).map_err(|error| problem("metadata", &error.to_string()))?;
        Ok(Record::new(RecordKind::Cost, "", IdempotencyKey::make().as_str(), lane_of(&customer), &body))
    }
}

impl sealed::AsWire for Spent {
    fn as_wire(&self) -> Result<WireCost<'_>> {
        check_text("vendor", self.vendor.as_deref())?;
        check_text("model", self.model.as_deref())?;
        Ok(WireCost::Amount {
            amount: checked(&self.money)?,
            currency: self.money.currency().code(),
            vendor: self.vendor.as_deref(),
            model: self.model.as_deref(),
        })
    }
}

impl sealed::AsWire for Used {
    fn as_wire(&self) -> Result<WireCost<'_>> {
        check_text("vendor", Some(&self.vendor))?;
        check_text("model", Some(&self.model))?;
        check_usage(&self.usage)?;
        if let Some(price) = &self.price {
            checked(price)?;
        }
        Ok(WireCost::Usage {
            vendor: &self.vendor,
            model: &self.model,
            usage: &self.usage,
            cost_override: self.price.as_ref(),
        })
    }
}

fn problem(field: &str, problem: &str) -> DeliveryError {
    DeliveryError::data(RecordKind::Cost, "", DataProblem::new(field, problem))
}

fn check_text(field: &str, text: Option<&str>) -> Result<()> {
    match text.and_then(|text| check::text(field, text, "name it, as the vendor does")) {
        Some(problem) => Err(DeliveryError::data(RecordKind::Cost, "", problem)),
        None => Ok(()),
    }
}

fn checked(money: &Money) -> Result<Decimal> {
    let amount = money.amount();
    if amount.is_sign_negative() && !amount.is_zero() {
        return Err(problem("amount", "is negative: a cost is the amount that was spent"));
    }
    Ok(amount.abs())
}

fn check_usage(usage: &TokenUsage) -> Result<()> {
    let counts = [
        ("inputTokens", usage.input_tokens),
        ("outputTokens", usage.output_tokens),
        ("cacheReadInputTokens", usage.cache_read_input_tokens),
        ("cacheCreationInputTokens", usage.cache_creation_input_tokens),
        ("reasoningOutputTokens", usage.reasoning_output_tokens),
    ];
    match counts.iter().find(|(_, count)| count.is_some_and(|count| count < 0)) {
        Some((field, _)) => Err(problem(field, "is negative")),
        None => Ok(()),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireRecord<'a> {
    #[serde(flatten)]
    cost: WireCost<'a>,
    customer: &'a CustomerAttribution,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<ProductAttribution>,
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a JsonObject>,
}

/// The part of a record that depends on the kind of cost.
#[doc(hidden)]
#[derive(Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum WireCost<'a> {
    #[serde(rename = "cost")]
    Amount {
        #[serde(serialize_with = "decimal::serialize")]
        amount: Decimal,
        currency: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        vendor: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        model: Option<&'a str>,
    },
    #[serde(rename = "usage")]
    Usage {
        vendor: &'a str,
        model: &'a str,
        usage: &'a TokenUsage,
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "serialize_price")]
        cost_override: Option<&'a Money>,
    },
}

fn serialize_price<S: Serializer>(price: &Option<&Money>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match price {
        Some(price) => money::serialize(price, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn blank_texts_and_times_that_cannot_be_written_are_refused_with_the_field() {
        let record = || CostRecord::amount(Money::parse("1", Currency::USD).unwrap()).customer("acme");
        let used = |vendor: &str, model: &str| CostRecord::usage(vendor, model, TokenUsage::new()).customer("acme");
        for blank in ["", " ", "\u{200b}"] {
            for (refused, field) in [
                (record().customer(blank).to_record(), "customer"),
                (record().product(blank).to_record(), "product"),
                (record().vendor(blank).to_record(), "vendor"),
                (record().model(blank).to_record(), "model"),
                (used(blank, "m").to_record(), "vendor"),
                (used("v", blank).to_record(), "model"),
                (
                    crate::scope().customer(blank).run_sync(|| CostRecord { customer: None, ..record() }.to_record()),
                    "customer",
                ),
            ] {
                let Err(DeliveryError::Data { problem, .. }) = refused else { panic!("{field} {blank:?}") };
                assert_eq!(problem.field, field);
            }
        }
        let Err(late) = record().timestamp(chrono::DateTime::<chrono::Utc>::MAX_UTC).to_record() else { panic!() };
        assert!(late.to_string().starts_with("cost record: `timestamp` "), "{late}");
        let deep = (0..200).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
        let Err(deep) = record().metadata(crate::object!({ "n": deep })).to_record() else { panic!() };
        assert!(deep.to_string().contains("`metadata` is nested"), "{deep}");
    }

    #[test]
    fn amounts_keep_every_digit() {
        for amount in ["0.10000000000000000001", "79228162514264337593543950335", "0.0021", "0"] {
            let money = Money::parse(amount, Currency::USD).unwrap();
            let record = CostRecord::amount(money).customer("acme").to_record().unwrap();
            let text = String::from_utf8_lossy(record.body()).into_owned();
            assert!(text.contains(&format!("\"amount\":{amount},\"currency\":\"USD\"")), "{text}");
        }
    }
}
