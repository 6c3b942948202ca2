//! Exact amounts: read from any way to write a number, and written as a JSON number. Nothing is calculated.
//!
//! serde hands a JSON number with a fraction over as an `f64`. Its shortest form has the digits that were sent, up to
//! 15 significant ones; a string, or serde_json's `arbitrary_precision`, keeps all 28 that a [`Decimal`] can hold.

pub mod text;

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{self, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::Patch;

/// What a field with an exact amount can be: always there, optional, or changeable.
pub trait Amount: Sized {
    /// The amount, if there is one.
    fn amount(&self) -> Option<Decimal>;
    /// Writes it.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
    /// Reads it.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// For `#[serde(with = "decimal")]`.
pub fn serialize<A: Amount, S: Serializer>(amount: &A, serializer: S) -> Result<S::Ok, S::Error> {
    amount.write(serializer)
}

/// For `#[serde(with = "decimal")]`.
pub fn deserialize<'de, A: Amount, D: Deserializer<'de>>(deserializer: D) -> Result<A, D::Error> {
    A::read(deserializer)
}

impl Amount for Decimal {
    fn amount(&self) -> Option<Decimal> {
        Some(*self)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Exact(*self).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Exact::deserialize(deserializer).map(|exact| exact.0)
    }
}

impl Amount for Option<Decimal> {
    fn amount(&self) -> Option<Decimal> {
        *self
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.map(Exact).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Exact>::deserialize(deserializer)?.map(|exact| exact.0))
    }
}

impl Amount for Patch<Decimal> {
    fn amount(&self) -> Option<Decimal> {
        self.as_set().copied()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_set().copied().map(Exact).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<Decimal>::read(deserializer).map(Self::from)
    }
}

struct Exact(Decimal);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = self.0.normalize().to_string();
        if let Ok(whole) = digits.parse::<i64>() {
            return serializer.serialize_i64(whole);
        }
        // Every format can write a float. Only JSON can write the digits of a number that no float has.
        match digits.parse::<f64>() {
            Ok(float) if float.to_string() == digits => serializer.serialize_f64(float),
            _ => RawValue::from_string(digits).map_err(ser::Error::custom)?.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNumber)
    }
}

struct AnyNumber;

impl<'de> Visitor<'de> for AnyNumber {
    type Value = Exact;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an amount: a number, or a string with one")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Exact, E> {
        Ok(Exact(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Exact, E> {
        Ok(Exact(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Exact, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Exact, E> {
        let amount = Decimal::from_str(text).or_else(|_| Decimal::from_scientific(text));
        amount.map(Exact).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    /// A number with the feature `arbitrary_precision` of serde_json.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Exact, A::Error> {
        let number = serde_json::Number::deserialize(de::value::MapAccessDeserializer::new(map))?;
        self.visit_str(&number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Price {
        #[serde(with = "super")]
        unit: Decimal,
        #[serde(default, with = "super", skip_serializing_if = "Option::is_none")]
        flat: Option<Decimal>,
        #[serde(default, with = "super", skip_serializing_if = "Patch::is_leave")]
        fee: Patch<Decimal>,
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn integers_numbers_and_strings_are_read_and_written_as_numbers() {
        for (json, unit, written) in [
            ("50000", "50000", "50000"),
            ("-3", "-3", "-3"),
            ("0.1", "0.1", "0.1"),
            ("12.50", "12.5", "12.5"),
            ("1e-7", "0.0000001", "1e-7"),
            ("1E2", "100", "100"),
            ("9007199254740993", "9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615", "18446744073709551615"),
            (r#""0.1000000000000000000000000001""#, "0.1000000000000000000000000001", "0.1000000000000000000000000001"),
            (r#""79228162514264337593543950335""#, "79228162514264337593543950335", "79228162514264337593543950335"),
        ] {
            let price: Price = serde_json::from_str(&format!(r#"{{"unit":{json}}}"#)).unwrap();
            assert_eq!(price.unit, decimal(unit), "{json}");
            assert_eq!(serde_json::to_string(&price).unwrap(), format!(r#"{{"unit":{written}}}"#));
        }
    }

    #[test]
    fn what_is_not_an_amount_or_too_large_is_an_error() {
        for json in ["null", "true", r#""ten""#, "1e40", "{}", r#""""#, "[1]"] {
            let text = format!(r#"{{"unit":{json}}}"#);
            assert!(serde_json::from_str::<Price>(&text).is_err(), "{json}");
        }
    }

    #[test]
    fn an_amount_can_be_left_out_or_cleared() {
        for (json, flat, fee) in [
            (r#"{"unit":1}"#, None, Patch::Leave),
            (r#"{"unit":1,"fee":null}"#, None, Patch::Clear),
            (r#"{"unit":1,"flat":0.5,"fee":2}"#, Some(decimal("0.5")), Patch::Set(Decimal::TWO)),
        ] {
            let price = Price { unit: Decimal::ONE, flat, fee };
            assert_eq!(serde_json::to_string(&price).unwrap(), json);
            assert_eq!(serde_json::from_str::<Price>(json).unwrap(), price);
        }
    }

    proptest! {
        #[test]
        fn every_decimal_is_written_with_its_own_digits(mantissa in -(1_i128 << 95)..(1_i128 << 95), scale in 0_u32..=28) {
            let amount = Decimal::from_i128_with_scale(mantissa, scale);
            let text = serde_json::to_string(&Exact(amount)).unwrap();
            prop_assert_eq!(Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).unwrap(), amount);
            let price = Price { unit: amount, flat: None, fee: Patch::Leave };
            prop_assert!(serde_json::to_string(&price).is_ok());
        }

        #[test]
        fn fifteen_digits_are_read_from_a_json_number_without_loss(digits in -999_999_999_999_999_i64..=999_999_999_999_999, scale in 0_u32..=15) {
            let amount = Decimal::new(digits, scale);
            let text = format!(r#"{{"unit":{amount}}}"#);
            prop_assert_eq!(serde_json::from_str::<Price>(&text).unwrap().unit, amount);
        }

        #[test]
        fn a_float_of_seventeen_digits_comes_back_as_it_was(bits: u64) {
            let float = f64::from_bits(bits);
            prop_assume!(float.is_finite());
            let text = format!("{float:.16e}");
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(value.as_f64().unwrap().to_bits(), float.to_bits());
            let metadata = crate::object!({ "kept": float });
            let text = serde_json::to_string(&metadata).unwrap();
            prop_assert_eq!(serde_json::from_str::<crate::JsonObject>(&text).unwrap(), metadata);
        }
    }
}
