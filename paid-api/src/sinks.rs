//! The sinks for batches of signals.

#[cfg(feature = "nats")]
pub(crate) mod nats;
mod paid;
