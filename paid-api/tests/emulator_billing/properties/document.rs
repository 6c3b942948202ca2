//! The properties of requests, as the document has them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

/// The operations with a body that the emulator implements; by an external id they are the same.
pub(super) const OPERATIONS: [&str; 30] = [
    "create-checkout",
    "create-contact",
    "create-costs",
    "create-customer",
    "create-customer-alias",
    "create-customer-funding-instructions",
    "create-customer-group",
    "create-customer-group-members",
    "create-customer-portal",
    "create-customer-unit",
    "create-order",
    "create-payment",
    "create-payment-allocation",
    "create-payment-method",
    "create-plan",
    "create-product",
    "create-signals",
    "update-contact-by-id",
    "update-customer-by-id",
    "update-customer-group",
    "update-customer-group-members",
    "update-customer-unit",
    "update-invoice-by-id",
    "update-order-by-id",
    "update-plan-by-id",
    "update-plan-upgrade-path",
    "update-pricing",
    "update-product-by-id",
    "update-webhook",
    "upsert-customer-user-by-external-id",
];

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../src/generated/document.json")).unwrap());

/// Every property without properties of its own, as a path without the indices of lists, with its schema.
pub(super) fn properties(operation: &str) -> BTreeMap<String, Value> {
    let paths = DOCUMENT["paths"].as_object().unwrap().values();
    let mut operations = paths.flat_map(|item| item.as_object().unwrap().values());
    let facts = operations.find(|facts| facts["operationId"] == operation).unwrap();
    let mut found = BTreeMap::new();
    collect(&facts["requestBody"]["content"]["application/json"]["schema"], "", &mut found);
    found
}

/// Returns true if there is a property below.
fn collect(schema: &Value, path: &str, found: &mut BTreeMap<String, Value>) -> bool {
    let schema = resolved(schema);
    let mut has_any = false;
    for union in ["oneOf", "anyOf", "allOf"] {
        for branch in schema[union].as_array().into_iter().flatten() {
            has_any |= collect(branch, path, found);
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        has_any = true;
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if !collect(property, &path, found) {
            merge(found.entry(path).or_default(), resolved(property));
        }
    }
    has_any | schema.get("items").is_some_and(|items| collect(items, path, found))
}

/// Of a property that several branches of a union have, every word of its enumerations counts.
fn merge(known: &mut Value, schema: &Value) {
    let mut words = known["enum"].as_array().cloned().unwrap_or_default();
    *known = schema.clone();
    words.extend(schema["enum"].as_array().into_iter().flatten().cloned());
    if !words.is_empty() {
        known["enum"] = words.into();
    }
}

pub(super) fn resolved(schema: &Value) -> &Value {
    match schema["$ref"].as_str() {
        Some(target) => resolved(DOCUMENT.pointer(target.trim_start_matches('#')).unwrap()),
        None => schema,
    }
}
