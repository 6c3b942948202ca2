//! What the emulator knows, and which function does what operation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::billing::StoredSignal;
use super::contract::Matched;
use super::webhooks::Webhooks;
use crate::{JsonObject, Timestamp};

/// A list of objects with an `id`, in the order they were made.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<JsonObject>,
}

/// Everything in memory.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) products: Table,
    pub(crate) customers: Table,
    pub(crate) contacts: Table,
    pub(crate) orders: Table,
    pub(crate) checkouts: Table,
    /// By order.
    pub(crate) order_lines: BTreeMap<String, Vec<super::orders::Line>>,
    pub(crate) signals: Vec<StoredSignal>,
    pub(crate) keys: BTreeSet<String>,
    /// What callers attached to invoices, by invoice.
    pub(crate) invoice_metadata: BTreeMap<String, Value>,
    /// Invoices that were paid.
    pub(crate) paid_invoices: BTreeSet<String>,
    pub(crate) webhooks: Webhooks,
    made: u64,
}

/// An answer that is no success.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: String,
    pub(crate) code: &'static str,
    pub(crate) details: Option<String>,
}

impl Refusal {
    pub(crate) fn invalid(place: &str, error: impl Into<String>) -> Self {
        Self { status: 400, error: error.into(), code: "validation_error", details: Some(place.to_owned()) }
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self { status: 404, error: format!("no {what} {id:?}"), code: "not_found", details: None }
    }

    pub(crate) fn not_implemented(what: &str) -> Self {
        Self {
            status: 501,
            error: format!("the emulator does not implement {what}"),
            code: "not_implemented",
            details: None,
        }
    }
}

/// An answer's body, or why there is none.
pub(crate) type Reply = Result<Value, Refusal>;

/// The text of a property.
pub(crate) fn text<'a>(object: &'a JsonObject, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

impl Table {
    pub(crate) fn rows(&self) -> &[JsonObject] {
        &self.rows
    }

    pub(crate) fn find(&self, key: &str, value: &str) -> Option<&JsonObject> {
        self.rows.iter().find(|row| text(row, key) == Some(value))
    }

    pub(crate) fn find_mut(&mut self, key: &str, value: &str) -> Option<&mut JsonObject> {
        self.rows.iter_mut().find(|row| text(row, key) == Some(value))
    }

    pub(crate) fn push(&mut self, row: JsonObject) {
        self.rows.push(row);
    }

    pub(crate) fn remove(&mut self, key: &str, value: &str) -> Option<JsonObject> {
        let at = self.rows.iter().position(|row| text(row, key) == Some(value))?;
        Some(self.rows.remove(at))
    }
}

/// The object under a path parameter `id` or `externalId`.
pub(crate) fn addressed(matched: &Matched) -> (&'static str, &str) {
    match matched.path.get("id") {
        Some(id) => ("id", id),
        None => ("externalId", matched.path.get("externalId").map(String::as_str).unwrap_or_default()),
    }
}

/// One page of rows that pass every filter.
pub(crate) fn page(rows: impl Iterator<Item = Value>, matched: &Matched) -> Value {
    let number = |name: &str, default: usize| {
        matched
            .query
            .get(name)
            .and_then(|text| text.parse::<i64>().ok())
            .map_or(default, |value| usize::try_from(value).unwrap_or(0))
    };
    let (limit, offset) = (number("limit", 10), number("offset", 0));
    let all: Vec<Value> = rows.collect();
    let total = all.len();
    let data: Vec<Value> = all.into_iter().skip(offset).take(limit).collect();
    let has_more = offset.saturating_add(data.len()) < total && !data.is_empty();
    json!({"data": data, "pagination": {"limit": limit, "offset": offset, "total": total, "hasMore": has_more}})
}

