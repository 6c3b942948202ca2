//! The Rust client for [Paid](https://paid.ai), the billing platform for AI agents.
//!
//! A company describes what it sells as a *product* with prices, mirrors its *customers*, *contacts* and *orders*
//! into Paid, and streams *signals*: immutable events that Paid prices and invoices.
//!
//! ```no_run
//! use paid::Client;
//! use paid::types::{CreateCustomerRequest, CreateSignalsRequest, ExternalCustomerId, ExternalProductId, NewSignal};
//!
//! # async fn example() -> Result<(), paid::Error> {
//! let client = Client::from_env()?;
//! client.customers().create(&CreateCustomerRequest::new("Acme Ltd").external_id("acme")).await?;
//! let signal = NewSignal::new("email_sent", ExternalCustomerId::from("acme"))
//!     .attribution(ExternalProductId::from("ai-sdr"))
//!     .idempotency_key("email-4711");
//! let answer = client.signals().create(&CreateSignalsRequest::new([signal])).await?;
//! assert_eq!(answer.failed, 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Cargo features
//!
//! One feature a resource, with only the types it needs; the defaults are the developer guide's: `products`,
//! `customers`, `contacts`, `orders`, `signals`, `invoices`. `all-resources` is what it says.
//!
//! - `full-serde`: requests can also be read, and answers also be written, for stores, caches and tests.
//! - `emit` (a default): [`emit()`], [`scope()`], the macros [`signal`](macro@signal) and [`PaidSignal`](derive@PaidSignal),
//!   and [`testing`].
//! - `outbox`: signals on disk until Paid has them, see [`EmitterBuilder::outbox`] and [`mod@outbox`].
//! - `trace`: work as OpenTelemetry traces with its costs, see [`mod@trace`]; `async-openai`: usage read out of the types of
//!   that crate.
//! - `cost-emitter`: costs that you know, straight to Paid, see [`mod@costs`].
//! - `webhook`: verified, typed webhooks, see `paid::webhook`; `webhook-axum`: as an extractor.
//! - `sigterm`: [`Emitter::shutdown_on_sigterm`].
//! - `nats`: signals through NATS JetStream, see `paid::nats`.
//! - `metrics`: the emitter's [`Stats`] through the `metrics` facade, as `paid_signals_*`.
//! - `gzip`: [`ClientBuilder::gzip`].
//! - `cli`: the program `cargo paid`.
//! - `emulator`: a local Paid for development and tests, see `paid::emulator`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
#[cfg(feature = "cost-emitter")]
pub mod costs;
#[cfg(feature = "emit")]
mod delivery;
#[cfg(feature = "emit")]
mod emit;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
#[rustfmt::skip]
mod generated;
mod macros;
#[cfg(feature = "nats")]
pub mod nats;
mod pagination;
mod patch;
mod retry;
#[cfg(feature = "emit")]
pub mod signal;
#[cfg(feature = "emit")]
pub mod testing;
mod timestamp;
#[cfg(feature = "trace")]
pub mod trace;
mod transport;
#[cfg(feature = "webhook")]
pub mod webhook;
mod wire;

pub use client::{ApiKey, Client, ClientBuilder};
pub use error::{ApiError, ConfigError, DecodeError, ElsewhereError, Error, RequestError, TransportError};
pub use generated::{resources, types};
pub use pagination::{Items, Page, PageEnd};
pub use patch::Patch;
pub use retry::RetryPolicy;
pub use timestamp::{ParseTimestampError, Timestamp};
pub use transport::{Call, CallFuture, Empty};

/// The outbox on disk: feature `outbox`. See [`EmitterBuilder::outbox`].
///
/// An outbox is a folder. `outbox.redb` holds the signals that Paid does not have yet, `dead-letters.jsonl` those that it
/// refused for good, one JSON object a line. `cargo paid outbox` (feature `cli`) shows both.
#[cfg(feature = "outbox")]
pub mod outbox {
    pub use crate::delivery::outbox::{
        DeadLetter, DeadLetters, Fsync, Resubmitted, Waiting, dead_letters, resubmit, waiting,
    };
}

#[cfg(feature = "nats")]
pub use async_nats;
#[cfg(feature = "emit")]
pub use delivery::{
    Counts, Delivery, Emitter, EmitterBuilder, FlushError, Overflow, Receipt, SignalBatch, Sink, SinkFuture, Stats,
};
#[cfg(feature = "emit")]
pub use emit::{Emit, EmitError, emit, install, lost_signals, uninstall};
#[cfg(feature = "nats")]
pub use nats::forward;
#[cfg(feature = "trace")]
pub use paid_macros::trace;
#[cfg(feature = "emit")]
pub use paid_macros::{PaidSignal, signal};
#[cfg(feature = "emit")]
pub use signal::scope::{FutureExt, InScope, Scope, scope, spawn, spawn_thread};
#[cfg(feature = "emit")]
pub use signal::{PaidSignal, Signal};

pub use reqwest::{Method, StatusCode};
pub use rust_decimal::Decimal;

/// A JSON object, as metadata and signal data are; [`object!`] writes one.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use delivery::fuzzing;

#[cfg(feature = "emit")]
#[doc(hidden)]
#[path = "annotated.rs"]
#[allow(missing_docs)]
pub mod __private;

/// What generated code uses of this crate. No part of the public API.
#[doc(hidden)]
pub mod runtime {
    pub use std::borrow::Cow;
    pub use std::collections::BTreeMap;

    pub use reqwest::Method;
    pub use serde::de::Error as DeserializeError;
    pub use serde::{Deserialize, Deserializer, Serialize, Serializer};
    pub use serde_json::{Error as JsonError, Value, from_value, json};

    pub use crate::patch::FromText;
    pub use crate::wire::choice::{Choice, choice, flat_choice, optional_flat_choice};
    pub use crate::wire::{decimal, integer, optional_integer};
    pub use crate::{Call, Client, Decimal, Empty, JsonObject, Patch, Timestamp};
}

/// The README's code compiles.
#[cfg(all(doctest, feature = "outbox", feature = "trace", feature = "cost-emitter"))]
#[doc = include_str!("../../README.md")]
struct Readme;
