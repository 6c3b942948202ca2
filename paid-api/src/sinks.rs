//! Where batches of signals go.

#[cfg(feature = "nats")]
pub(crate) mod nats;
mod paid;
