//! Tokens that embed a view for one customer.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::super::contract::Matched;
use super::super::refusal::{Refusal, Reply};
use crate::Timestamp;

/// The longest life of a token, in seconds.
const LONGEST: i64 = 3_600;

/// A token for a customer. Nothing of the emulator takes it; it says what it is for.
pub(in crate::emulator) fn token(matched: &Matched, view: &str, customer: &str, now: Timestamp) -> Reply {
    let asked = matched.query.get("ttlSeconds").and_then(|seconds| seconds.parse::<i64>().ok()).unwrap_or(LONGEST);
    if asked < 1 {
        return Err(Refusal::invalid("query.ttlSeconds", "is less than a second"));
    }
    let expires = now.checked_add_signed(TimeDelta::seconds(asked.min(LONGEST))).map_or(now, Timestamp::from);
    let shown: Value = format!("emulator.{view}.{customer}.{}", expires.timestamp()).into();
    Ok(json!({"token": shown, "expiresAt": expires.to_string()}))
}
