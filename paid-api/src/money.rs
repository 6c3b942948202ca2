//! Amounts of money: an exact decimal and an ISO 4217 currency. No amount is ever computed in floating point.

use std::fmt;

use rust_decimal::Decimal;
use serde::ser::{Serialize, Serializer};

pub use iso_currency::Currency;

use crate::wire::decimal;

/// An amount of money in major units of its currency: dollars, not cents.
///
/// ```
/// use paid::{Currency, Money};
///
/// let price: Money = Money::parse("0.0021", Currency::USD)?;
/// assert_eq!(price.to_string(), "0.0021 USD");
/// # Ok::<(), rust_decimal::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// Creates an amount in major units.
    pub fn new(amount: impl Into<Decimal>, currency: Currency) -> Self {
        Self { amount: amount.into(), currency }
    }

    /// Parses an amount in major units, such as `0.0021`, and keeps every digit.
    ///
    /// # Errors
    ///
    /// If `amount` is not a decimal number, or has more digits than a [`Decimal`] holds.
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, rust_decimal::Error> {
        Ok(Self { amount: Decimal::from_str_exact(amount)?, currency })
    }

    /// The amount in major units.
    pub fn amount(&self) -> Decimal {
        self.amount
    }

    /// In which money it is counted, as an ISO 4217 code.
    pub fn currency(&self) -> Currency {
        self.currency
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.amount, self.currency.code())
    }
}

/// Serializes `{"amount": 0.0021, "currency": "USD"}`.
pub(crate) fn serialize<S: Serializer>(money: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(serde::Serialize)]
    struct WireMoney {
        #[serde(serialize_with = "decimal::serialize")]
        amount: Decimal,
        currency: &'static str,
    }
    WireMoney { amount: money.amount, currency: money.currency.code() }.serialize(serializer)
}
