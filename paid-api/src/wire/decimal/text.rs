//! Exact amounts that stand in a JSON string. A number is read as well.

use serde::{Deserializer, Serialize, Serializer};

use super::Amount;

/// For `#[serde(with = "decimal_text")]`.
pub fn serialize<A: Amount, S: Serializer>(amount: &A, serializer: S) -> Result<S::Ok, S::Error> {
    amount.amount().map(|amount| amount.to_string()).serialize(serializer)
}

/// For `#[serde(with = "decimal_text")]`.
pub fn deserialize<'de, A: Amount, D: Deserializer<'de>>(deserializer: D) -> Result<A, D::Error> {
    A::read(deserializer)
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Spent {
        #[serde(with = "super")]
        credits: Decimal,
        #[serde(default, with = "super", skip_serializing_if = "Option::is_none")]
        before: Option<Decimal>,
    }

    #[test]
    fn every_digit_of_an_amount_in_a_string_survives() {
        let json = r#"{"credits":"0.1000000000000000000000000001","before":"-12.50"}"#;
        let spent: Spent = serde_json::from_str(json).unwrap();
        assert_eq!(spent.credits.to_string(), "0.1000000000000000000000000001");
        assert_eq!(serde_json::to_string(&spent).unwrap(), json);
    }

    #[test]
    fn a_number_is_read_and_text_that_is_no_amount_is_not() {
        let spent: Spent = serde_json::from_str(r#"{"credits":2.5}"#).unwrap();
        assert_eq!(spent, Spent { credits: Decimal::new(25, 1), before: None });
        assert!(serde_json::from_str::<Spent>(r#"{"credits":"many"}"#).is_err());
    }
}
