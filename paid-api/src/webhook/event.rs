//! What a message contains: the event and its payload.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{JsonObject, Timestamp};

/// A webhook message that was verified.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// What happened.
    pub event: Event,
    /// When Paid sent the message.
    pub timestamp: Timestamp,
    /// Whether the message only tests the receiver: the event did not happen.
    pub is_test: bool,
}

/// The object that an event is about, such as an invoice. Paid may add properties.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload(JsonObject);

impl Payload {
    /// The property `id`, which Paid assigns.
    pub fn id(&self) -> Option<&str> {
        self.text("id")
    }

    /// Looks up a key whose value is text; `None` for anything else.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    /// Looks up a key, whatever its value is.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Every key with its value, also those that no method names.
    pub fn as_object(&self) -> &JsonObject {
        &self.0
    }

    /// Deserializes the payload as a type, such as [`Invoice`](crate::types::Invoice).
    ///
    /// # Errors
    ///
    /// If the payload does not have the structure of `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(Value::Object(self.0.clone()))
    }
}

macro_rules! events {
    ($($(#[$meta:meta])* $variant:ident = $name:literal in $key:literal,)*) => {
        /// What happened. [`Other`](Self::Other) holds events that Paid added after this version was released.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Event {
            $($(#[$meta])* $variant(Payload),)*
            /// An event that this version does not know, with its data unchanged.
            #[non_exhaustive]
            Other {
                /// The event's name.
                name: String,
                /// The data.
                data: JsonObject,
            },
        }

        impl Event {
            /// The event's name as Paid sends it, such as `billing-invoice-paid`.
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
    /// An invoice was created.
    InvoiceCreated = "billing-invoice-created" in "invoice",
    /// An invoice was posted: it is final.
    InvoicePosted = "billing-invoice-posted" in "invoice",
    /// An invoice was paid in full.
    InvoicePaid = "billing-invoice-paid" in "invoice",
    /// A checkout was created.
    CheckoutCreated = "billing-checkout-created" in "checkout",
    /// A checkout was completed.
    CheckoutCompleted = "billing-checkout-completed" in "checkout",
    /// A checkout expired before it was completed.
    CheckoutExpired = "billing-checkout-expired" in "checkout",
    /// A payment succeeded. The payload includes `invoiceId`, `customerId` and `paymentDate`.
    PaymentSucceeded = "billing-payment-succeeded" in "payment",
    /// A payment failed.
    PaymentFailed = "billing-payment-failed" in "payment",
    /// A customer's credits are used up.
    CreditsDepleted = "billing-credits-depleted" in "credits",
    /// A customer used more than the included quantity.
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

pub(super) fn read(body: &[u8]) -> Result<Message, String> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|error| {
        // The rejected text may be personal data.
        crate::error::without_text(&error.to_string())
    })?;
    let event = Event::read(envelope.event, envelope.data);
    Ok(Message { event, timestamp: envelope.timestamp, is_test: envelope.is_test })
}
