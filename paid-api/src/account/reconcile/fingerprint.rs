//! What identifies a signal: its reference, or else what it says.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::emitter::REFERENCE;

/// Half of a SHA-256: signals of the same fingerprint are the same, or say the same.
pub(in crate::account) type Fingerprint = u128;

/// What is compared of a signal.
pub(super) struct Content<'a> {
    pub(super) name: &'a str,
    pub(super) customer: &'a str,
    pub(super) product: &'a str,
    pub(super) data: Option<&'a Map<String, Value>>,
}

/// The reference in the data.
pub(super) fn reference(data: Option<&Map<String, Value>>) -> Option<&str> {
    data?.get(REFERENCE)?.as_str()
}

pub(in crate::account) fn of_reference(reference: &str) -> Fingerprint {
    hashed(&[b"reference", reference.as_bytes()])
}

impl Content<'_> {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        hashed(&[
            b"content",
            self.name.as_bytes(),
            self.customer.as_bytes(),
            self.product.as_bytes(),
            canonical(self.data).as_bytes(),
        ])
    }

    /// The same for every customer and product: aliases are other names for them.
    pub(super) fn without_ids(&self) -> Fingerprint {
        Content { name: self.name, customer: "", product: "", data: self.data }.fingerprint()
    }
}

fn hashed(parts: &[&[u8]]) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(hash.get(..16).unwrap_or(&[0; 16]));
    u128::from_le_bytes(half)
}

/// JSON in one spelling: keys in order, and `1.0` as `1`.
fn canonical(data: Option<&Map<String, Value>>) -> String {
    let mut out = String::new();
    match data.filter(|data| !data.is_empty()) {
        Some(data) => object(data, &mut out),
        None => out.push_str("{}"),
    }
    out
}

fn object(fields: &Map<String, Value>, out: &mut String) {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(key, _)| key.as_str());
    out.push('{');
    for (key, value) in fields {
        out.push_str(&Value::from(key.as_str()).to_string());
        out.push(':');
        write(value, out);
        out.push(',');
    }
    out.push('}');
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => object(fields, out),
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Number(number) => {
            let text = number.to_string();
            out.push_str(text.strip_suffix(".0").unwrap_or(&text));
        }
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_says_the_same_in_another_spelling_is_the_same() {
        let of = |data: Value, customer: &str| {
            let content = Content { name: "e", customer, product: "p", data: data.as_object() };
            (content.fingerprint(), content.without_ids())
        };
        let one = of(json!({ "a": 1.0, "b": [{ "x": "y" }] }), "acme");
        assert_eq!(one, of(json!({ "b": [{ "x": "y" }], "a": 1 }), "acme"));
        assert_ne!(one.0, of(json!({ "a": 1, "b": [{ "x": "y" }] }), "acne").0);
        assert_eq!(one.1, of(json!({ "a": 1, "b": [{ "x": "y" }] }), "acne").1);
        assert_ne!(one.0, of(json!({ "a": "1", "b": [{ "x": "y" }] }), "acme").0);
        // Lengths are a part of it: no text of one part looks like the next one.
        let content = |name, customer| Content { name, customer, product: "", data: None }.fingerprint();
        assert_ne!(content("ab", "c"), content("a", "bc"));
    }
}
