//! Whether two values of JSON are the same: integers to the last digit, fractions as far as `serde_json` keeps them, which is an `f64`.

use serde_json::Value;

/// Whether two texts of JSON mean the same: it has one kind of number.
pub(crate) fn same_json(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Number(one), Value::Number(two)) => Exact::of(&one.to_string()) == Exact::of(&two.to_string()),
        (Value::Array(one), Value::Array(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same_json(one, two))
        }
        (Value::Object(one), Value::Object(two)) => {
            one.len() == two.len()
                && one.iter().all(|(key, value)| two.get(key).is_some_and(|other| same_json(value, other)))
        }
        _ => one == two,
    }
}

/// A number as its digits, without zeros on either side, and the power of ten of the last.
#[derive(Debug, PartialEq, Eq)]
struct Exact {
    is_negative: bool,
    digits: String,
    power: i64,
}

impl Exact {
    fn of(text: &str) -> Self {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_end_matches('0');
        let dropped = all.len() - digits.len();
        let digits = digits.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Self { is_negative: false, digits, power: 0 };
        }
        let power = power.parse::<i64>().unwrap() - fraction.len() as i64 + dropped as i64;
        Self { is_negative, digits, power }
    }
}

#[test]
fn numbers_are_compared_by_value() {
    for (one, two, same) in [
        ("1", "1.0", true),
        ("100", "1e2", true),
        ("-0.0", "0", true),
        ("0.050", "5E-2", true),
        ("1", "-1", false),
        ("9007199254740993", "9007199254740992", false),
        ("[18446744073709551615]", "[18446744073709551614]", false),
        ("0.1", "0.10000000000000002", false),
    ] {
        let [one_read, two_read]: [Value; 2] = [one, two].map(|text| serde_json::from_str(text).unwrap());
        assert_eq!(same_json(&one_read, &two_read), same, "{one} {two}");
    }
}
