//! The sinks for batches of signals.

pub(crate) mod background;
#[cfg(feature = "nats")]
pub(crate) mod nats;
pub(crate) mod paid;