/// Whether a row has what a list's parameters ask for: `xFrom`/`xTo` are bounds of the time `x`, `name` is part of
/// the name, the rest is equality.
pub(crate) fn passes(row: &JsonObject, matched: &Matched) -> bool {
    matched.query.iter().all(|(name, wanted)| {
        let time = |key: &str| row.get(key).and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
        let bound = wanted.parse::<Timestamp>().ok();
        match name.as_str() {
            "limit" | "offset" => true,
            "archived" => row.get("archivedAt").is_some_and(|at| at.is_null() != (wanted == "true")),
            "name" => text(row, name).is_some_and(|value| value.to_lowercase().contains(&wanted.to_lowercase())),
            _ if name.ends_with("From") => time(name.trim_end_matches("From")) >= bound,
            _ if name.ends_with("To") => time(name.trim_end_matches("To")).is_some_and(|time| Some(time) <= bound),
            _ => match row.get(name) {
                Some(Value::Bool(value)) => value.to_string() == *wanted,
                Some(Value::String(value)) => value == wanted,
                _ => false,
            },
        }
    })
}

/// Puts the properties of an update over those of a row.
pub(crate) fn merge(row: &mut JsonObject, update: &Value) {
    for (key, value) in update.as_object().into_iter().flatten() {
        row.insert(key.clone(), value.clone());
    }
    row.insert("updatedAt".into(), now());
}

pub(crate) fn now() -> Value {
    Timestamp::now().to_string().into()
}

/// A value that was given, or else a default.
pub(crate) fn given(body: &Value, key: &str, default: impl Into<Value>) -> Value {
    body.get(key).cloned().unwrap_or_else(|| default.into())
}

impl Store {
    /// A new id with this prefix.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_{:06}", self.made)
    }

    /// Does what the operation says.
    pub(crate) fn perform(&mut self, matched: &Matched, body: &Value) -> Reply {
        match matched.operation.as_str() {
            "list-products" => Ok(self.list_products(matched)),
            "create-product" => self.create_product(body),
            "get-product-by-id" | "get-product-by-external-id" => self.get_product(matched),
            "update-product-by-id" | "update-product-by-external-id" => self.update_product(matched, body),
            "list-customers" => Ok(self.list_customers(matched)),
            "create-customer" => self.create_customer(body),
            "get-customer-by-id" | "get-customer-by-external-id" => self.get_customer(matched),
            "update-customer-by-id" | "update-customer-by-external-id" => self.update_customer(matched, body),
            "delete-customer-by-id" | "delete-customer-by-external-id" => self.delete_customer(matched),
            "list-contacts" => Ok(self.list_contacts(matched)),
            "create-contact" => self.create_contact(body),
            "get-contact-by-id" | "get-contact-by-external-id" => self.get_contact(matched),
            "update-contact-by-id" | "update-contact-by-external-id" => self.update_contact(matched, body),
            "delete-contact-by-id" | "delete-contact-by-external-id" => self.delete_contact(matched),
            "list-orders" => Ok(self.list_orders(matched)),
            "create-order" => self.create_order(body),
            "get-order-by-id" => self.get_order(matched),
            "update-order-by-id" => self.update_order(matched, body),
            "delete-order-by-id" => self.delete_order(matched),
            "activate-order-by-id" => self.activate_order(matched),
            "get-order-lines" => self.list_order_lines(matched),
            "list-checkouts" => Ok(self.list_checkouts(matched)),
            "create-checkout" => self.create_checkout(body),
            "get-checkout" => self.get_checkout(matched),
            "archive-checkout" => self.archive_checkout(matched),
            "create-signals" => Ok(self.create_signals(body)),
            // Taken, and shown among the requests; nothing is made of them.
            "create-costs" => Ok(json!({"ingested": body["costs"].as_array().map_or(0, Vec::len), "duplicates": 0})),
            "list-invoices" => Ok(self.list_invoices(matched)),
            "get-invoice-by-id" => self.get_invoice(matched),
            "update-invoice-by-id" => self.update_invoice(matched, body),
            "list-webhooks" => Ok(self.list_webhooks()),
            "update-webhook" => self.update_webhook(matched, body),
            "rotate-webhook-secret" => Ok(self.rotate_webhook_secret()),
            "test-webhook" => self.test_webhook(matched),
            "get-invoice-lines" => self.list_invoice_lines(matched),
            other => Err(Refusal::not_implemented(other)),
        }
    }
}
