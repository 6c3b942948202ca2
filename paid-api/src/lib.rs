//! The Rust client for [Paid](https://paid.ai), the billing platform for AI agents.
//!
//! A company describes what it sells as a *product* with prices, mirrors its *customers*, *contacts* and *orders*
//! into Paid, and streams *signals*: immutable events that Paid prices and invoices.
//!
//! # Signals
//!
//! Signals are written down once, in `signals.toml` beside `Cargo.toml`, and the compiler compares every name and field with it:
//! a typo does not compile, instead of never being billed.
//!
//! ```toml
//! [signals.email_sent]
//! type = "activity"
//! product = "ai-sdr-001"
//!
//! [signals.email_sent.data]
//! lead_id = { type = "string", required = true }
//! ```
//!
//! ```ignore
//! #[paid::signal("email_sent", customer = lead.account, data(lead_id = lead.id))]
//! async fn write_email(lead: &Lead) -> Result<(), SdrError> {
//!     // Sent once, after `Ok`. An `Err`, a panic or a dropped future sends nothing.
//!     smtp::send(lead).await
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     paid::install(paid::Emitter::new(paid::Client::from_env()?)?);
//!     write_email(&next_lead()).await?;
//!     Ok(())
//! }
//! ```
//!
//! The page of [`signal`](macro@signal) has every argument and [all of `signals.toml`](macro@signal#the-catalogue-signalstoml): `deprecated`,
//! `expires`, `PAID_SIGNALS`, and what happens without the file. A signal that is made by hand has its name checked by [`event_name!`];
//! [`types::NewSignal`] is the API's own request, which nothing checks.
//!
//! # One version in a program
//!
//! An emitter is installed for the whole program, so the package has `links = "paid-api"`: cargo refuses two versions of it in one
//! program, whose signals would go to two emitters, one of which nobody installed.
//!
//! # The API
//!
//! ```no_run
//! use paid::Client;
//! use paid::types::CreateCustomerRequest;
//!
//! # async fn example() -> Result<(), paid::Error> {
//! let client = Client::from_env()?;
//! client.customers().create(&CreateCustomerRequest::new("Acme Ltd").external_id("acme")).await?;
//! let acme = client.customers().get_by_external_id("acme").await?; // your own id; `get` takes Paid's
//! println!("{}", acme.name);
//! # Ok(())
//! # }
//! ```
//!
//! # Cargo features
//!
//! Each resource has a feature, which compiles only the types that it needs. The default ones are those of Paid's
//! developer guide: `products`, `customers`, `contacts`, `orders`, `signals` and `invoices`. `all-resources` enables
//! every resource.
//!
//! - `experimental`: the operations of these resources that Paid may change without notice; without it, `custom-views` and
//!   `signal-summaries` have none.
//! - `full-serde`: requests also implement `Deserialize`, and responses `Serialize`, for stores, caches and tests.
//! - `emit` (a default): [`emit()`], [`scope()`], [`StreamExt`], the macros [`signal`](macro@signal), [`signal_block!`],
//!   [`event_name!`] and [`PaidSignal`](derive@PaidSignal), and [`testing`].
//! - `outbox`: keeps signals on disk until Paid has them, see [`EmitterBuilder::outbox`] and [`mod@outbox`].
//! - `trace`: records work and its costs as OpenTelemetry traces, see [`mod@trace`]; `async-openai`: reads usage from
//!   the types of that crate.
//! - `cost-emitter`: sends costs that you know directly to Paid, see [`mod@costs`].
//! - `webhook`: verifies and parses webhooks, see `paid::webhook`; `webhook-axum`: an axum extractor for them.
//! - `sigterm`: delivers what is queued before SIGTERM or SIGINT ends the process, see [`Emitter::shutdown_on_sigterm`].
//! - `nats`: sends signals through NATS JetStream, see `paid::nats`.
//! - `tower`: a layer that runs each request of an axum or tonic server in a scope, see `paid::tower`.
//! - `metrics`: publishes the emitter's [`Stats`] through the `metrics` facade, as `paid_signals_*`.
//! - `gzip`: compresses requests, see [`ClientBuilder::gzip`].
//! - `account`: the account against the catalogue, see `paid::account`.
//! - `cli`: the program `cargo paid`.
//! - `emulator`: a local Paid for development and tests, see `paid::emulator`; `emulator-sql`: SQL in it; `emulator-cli`: the
//!   program `paid-emulator`.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "account")]
pub mod account;
#[cfg(feature = "emit")]
#[allow(missing_docs)]
mod annotated;
mod client;
#[cfg(feature = "cost-emitter")]
#[cfg_attr(not(feature = "outbox"), allow(dead_code))]
pub mod costs;
#[cfg(feature = "emit")]
#[cfg_attr(
    not(all(feature = "outbox", feature = "trace", feature = "sigterm", feature = "metrics", feature = "fuzzing")),
    allow(dead_code, unused_imports, unreachable_pub)
)]
mod dispatch;
mod duration;
#[cfg(feature = "emit")]
mod emit;
#[cfg(feature = "emit")]
#[cfg_attr(not(all(feature = "outbox", feature = "nats")), allow(dead_code))]
mod emitter;
#[cfg(feature = "emulator")]
pub mod emulator;
#[cfg(feature = "emit")]
mod ending;
#[cfg_attr(not(feature = "emit"), allow(dead_code))]
mod error;
#[cfg(feature = "outbox")]
mod files;
#[allow(dead_code)] // Some of it only serves features.
mod foreign;
#[cfg(feature = "nats")]
mod forward;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
#[rustfmt::skip]
mod generated;
#[cfg(feature = "emit")]
mod listener;
mod macros;
#[cfg(feature = "emit")]
mod money;
#[cfg(feature = "outbox")]
pub mod outbox;
mod pagination;
mod patch;
#[cfg(feature = "emit")]
mod report;
mod retry;
#[cfg(feature = "emit")]
#[cfg_attr(not(feature = "trace"), allow(dead_code))]
mod scope;
mod secret;
#[cfg(feature = "emit")]
pub mod signal;
#[cfg(feature = "sigterm")]
mod sigterm;
#[cfg(feature = "emit")]
mod sinks;
#[cfg(feature = "emit")]
pub mod testing;
#[cfg_attr(not(feature = "trace"), allow(dead_code))]
mod timestamp;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "trace")]
pub mod trace;
mod transport;
mod verdict;
#[cfg(feature = "webhook")]
pub mod webhook;
mod wire;

