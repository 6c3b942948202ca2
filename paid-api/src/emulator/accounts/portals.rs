//! Sessions of the customer portal. No operation reads them, so none is kept.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::super::refusal::{Refusal, Reply};
use super::super::table::given;
use super::Customers;
use crate::Timestamp;

/// How long a session lasts if the request does not say.
const LASTS: TimeDelta = TimeDelta::hours(1);

/// A new session.
pub(in crate::emulator) fn portal(body: &Value, customers: &Customers, id: &str, now: Timestamp) -> Reply {
    let customer = customers.required(body)?;
    let expires = match body["expiresAt"].as_str() {
        Some(time) => time.parse().map_err(|_| Refusal::invalid("body.expiresAt", "is no time"))?,
        None => Timestamp::from(*now + LASTS),
    };
    if expires <= now {
        return Err(Refusal::invalid("body.expiresAt", "is past"));
    }
    Ok(json!({
        "id": id,
        "url": format!("https://portal.invalid/{id}"),
        "customerId": customer.get("id"),
        "returnUrl": given(body, "returnUrl", Value::Null),
        "expiresAt": expires.to_string(),
        "status": "active",
        "createdAt": now.to_string(),
    }))
}
