//! Unions without a tag that every branch has: which branch a value is of, by what can be seen of it.

use serde_json::Value;

/// When a value is of a branch: its JSON type, and keys that it has, each with JSON types and values, of which none means
/// any.
pub type Rule = (&'static str, &'static [(&'static str, &'static [&'static str], &'static [&'static str])]);

/// The branch of a value. The rules of a branch with more keys stand before those of a branch with fewer.
pub fn branch(value: &Value, rules: &[Rule]) -> Option<usize> {
    rules.iter().position(|(is, keys)| {
        is_of(value, is)
            && keys.iter().all(|(key, kinds, values)| {
                value.get(key).is_some_and(|value| {
                    (kinds.is_empty() || kinds.iter().any(|kind| is_of(value, kind)))
                        && (values.is_empty() || values.contains(&text(value).as_str()))
                })
            })
    })
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RULES: &[Rule] = &[
        ("object", &[("kind", &["string"], &["a", "b"])]),
        ("object", &[("value", &["number"], &[])]),
        ("object", &[("code", &[], &["7"])]),
        ("array", &[]),
        ("integer", &[]),
        ("number", &[]),
    ];

    #[test]
    fn a_value_is_of_the_first_branch_that_it_fits() {
        for (value, expected) in [
            (json!({"kind": "b", "value": 1}), Some(0)),
            (json!({"kind": "c", "value": 1.5}), Some(1)),
            (json!({"value": "1"}), None),
            (json!({"code": 7}), Some(2)),
            (json!([]), Some(3)),
            (json!(1), Some(4)),
            (json!(2.0), Some(4)),
            (json!(1.5), Some(5)),
            (json!(null), None),
        ] {
            assert_eq!(branch(&value, RULES), expected, "{value}");
        }
    }
}
