//! What a delivery says.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{JsonObject, Timestamp};

/// A delivery that was verified.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// What happened.
    pub event: Event,
    /// When it was sent.
    pub timestamp: Timestamp,
    /// Whether it was sent to try the receiver out: nothing happened.
    pub is_test: bool,
}

/// What a delivery is about, as Paid describes it. What is in it may grow: read what you need.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload(JsonObject);

impl Payload {
    /// Paid's id of it.
    pub fn id(&self) -> Option<&str> {
        self.text("id")
    }

    /// A property that is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    /// A property.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// All of it.
    pub fn as_object(&self) -> &JsonObject {
        &self.0
    }

    /// Reads it as a type, such as [`Invoice`](crate::types::Invoice).
    ///
    /// # Errors
    ///
    /// When it is not of that shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(Value::Object(self.0.clone()))
    }
}

macro_rules! events {
    ($($(#[$meta:meta])* $variant:ident = $name:literal in $key:literal,)*) => {
        /// What happened. Paid may add more: [`Other`](Self::Other) keeps them.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Event {
            $($(#[$meta])* $variant(Payload),)*
            /// An event this version does not know, with its data as it came.
            #[non_exhaustive]
            Other {
                /// The event's name.
                name: String,
                /// The data.
                data: JsonObject,
            },
        }

        impl Event {
            /// The name on the wire.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $name,)*
                    Self::Other { name, .. } => name,
                }
            }

            fn read(name: String, mut data: JsonObject) -> Self {
                match (name.as_str(), &mut data) {
                    $(($name, data) if data.get($key).is_some_and(Value::is_object) => match data.remove($key) {
                        Some(Value::Object(payload)) => Self::$variant(Payload(payload)),
                        _ => Self::Other { name, data: std::mem::take(data) },
                    },)*
                    _ => Self::Other { name, data },
                }
            }
        }
    };
}

events! {
    /// An invoice was made.
    InvoiceCreated = "billing-invoice-created" in "invoice",
    /// An invoice was posted: it is final.
    InvoicePosted = "billing-invoice-posted" in "invoice",
    /// An invoice was paid in full.
    InvoicePaid = "billing-invoice-paid" in "invoice",
    /// A checkout was made.
    CheckoutCreated = "billing-checkout-created" in "checkout",
    /// A checkout was gone through with.
    CheckoutCompleted = "billing-checkout-completed" in "checkout",
    /// A checkout was not gone through with in time.
    CheckoutExpired = "billing-checkout-expired" in "checkout",
    /// A payment came in: `invoiceId`, `customerId`, `paymentDate` and more.
    PaymentSucceeded = "billing-payment-succeeded" in "payment",
    /// A payment did not.
    PaymentFailed = "billing-payment-failed" in "payment",
    /// A customer has used up its credits.
    CreditsDepleted = "billing-credits-depleted" in "credits",
    /// A customer has used more than is included.
    OverageIncurred = "billing-overage-incurred" in "overage",
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    event: String,
    timestamp: Timestamp,
    #[serde(default)]
    is_test: bool,
    #[serde(default)]
    data: JsonObject,
}

pub(super) fn read(body: &[u8]) -> Result<Delivery, String> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|error| {
        // What stood there may be personal.
        crate::error::without_text(&error.to_string())
    })?;
    let event = Event::read(envelope.event, envelope.data);
    Ok(Delivery { event, timestamp: envelope.timestamp, is_test: envelope.is_test })
}
