//! JSON as text: numbers keep every digit, and fields their order.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// JSON over several lines; as it is, if it is nested very deeply.
pub(crate) fn pretty(json: &str) -> String {
    const DEEP: usize = 60;
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    let mut letters = json.chars().peekable();
    while let Some(letter) = letters.next() {
        if in_text {
            out.push(letter);
            in_text = is_escaped || letter != '"';
            is_escaped = !is_escaped && letter == '\\';
            continue;
        }
        match letter {
            '"' => {
                in_text = true;
                out.push(letter);
            }
            '{' | '[' => {
                out.push(letter);
                while letters.peek().is_some_and(char::is_ascii_whitespace) {
                    letters.next();
                }
                if letters.peek().is_some_and(|next| matches!(next, '}' | ']')) {
                    out.extend(letters.next());
                } else {
                    depth += 1;
                    break_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                break_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            letter if letter.is_ascii_whitespace() => {}
            letter => out.push(letter),
        }
        if depth > DEEP {
            return json.to_owned();
        }
    }
    out
}

fn break_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// The fields of an object, in their order.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// The JSON with another value at a place: `customer.externalCustomerId=acme`, `/data/words=7`. The value is JSON, or
/// else text.
pub(crate) fn set(json: &str, assignment: &str) -> Result<String, String> {
    let (path, value) =
        assignment.split_once('=').ok_or_else(|| format!("`--set {assignment}` has no `=`: write PATH=VALUE"))?;
    let value = match serde_json::from_str::<&RawValue>(value) {
        Ok(_) => value.trim().to_owned(),
        Err(_) => in_json(value),
    };
    let steps: Vec<String> = match path.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect(),
        None => path.split('.').map(str::to_owned).collect(),
    };
    if steps.iter().any(String::is_empty) {
        return Err(format!("`{path}` is no path: write fields with `.` between them"));
    }
    set_at(json, &steps, &value).ok_or_else(|| format!("there is no place `{path}` in the record"))
}

fn set_at(json: &str, steps: &[String], value: &str) -> Option<String> {
    let Some((step, rest)) = steps.split_first() else { return Some(value.to_owned()) };
    if let Ok(mut items) = serde_json::from_str::<Vec<Box<RawValue>>>(json) {
        let item = items.get_mut(step.parse::<usize>().ok()?)?;
        *item = RawValue::from_string(set_at(item.get(), rest, value)?).ok()?;
        let items: Vec<&str> = items.iter().map(|item| item.get()).collect();
        return Some(format!("[{}]", items.join(",")));
    }
    let Fields(mut fields) = serde_json::from_str(json).ok()?;
    let place = fields.iter().rposition(|(name, _)| name == step);
    let old = place.and_then(|place| fields.get(place)).map_or("{}", |(_, old)| old.get());
    let new = RawValue::from_string(set_at(old, rest, value)?).ok()?;
    match place.and_then(|place| fields.get_mut(place)) {
        Some((_, old)) => *old = new,
        None => fields.push((step.clone(), new)),
    }
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{}:{}", in_json(name), value.get())).collect();
    Some(format!("{{{}}}", fields.join(",")))
}

fn in_json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretty_json_keeps_its_values() {
        let json = r#"{"a":1.10,"b":[],"c":{ },"d":["x, {y}\\\"",{"e":12345678901234567890123}]}"#;
        let lines = "{\n  \"a\": 1.10,\n  \"b\": [],\n  \"c\": {},\n  \"d\": [\n    \"x, {y}\\\\\\\"\",\n    {\n      \
                     \"e\": 12345678901234567890123\n    }\n  ]\n}";
        assert_eq!(pretty(json), lines);
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(pretty(&deep), deep);
    }

    #[test]
    fn a_value_is_set_and_the_others_stay_as_they_are() {
        let json = r#"{"z":1.10,"a":{"b":[1,{"c":2.50}],"d.e":3},"n":12345678901234567890123}"#;
        for (assignment, from, to) in [
            ("z=7", "1.10", "7"),
            ("z=1 2", "1.10", r#""1 2""#),
            ("z=a=b", "1.10", r#""a=b""#),
            (r#"z="7""#, "1.10", r#""7""#),
            ("a.b.1.c=null", "2.50", "null"),
            ("/a/d.e=4", ":3", ":4"),
            ("a.f=x", r#""d.e":3"#, r#""d.e":3,"f":"x""#),
            ("new.x={}", "23}", r#"23,"new":{"x":{}}}"#),
        ] {
            assert_eq!(set(json, assignment).unwrap(), json.replace(from, to), "{assignment}");
        }
        for wrong in ["z", "=1", "a..b=1", "a.b.9=1", "a.b.x=1", "z.y=1"] {
            assert!(set(json, wrong).is_err(), "{wrong}");
        }
    }
}
