//! Lanes: records of one customer have the same one, and are delivered in order.

use serde_json::Value;

use crate::types::CustomerAttribution;

/// The lane of a customer: FNV-1a of the id, preceded by the kind of id.
pub(crate) fn lane_of(customer: &CustomerAttribution) -> u32 {
    match customer {
        CustomerAttribution::Id(id) => lane(b'p', id.as_str()),
        CustomerAttribution::ExternalId(id) => lane(b'e', id.as_str()),
        CustomerAttribution::Unknown(object) => lane(b'?', &Value::Object(object.clone()).to_string()),
    }
}

pub(crate) fn lane(kind: u8, id: &str) -> u32 {
    std::iter::once(kind)
        .chain(id.bytes())
        .fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