pub use client::{ApiKey, Client, ClientBuilder};
pub use error::{
    ApiError, ConfigError, DecodeError, Error, KeyProblem, PlanConflict, RequestError, SinkError, TransportError,
    UnreadableAnswer, UnreadableItem,
};
pub use generated::{resources, types};
pub use pagination::{Items, Page, PageEnd};
pub use patch::Patch;
pub use retry::RetryPolicy;
pub use timestamp::{ParseTimestampError, Timestamp};
pub use transport::{BodyStream, Call, CallFuture, Empty, RawAnswer};
pub use verdict::Verdict;
pub use wire::list::List;

#[cfg(feature = "emit")]
pub use front_of_emit::*;
#[cfg(feature = "trace")]
pub use paid_macros::trace;
#[cfg(feature = "nats")]
pub use {async_nats, forward::forward};

/// What feature `emit` adds to the crate root.
#[cfg(feature = "emit")]
mod front_of_emit {
    pub use crate::dispatch::{
        Batch, Delivered, Delivery, FlushError, Overflow, Receipt, Record, Sink, SinkFuture, Stats,
    };
    pub use crate::emit::stream::{self, StreamExt};
    pub use crate::emit::{emit, emit_all};
    pub use crate::emitter::{Emitter, EmitterBuilder};
    pub use crate::listener::{Emit, install, lost_signals, uninstall};
    pub use crate::money::{Currency, Money};
    pub use crate::report::{Counts, DeliveryError, RecordKind};
    pub use crate::scope::{
        CarriedScope, FutureExt, InScope, Scope, carried_scope, scope, spawn, spawn_blocking, spawn_thread,
    };
    pub use crate::signal::{HashKey, Hashed, PaidSignal, Signal};
    pub use paid_macros::{PaidSignal, SignalValue, event_name, signal, signal_block};

    /// What the macros expand into. Not part of the public API.
    #[doc(hidden)]
    pub mod __private {
        pub use crate::annotated::*;
        pub use paid_macros::asserted_name;
    }
}

/// Signals from many machines: each machine publishes its signals to a NATS JetStream stream, and one [`forward()`]
/// drains the stream to Paid. Feature `nats`.
///
/// Every signal is one message. A message is acknowledged when Paid has the signal. If a message is delivered twice, by
/// NATS or by a forwarder that was killed, Paid recognises the second one by its idempotency key and bills nothing
/// again.
///
/// On every machine:
///
/// ```no_run
/// use paid::async_nats::{self, jetstream};
/// use paid::{EmitterBuilder, nats::NatsSink};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let nats = jetstream::new(async_nats::connect("nats://localhost").await?);
/// let sink = NatsSink::new(nats, "paid.signals");
/// paid::install(EmitterBuilder::over(sink).build()?);
/// # Ok(())
/// # }
/// ```
///
/// In the forwarder, a separate process:
///
/// ```no_run
/// use paid::async_nats::jetstream::{consumer, stream};
/// use paid::async_nats::{self, jetstream};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let nats = jetstream::new(async_nats::connect("nats://localhost").await?);
/// let stream = stream::Config { name: "paid".into(), subjects: vec!["paid.signals".into()], ..Default::default() };
/// let stream = nats.get_or_create_stream(stream).await?;
/// let durable = consumer::pull::Config { durable_name: Some("paid".into()), max_ack_pending: 10_000, ..Default::default() };
/// let consumer = stream.get_or_create_consumer("paid", durable).await?;
///
/// let emitter = paid::Emitter::new(paid::Client::from_env()?)?;
/// let stop = std::future::pending(); // or a future that completes when the forwarder should stop
/// let forwarded = paid::forward(&consumer, &emitter, stop).await?;
/// println!("{forwarded:?}");
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "nats")]
pub mod nats {
    pub use crate::forward::{ForwardError, Forwarded};
    pub use crate::sinks::nats::NatsSink;
}

pub use reqwest::{Method, StatusCode};
pub use rust_decimal::Decimal;

/// A JSON object, as in metadata and signal data; [`object!`] builds one.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;

/// What generated code uses from this crate. Not part of the public API.
#[doc(hidden)]
pub mod runtime {
    pub use std::borrow::Cow;
    pub use std::collections::BTreeMap;

    pub use reqwest::Method;
    pub use serde::de::{Error as DeserializeError, MapAccess};
    pub use serde::{Deserialize, Deserializer, Serialize, Serializer};
    pub use serde_json::{Error as JsonError, Value, from_value, json};

    pub use crate::patch::FromText;
    pub use crate::wire::binary::{Binary, Upload};
    pub use crate::wire::branch::{Rule, branch};
    pub use crate::wire::choice::{Choice, choice, flat_choice, optional_flat_choice};
    pub use crate::wire::decimal::text as decimal_text;
    pub use crate::wire::object::{Fields, Object, object};
    pub use crate::wire::parameter::{Spot, Style};
    pub use crate::wire::{decimal, integer, optional_integer};
    pub use crate::{Call, Client, Decimal, Empty, JsonObject, List, Patch, Timestamp};
}
