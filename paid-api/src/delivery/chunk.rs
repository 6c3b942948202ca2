//! Signals written as JSON, some hundred in one buffer.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::queue::{Content, Held, Queued};
use super::receipt::Outcome;
use crate::JsonObject;
use crate::types::CustomerAttribution;

/// A signal as it is sent, and whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) json: Bytes,
    /// Signals of one customer have the same number; it is part of the outbox's format.
    pub(crate) lane: u32,
}

/// A signal that waits for a request or is in one.
pub(super) struct Item {
    pub(super) record: Record,
    /// The chunk it is counted with.
    pub(super) chunk: u64,
    pub(super) receipt: Option<oneshot::Sender<Outcome>>,
}

impl Item {
    pub(super) fn answer(self, outcome: Outcome) {
        if let Some(receipt) = self.receipt {
            let _ = receipt.send(outcome);
        }
    }
}

/// Signals that were taken from the queue together.
pub(super) struct Chunk {
    pub(super) items: Vec<Item>,
    pub(super) held: Held,
    /// Who is told when it is on disk.
    pub(super) stored: Vec<oneshot::Sender<()>>,
}

/// About how many bytes a signal has as JSON.
const EVERYDAY: usize = 256;

impl Chunk {
    /// Empties `signals`.
    pub(super) fn write(number: u64, signals: &mut Vec<Queued>) -> Self {
        let mut text = Vec::with_capacity(signals.len() * EVERYDAY);
        let mut parts = Vec::with_capacity(signals.len());
        let (mut held, mut stored) = (Held::default(), Vec::new());
        for queued in signals.iter_mut() {
            held.add(&queued.content);
            let begin = text.len();
            let lane = match &queued.content {
                Content::Signal(signal) => {
                    signal.write_json(&mut text);
                    signal.customer().map_or(0, lane_of)
                }
                Content::Json { text: json, lane } => {
                    text.extend_from_slice(json);
                    *lane
                }
            };
            stored.extend(queued.stored.take());
            // A receipt that was dropped need not be kept.
            let receipt = queued.receipt.take().filter(|receipt| !receipt.is_closed());
            parts.push((begin..text.len(), lane, receipt));
        }
        signals.clear();
        let text = Bytes::from(text);
        let item =
            |(range, lane, receipt)| Item { record: Record { json: text.slice(range), lane }, chunk: number, receipt };
        Self { items: parts.into_iter().map(item).collect(), held, stored }
    }
}

/// The number of a customer: FNV-1a of the id, with the kind of id before it.
fn lane_of(customer: &CustomerAttribution) -> u32 {
    match customer {
        CustomerAttribution::Id(id) => lane(b'p', id.as_str()),
        CustomerAttribution::ExternalId(id) => lane(b'e', id.as_str()),
        CustomerAttribution::Unknown(object) => lane(b'?', &Value::Object(object.clone()).to_string()),
    }
}

fn lane(kind: u8, id: &str) -> u32 {
    std::iter::once(kind)
        .chain(id.bytes())
        .fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// What is read of a signal that is JSON already.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Head {
    pub(crate) event_name: String,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) customer: Option<JsonObject>,
}

impl Head {
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    #[cfg(any(feature = "outbox", feature = "nats", feature = "cost-emitter"))]
    pub(super) fn lane(&self) -> u32 {
        let Some(customer) = &self.customer else { return 0 };
        let id = |key: &str| customer.get(key).and_then(Value::as_str);
        match (id("customerId"), id("externalCustomerId")) {
            (Some(id), None) => lane(b'p', id),
            (None, Some(id)) => lane(b'e', id),
            _ => lane(b'?', &Value::Object(customer.clone()).to_string()),
        }
    }
}

pub(super) fn event_name(json: &[u8]) -> String {
    Head::read(json).map(|head| head.event_name).unwrap_or_default()
}

/// A signal that is JSON already, if it can be sent.
#[cfg(any(feature = "outbox", feature = "nats", feature = "cost-emitter"))]
pub(super) fn content(text: Bytes) -> Option<Content> {
    let head = Head::read(&text)?;
    let lane = head.lane();
    head.idempotency_key.map(|_| Content::Json { text, lane })
}
