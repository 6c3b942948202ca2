//! Signals that arrive as spans, which is how traces of Paid's clients send them.

use chrono::DateTime;
use serde_json::{Value, json};

use super::collector::CollectedSpan;

/// The signal that a span stands for, as `POST /signals/bulk` takes it; `None` for other spans.
pub(super) fn signal(span: &CollectedSpan) -> Option<Value> {
    let text = |key: &str| span.attribute(key).as_str().filter(|text| !text.is_empty());
    if span.name.rsplit('.').next() != Some("signal") {
        return None;
    }
    let mut signal = json!({
        "eventName": text("event_name")?,
        "customer": {"externalCustomerId": text("external_customer_id")?},
        // A batch of spans that is sent again brings no signal twice.
        "idempotencyKey": format!("{}-{}", span.trace_id, span.span_id),
    });
    if let Some(product) = text("external_agent_id") {
        signal["attribution"] = json!({"externalProductId": product});
    }
    if let Some(start) = i64::try_from(span.start).ok().filter(|start| *start > 0) {
        signal["timestamp"] = DateTime::from_timestamp_nanos(start).to_rfc3339().into();
    }
    if let Some(data) = text("data").and_then(|data| serde_json::from_str::<Value>(data).ok()).filter(Value::is_object)
    {
        signal["data"] = data;
    }
    Some(signal)
}
