//! A signal as JSON. Every signal is written here, so the code is optimised for speed.

use serde_json::json;

use super::Signal;
use crate::types::{CustomerAttribution, ProductAttribution};

impl Signal {
    /// Appends the signal as JSON.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"eventName\":");
        append_text(out, &self.name);
        match &self.customer {
            None => {}
            Some(CustomerAttribution::ExternalId(id)) => append_id(out, "customer", "externalCustomerId", id.as_str()),
            Some(CustomerAttribution::Id(id)) => append_id(out, "customer", "customerId", id.as_str()),
            Some(CustomerAttribution::Unknown(object)) => append_object(out, "customer", object),
        }
        match &self.product {
            None => {}
            Some(ProductAttribution::ExternalId(id)) => append_id(out, "attribution", "externalProductId", id.as_str()),
            Some(ProductAttribution::Id(id)) => append_id(out, "attribution", "productId", id.as_str()),
            Some(ProductAttribution::Unknown(object)) => append_object(out, "attribution", object),
        }
        if let Some(unit) = &self.unit {
            append_id(out, "customerUnit", "externalCustomerUnitId", unit);
        }
        if let Some(timestamp) = &self.timestamp {
            out.extend_from_slice(b",\"timestamp\":\"");
            timestamp.write(out);
            out.push(b'"');
        }
        if let Some(key) = &self.idempotency_key {
            out.extend_from_slice(b",\"idempotencyKey\":");
            append_text(out, key.as_str());
        }
        if let Some(scope_id) = self.costs_of {
            out.extend_from_slice(b",\"data\":");
            self.data.write_json_with_paid(out, json!({ "paid_scope_id": scope_id }));
        } else if !self.data.is_empty() {
            out.extend_from_slice(b",\"data\":");
            self.data.write_json(out);
        }
        out.push(b'}');
    }
}

/// `,"what":{"kind":"id"}`.
fn append_id(out: &mut Vec<u8>, what: &str, kind: &str, id: &str) {
    for part in [",\"", what, "\":{\"", kind, "\":"] {
        out.extend_from_slice(part.as_bytes());
    }
    append_text(out, id);
    out.push(b'}');
}

fn append_object(out: &mut Vec<u8>, what: &str, object: &crate::JsonObject) {
    for part in [",\"", what, "\":"] {
        out.extend_from_slice(part.as_bytes());
    }
    // Writing into memory cannot fail.
    let _ = serde_json::to_writer(out, object);
}

/// Appends text as a JSON string. Most text needs no escapes.
pub(super) fn append_text(out: &mut Vec<u8>, text: &str) {
    let is_plain = text.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\'));
    if is_plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        let _ = serde_json::to_writer(out, text);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Timestamp;
    use crate::types::{ExternalCustomerId, ProductId};

    #[test]
    fn a_signal_is_written_as_the_document_says() {
        let mut signal = Signal::new("e\"1").customer(ExternalCustomerId::from("a")).idempotency_key("k");
        assert_eq!(
            signal.to_json(),
            json!({"eventName": "e\"1", "customer": {"externalCustomerId": "a"}, "idempotencyKey": "k"})
        );
        signal = signal
            .product(ProductId::from("p"))
            .field("x", &[1, 2])
            .timestamp("2026-01-31".parse::<Timestamp>().unwrap());
        assert_eq!(signal.to_json()["data"], json!({"x": [1, 2]}));
        assert_eq!(signal.to_json()["timestamp"], "2026-01-31T00:00:00Z");
        assert_eq!(signal.to_json()["attribution"]["productId"], "p");
    }

    #[test]
    fn a_unit_is_written_between_product_and_time() {
        let signal = Signal::new("e")
            .product(ProductId::from("p"))
            .unit("team \"a\"")
            .timestamp("2026-01-31".parse::<Timestamp>().unwrap());
        assert_eq!(signal.unit_ref(), Some("team \"a\""));
        let mut text = Vec::new();
        signal.write_json(&mut text);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            r#"{"eventName":"e","attribution":{"productId":"p"},"customerUnit":{"externalCustomerUnitId":"team \"a\""},"timestamp":"2026-01-31T00:00:00Z"}"#
        );
    }

    proptest::proptest! {
        /// The fast way writes what serde would.
        #[test]
        fn text_is_written_as_serde_writes_it(text in ".*") {
            let mut out = Vec::new();
            append_text(&mut out, &text);
            proptest::prop_assert_eq!(out, serde_json::to_vec(&text).unwrap());
        }
    }

    #[test]
    fn ids_of_all_kinds_are_written_as_serde_writes_them() {
        for customer in [
            CustomerAttribution::Id("c".into()),
            CustomerAttribution::ExternalId("a\"b".into()),
            CustomerAttribution::Unknown(crate::object!({ "x": 1 })),
        ] {
            let signal = Signal::new("e").customer(customer.clone());
            assert_eq!(signal.to_json()["customer"], serde_json::to_value(customer).unwrap());
        }
        for product in [
            ProductAttribution::Id("c".into()),
            ProductAttribution::ExternalId("a\"b".into()),
            ProductAttribution::Unknown(crate::object!({ "x": 1 })),
        ] {
            let signal = Signal::new("e").product(product.clone());
            assert_eq!(signal.to_json()["attribution"], serde_json::to_value(product).unwrap());
        }
    }
}
