//! Numbers of requests, from their digits. A JSON reader makes floats of them, which hold 15 digits and no more.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;
use serde_json::value::RawValue;

/// A float is exact up to this many digits.
const DIGITS: usize = 15;

/// Objects of the caller's own. Nothing is computed from their numbers.
const FREE: [&str; 2] = ["data", "metadata"];

/// The place in a request and what is wrong there.
type Problem = (String, String);

/// Reads the numbers of a request from their digits. A number that a float does not hold is refused, but for the amounts of costs, which become
/// strings: [`amount`] reads both.
pub(super) fn read(operation: &str, mut value: Value, body: &[u8]) -> Result<Value, Problem> {
    // Signals have numbers in `data` only.
    if operation != "create-signals"
        && let Ok(raw) = serde_json::from_slice::<&RawValue>(body)
    {
        visit(raw, &mut value, operation == "create-costs", "", "body".into())?;
    }
    Ok(value)
}

/// The value of a number that [`read`] read.
pub(super) fn amount(value: &Value) -> Option<Decimal> {
    match value {
        Value::String(digits) => exact(digits),
        other => exact(&other.as_number()?.to_string()),
    }
}

/// The value of a number, if it has as few digits as a float holds.
pub(super) fn short(value: &Value) -> Option<Decimal> {
    amount(value).filter(|number| significant(number) <= DIGITS)
}

fn visit(raw: &RawValue, value: &mut Value, of_costs: bool, key: &str, place: String) -> Result<(), Problem> {
    match value {
        Value::Object(properties) => {
            let raw: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
            for (name, raw) in raw.iter().filter(|(name, _)| !FREE.contains(&name.as_str())) {
                if let Some(value) = properties.get_mut(name) {
                    visit(raw, value, of_costs, name, format!("{place}/{name}"))?;
                }
            }
            Ok(())
        }
        Value::Array(items) => {
            let raw: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
            for (index, (raw, value)) in raw.iter().zip(items).enumerate() {
                visit(raw, value, of_costs, key, format!("{place}/{index}"))?;
            }
            Ok(())
        }
        Value::Number(_) if of_costs && key == "amount" => match exact(raw.get()) {
            Some(_) => {
                *value = raw.get().into();
                Ok(())
            }
            None => Err((place, format!("{} has more digits than the emulator keeps", raw.get()))),
        },
        Value::Number(_) if exact(raw.get()).is_none_or(|number| significant(&number) > DIGITS) => {
            Err((place, format!("{} has more than {DIGITS} digits", raw.get())))
        }
        _ => Ok(()),
    }
}

fn significant(number: &Decimal) -> usize {
    number.normalize().mantissa().to_string().trim_start_matches('-').len()
}

/// The value of a JSON number; `None` if a decimal does not hold all of it.
fn exact(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some(Decimal::ZERO);
    }
    let trailing = digits.len() - digits.trim_end_matches('0').len();
    // The value is `significant` times ten to the power of `power`.
    let power = i64::from(exponent.parse::<i32>().ok()?) - i64::try_from(fraction.len()).ok()?
        + i64::try_from(trailing).ok()?;
    let plain = match usize::try_from(power) {
        Ok(zeros) if zeros <= 28 => format!("{sign}{significant}{}", "0".repeat(zeros)),
        Ok(_) => return None,
        Err(_) => {
            let decimals = usize::try_from(power.checked_neg()?).ok().filter(|decimals| *decimals <= 28)?;
            let padded = format!("{significant:0>width$}", width = decimals + 1);
            let (whole, fraction) = padded.split_at(padded.len() - decimals);
            format!("{sign}{whole}.{fraction}")
        }
    };
    Decimal::from_str_exact(&plain).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(operation: &str, body: &[u8]) -> Result<Value, Problem> {
        super::read(operation, serde_json::from_slice(body).unwrap_or_default(), body)
    }

    #[test]
    fn numbers_are_read_from_their_digits_or_refused_with_their_place() {
        for (text, value) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("1e-7", "0.0000001"),
            ("12.500E2", "1250"),
            ("-100", "-100"),
            ("0.10000000000000000001", "0.10000000000000000001"),
        ] {
            assert_eq!(exact(text), Some(value.parse().unwrap()), "{text}");
        }
        for text in ["1e-400", "1e29", "0.00000000000000000000000000001", "79228162514264337593543950336"] {
            assert_eq!(exact(text), None, "{text}");
        }
        let body = br#"{"lines":[{"quantity":1.0000000000000000001}]}"#;
        let (place, problem) = read("create-order", body).unwrap_err();
        assert_eq!(place, "body/lines/0/quantity");
        assert!(problem.contains("more than 15 digits"), "{problem}");
        let free = br#"{"metadata":{"a":1.0000000000000000001},"data":[12345678901234567890]}"#;
        assert!(read("create-order", free).is_ok(), "the caller's own objects");
    }

    proptest! {
        #[test]
        fn every_number_is_taken_exactly_or_refused(whole in 0_u64.., fraction in "[0-9]{0,24}", exponent in -30_i32..30) {
            let point = if fraction.is_empty() { "" } else { "." };
            let text = format!("{whole}{point}{fraction}e{exponent}");
            let price = format!(r#"{{"unitPrice":{text}}}"#);
            if let Ok(read) = read("create-order", price.as_bytes()) {
                prop_assert_eq!(amount(&read["unitPrice"]), exact(&text));
            }
            let cost = format!(r#"{{"costs":[{{"amount":{text}}}]}}"#);
            match read("create-costs", cost.as_bytes()) {
                Ok(read) => prop_assert_eq!(amount(&read["costs"][0]["amount"]), exact(&text)),
                Err((place, _)) => {
                    prop_assert_eq!(place, "body/costs/0/amount");
                    prop_assert_eq!(exact(&text), None);
                }
            }
        }

        /// Against the decimal library's own reader, where that is exact.
        #[test]
        fn the_value_is_that_of_the_digits(mantissa in -1_000_000_000_000_000_i64..1_000_000_000_000_000, decimals in 0_u32..20) {
            let expected = Decimal::from_i128_with_scale(mantissa.into(), decimals);
            prop_assert_eq!(exact(&expected.to_string()), Some(expected));
            prop_assert_eq!(exact(&format!("{mantissa}e-{decimals}")), Some(expected));
        }
    }
}
