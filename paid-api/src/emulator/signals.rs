//! Signals as they arrive.

use serde_json::{Value, json};

use super::store::{Store, StoredSignal};
use super::table::text;

impl Store {
    pub(super) fn create_signals(&mut self, body: &Value) -> Value {
        let (mut ingested, mut duplicates, mut failed) = (0, 0, 0);
        for signal in body["signals"].as_array().into_iter().flatten() {
            let key = signal["idempotencyKey"].as_str();
            if key.is_some_and(|key| self.keys.contains(key)) {
                duplicates += 1;
                continue;
            }
            match self.stored(signal) {
                Some(stored) => {
                    self.signals.push(stored);
                    self.keys.extend(key.map(str::to_owned));
                    ingested += 1;
                }
                None => failed += 1,
            }
        }
        json!({"ingested": ingested, "duplicates": duplicates, "failed": failed})
    }

    /// Returns `None` if the name is empty, the customer is missing, the product does not exist, or the timestamp
    /// is invalid.
    fn stored(&mut self, signal: &Value) -> Option<StoredSignal> {
        let event_name = signal["eventName"].as_str().filter(|name| !name.is_empty())?.to_owned();
        let attribution = &signal["attribution"];
        let product = match attribution {
            // Counted, and billed to nothing.
            Value::Null => String::new(),
            named => {
                let by_id = named["productId"].as_str().and_then(|id| self.products.find("id", id));
                let by_external =
                    named["externalProductId"].as_str().and_then(|id| self.products.find("externalId", id));
                text(by_id.or(by_external)?, "id")?.to_owned()
            }
        };
        let at = match signal["timestamp"].as_str() {
            Some(time) => time.parse().ok()?,
            None => self.clock.now(),
        };
        let customer = self.customer_of(&signal["customer"])?;
        Some(StoredSignal { event_name, customer, product, at })
    }

    /// The customer's id. An unknown external id creates the customer.
    pub(super) fn customer_of(&mut self, named: &Value) -> Option<String> {
        if let Some(id) = named["customerId"].as_str() {
            return Some(text(self.customer_named("id", id)?, "id")?.to_owned());
        }
        let external = named["externalCustomerId"].as_str().filter(|id| !id.is_empty())?;
        let customer = self.create_customer(&json!({"name": external, "externalId": external})).ok()?;
        customer["id"].as_str().map(str::to_owned)
    }
}
