//! The sinks for batches of signals.

#[cfg(feature = "nats")]
pub(crate) mod nats;
pub(crate) mod paid;
