//! Signals as cargo: written as JSON, with a lane for each customer.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::JsonObject;
use crate::dispatch::{Cargo, Record, RecordWriter};
use crate::report::RecordKind;
use crate::signal::lane::{lane, lane_of};
use crate::signal::{Signal, check};
use crate::types::CustomerAttribution;

pub(super) struct Signals;

impl Cargo for Signals {
    type Load = Signal;
    type Ink = ();

    const KIND: RecordKind = RecordKind::Signal;

    fn name(signal: &Signal) -> Cow<'static, str> {
        signal.name.clone()
    }

    fn weight(signal: &Signal) -> usize {
        let key = signal.idempotency_key_ref().map_or(0, str::len);
        let customer = match signal.customer_ref() {
            Some(CustomerAttribution::Id(id)) => id.as_str().len(),
            Some(CustomerAttribution::ExternalId(id)) => id.as_str().len(),
            _ => 0,
        };
        400 + signal.name().len() + key + customer + signal.data.size()
    }

    fn ink(&self) {}

    fn write(signal: Signal, (): &(), page: &mut RecordWriter) {
        let key = signal.idempotency_key_ref().unwrap_or_default();
        let lane = signal.customer_ref().map_or(0, lane_of);
        page.add(RecordKind::Signal, signal.name(), key, lane, |text| signal.write_json(text));
    }
}

/// The fields that are read from a signal that is already JSON.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenSignal<'a> {
    #[serde(borrow)]
    event_name: Cow<'a, str>,
    #[serde(borrow)]
    idempotency_key: Cow<'a, str>,
    customer: Option<JsonObject>,
}

/// The record of a signal that is already JSON; `None` if the signal is not complete.
pub(super) fn record_of_json(text: &[u8]) -> Option<Record> {
    let written: WrittenSignal<'_> = serde_json::from_slice(text).ok()?;
    let customer = written.customer.as_ref().filter(|customer| names_somebody(customer))?;
    if [&written.event_name, &written.idempotency_key].into_iter().any(|text| check::is_blank(text)) {
        return None;
    }
    Some(Record::new(RecordKind::Signal, &written.event_name, &written.idempotency_key, written_lane(customer), text))
}

fn names_somebody(customer: &JsonObject) -> bool {
    !customer.is_empty() && !customer.values().any(|id| id.is_null() || id.as_str().is_some_and(check::is_blank))
}

fn written_lane(customer: &JsonObject) -> u32 {
    let id = |key: &str| customer.get(key).and_then(Value::as_str);
    match (id("customerId"), id("externalCustomerId")) {
        (Some(id), None) => lane(b'p', id),
        (None, Some(id)) => lane(b'e', id),
        _ => lane(b'?', &Value::Object(customer.clone()).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_the_same_name_key_and_lane_whether_it_is_written_or_read() {
        for customer in [
            CustomerAttribution::Id("acme".into()),
            CustomerAttribution::ExternalId("acme".into()),
            CustomerAttribution::Unknown(crate::object!({ "x": 1 })),
        ] {
            let signal = Signal::new("e").customer(customer).idempotency_key("k");
            let read = record_of_json(signal.to_json().to_string().as_bytes()).unwrap();
            let lane = lane_of(signal.customer_ref().unwrap());
            assert_eq!((read.name(), read.key(), read.lane()), ("e", "k", lane));
        }
    }

    #[test]
    fn json_without_name_or_key_is_not_a_signal() {
        for text in ["", "[]", "{}", r#"{"eventName":"e"}"#, r#"{"idempotencyKey":"k"}"#] {
            assert_eq!(record_of_json(text.as_bytes()), None, "{text}");
        }
        let whole = |name: &str, key: &str, customer: &str| {
            format!(r#"{{"eventName":"{name}","idempotencyKey":"{key}","customer":{customer}}}"#)
        };
        let acme = r#"{"externalCustomerId":"acme"}"#;
        assert!(record_of_json(whole("e", "k", acme).as_bytes()).is_some());
        for text in [
            whole("", "k", acme),
            whole("e", " ", acme),
            whole("e", "k", "null"),
            whole("e", "k", "{}"),
            whole("e", "k", r#"{"externalCustomerId":""}"#),
            whole("e", "k", r#"{"customerId":null}"#),
        ] {
            assert_eq!(record_of_json(text.as_bytes()), None, "{text}");
        }
    }
}
