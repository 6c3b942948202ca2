//! Amounts in major units, as the catalogue writes them, and in minor units, as Paid's API does. Exact in both directions.

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde_json::{Number, Value};

/// How many decimals the currency has; `None` if ISO 4217 does not know it.
fn exponent(currency: &str) -> Option<u32> {
    Currency::from_code(currency).map(|known| known.exponent().map_or(0, u32::from))
}

/// The number as a decimal, digit for digit.
pub(super) fn decimal(number: &Number) -> Option<Decimal> {
    let text = number.to_string();
    Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}

/// A decimal without zeros that say nothing.
pub(super) fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

/// Cents become dollars: `150` of USD is `1.5`.
pub(super) fn to_major(minor: Decimal, currency: &str) -> Result<String, String> {
    let decimals = exponent(currency).ok_or_else(|| format!("ISO 4217 has no currency {currency}"))?;
    let power = Decimal::from(10_u64.pow(decimals));
    minor.checked_div(power).map(plain).ok_or_else(|| format!("{minor} is too large"))
}

/// Dollars become cents: `1.50` of USD is `150`. The API takes whole cents only.
pub(super) fn to_minor(major: &str, currency: &str) -> Result<Value, String> {
    let decimals = exponent(currency).ok_or_else(|| format!("ISO 4217 has no currency {currency}"))?;
    let amount = Decimal::from_str_exact(major).map_err(|_| format!("{major} is not a decimal number"))?;
    let minor = amount.checked_mul(Decimal::from(10_u64.pow(decimals))).map(|minor| minor.normalize());
    let minor = minor.filter(|minor| minor.scale() == 0).and_then(|minor| i64::try_from(minor).ok());
    minor.map(Value::from).ok_or_else(|| {
        format!("{major} {currency} cannot be sent: Paid takes amounts of at most {decimals} decimals in {currency}")
    })
}

/// An amount with the decimals that its currency has, or more if it needs them: `1.5` of USD is `1.50`.
pub(super) fn shown(major: &str, currency: &str) -> String {
    let decimals = exponent(currency).unwrap_or_default() as usize;
    let (whole, part) = major.split_once('.').unwrap_or((major, ""));
    if decimals.max(part.len()) == 0 { whole.to_owned() } else { format!("{whole}.{part:0<decimals$}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_in_both_directions() {
        for (minor, currency, major, written) in [
            ("150", "USD", "1.5", "1.50"),
            ("0.5", "USD", "0.005", "0.005"),
            ("100", "JPY", "100", "100"),
            ("1234", "KWD", "1.234", "1.234"),
            ("0", "EUR", "0", "0.00"),
        ] {
            let number = Decimal::from_str_exact(minor).unwrap();
            assert_eq!(to_major(number, currency).unwrap(), major);
            assert_eq!(shown(major, currency), written);
        }
        assert_eq!(to_minor("1.50", "USD").unwrap(), 150);
        assert_eq!(to_minor("100", "JPY").unwrap(), 100);
        assert!(to_minor("0.005", "USD").unwrap_err().contains("at most 2 decimals in USD"));
        assert!(to_minor("1", "XQQ").unwrap_err().contains("no currency XQQ"));
    }

    proptest::proptest! {
        #[test]
        fn an_amount_that_was_sent_comes_back(cents in 0..1_000_000_000_000_i64, at in 0..3_usize) {
            let currency = ["USD", "JPY", "KWD"][at];
            let major = to_major(Decimal::from(cents), currency).unwrap();
            assert_eq!(to_minor(&shown(&major, currency), currency).unwrap(), cents);
        }
    }
}
