//! Sends again what Paid acknowledged and does not have, with the keys that it had.

use std::collections::HashSet;
use std::io;

use serde::Deserialize;

use super::error::AccountError;
use super::reconcile::Discrepancy;
use super::reconcile::fingerprint::{Fingerprint, of_reference};
use crate::outbox::Entry;
use crate::types::CreateSignalsResponse;
use crate::{Call, Client, Method};

/// How many signals a request holds.
const BATCH: usize = 500;

/// What became of signals that were sent again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resent {
    /// Paid took them.
    pub ingested: u64,
    /// Paid says that it has their keys, although it does not list the signals: sending them again mends nothing. Ask Paid.
    pub duplicates: u64,
    /// Paid refused them.
    pub failed: u64,
    /// They are not in the entries any more, and were not sent.
    pub not_found: u64,
    /// They have no idempotency key, and were not sent: nothing would keep Paid from billing them twice.
    pub without_key: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    idempotency_key: Option<String>,
}

/// Sends signals again that are [missing](super::Reconciliation::missing), with the keys that they had. They are looked for by
/// their keys in `emitted`, which may have grown since.
///
/// # Errors
///
/// If the entries cannot be read, or a request fails; what was sent before it is sent.
pub async fn resend(
    client: &Client,
    emitted: impl IntoIterator<Item = io::Result<Entry>>,
    missing: &[Discrepancy],
) -> Result<Resent, AccountError> {
    let mut wanted: HashSet<Fingerprint> = missing.iter().filter_map(|missing| missing.key).collect();
    let without_key = missing.iter().filter(|missing| missing.key.is_none()).count() as u64;
    let mut resent = Resent { without_key, ..Resent::default() };
    let mut batch = Vec::new();
    for entry in emitted {
        let entry = entry.map_err(AccountError::Emitted)?;
        let key = serde_json::from_str::<Key>(entry.signal.get()).ok().and_then(|key| key.idempotency_key);
        // Each is sent once, however often it stands there.
        if !key.is_some_and(|key| wanted.remove(&of_reference(&key))) {
            continue;
        }
        batch.push(entry);
        if batch.len() == BATCH {
            send(client, &std::mem::take(&mut batch), &mut resent).await?;
        }
    }
    if !batch.is_empty() {
        send(client, &batch, &mut resent).await?;
    }
    resent.not_found = wanted.len() as u64;
    Ok(resent)
}

async fn send(client: &Client, batch: &[Entry], resent: &mut Resent) -> Result<(), AccountError> {
    let signals: Vec<&str> = batch.iter().map(|entry| entry.signal.get()).collect();
    let body = format!("{{\"signals\":[{}]}}", signals.join(","));
    let call = Call::<CreateSignalsResponse>::new(client, "create-signals", Method::POST, "/signals/bulk");
    let answer = call.json_text(body.into_bytes()).repeatable_if(true).await?;
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    resent.ingested += count(answer.ingested);
    resent.duplicates += count(answer.duplicates);
    resent.failed += count(answer.failed);
    Ok(())
}
