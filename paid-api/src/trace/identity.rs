//! Whose work a span belongs to, in the collector's terms.

use std::sync::Arc;

use opentelemetry::{KeyValue, Value};

use super::notices;
use crate::signal::check;
use crate::signal::key::random;
use crate::types::{CustomerAttribution, ProductAttribution};

/// The name of this library's tracer, in the style of the official clients.
pub(super) const TRACER: &str = "paid.rust";

const CUSTOMER: &str = "external_customer_id";
/// The product's id, under the name that the collector still uses for it.
const PRODUCT: &str = "external_agent_id";

/// Customer and product, as span attributes.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) attributes: Vec<KeyValue>,
    metadata: Vec<KeyValue>,
    pub(super) store_prompts: bool,
}

/// What is attached to a span when it starts.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    pub(super) identity: Arc<Identity>,
    pub(super) scope_id: u32,
}

/// A scope id from 1 to 2^31 - 1, like those of the official clients.
pub(super) fn random_id() -> u32 {
    let [a, b, c, d, ..] = random();
    (u32::from_be_bytes([a, b, c, d]) & 0x7fff_ffff).max(1)
}

impl Identity {
    pub(super) fn new(
        new_metadata: &[KeyValue],
        store_prompts: Option<bool>,
        customer: Option<&CustomerAttribution>,
        product: Option<&ProductAttribution>,
        outer: Option<&Self>,
    ) -> Self {
        let mut metadata = outer.map(|outer| outer.metadata.clone()).unwrap_or_default();
        for new in new_metadata {
            metadata.retain(|old| old.key != new.key);
            metadata.push(new.clone());
        }
        let mut attributes = Vec::with_capacity(metadata.len() + 2);
        match customer {
            Some(CustomerAttribution::ExternalId(id)) if check::names_nothing(id.as_str()) => {
                notices::report_blank_id("customer")
            }
            Some(CustomerAttribution::ExternalId(id)) => attributes.push(text(CUSTOMER, id.as_str())),
            Some(_) => notices::report_paids_own_id("customer"),
            None => {}
        }
        match product {
            Some(ProductAttribution::ExternalId(id)) if check::names_nothing(id.as_str()) => {
                notices::report_blank_id("product")
            }
            Some(ProductAttribution::ExternalId(id)) => attributes.push(text(PRODUCT, id.as_str())),
            Some(_) => notices::report_paids_own_id("product"),
            None => {}
        }
        attributes.extend(metadata.iter().cloned());
        let store_prompts = store_prompts.or(outer.map(|outer| outer.store_prompts)).unwrap_or(false);
        Self { attributes, metadata, store_prompts }
    }

    /// Returns true if customer and product are the same.
    pub(super) fn is_whose(&self, other: &Self) -> bool {
        fn whose(identity: &Identity) -> impl Iterator<Item = &KeyValue> {
            identity.attributes.iter().filter(|attribute| matches!(attribute.key.as_str(), CUSTOMER | PRODUCT))
        }
        whose(self).eq(whose(other))
    }
}

/// Reference-counted text: every span of the work has it.
fn text(key: &'static str, value: &str) -> KeyValue {
    KeyValue::new(key, Value::String(Arc::<str>::from(value).into()))
}
