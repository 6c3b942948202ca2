//! The Rust toolkit for [Paid](https://paid.ai), which bills for what AI agents do.
//!
//! You describe what you sell as a *product* with prices, mirror your *customers* and their *orders* into Paid, and send
//! *signals*: events such as `meeting_booked`, which Paid prices and invoices. Here, functions that do the work emit the
//! signals, the compiler checks every name and field, an emitter delivers them, and each request of Paid's API is a method.
//!
//! # The first signal
//!
//! `signals.toml`, next to `Cargo.toml`, lists the signals that your prices name:
//!
//! ```toml
//! [signals.meeting_booked]
//! type = "outcome"                 # activity: work done; outcome: a result reached
//! product = "ai-sdr-001"           # your id of the product that bills it
//!
//! [signals.meeting_booked.data]
//! lead_id = { type = "string", required = true }
//! duration_minutes = { type = "integer", minimum = 1 }
//! ```
//!
//! A function says which of them its success is. A name or a field that the file does not have is a compile error:
//!
//! ```no_run
//! struct Lead {
//!     id: String,
//!     account: String,
//! }
//!
//! struct Meeting {
//!     minutes: u32,
//! }
//!
//! #[paid::signal(
//!     "meeting_booked",
//!     customer = lead.account,
//!     data(lead_id = lead.id, duration_minutes = ret.minutes)
//! )]
//! async fn book_meeting(lead: &Lead) -> Result<Meeting, String> {
//!     Ok(Meeting { minutes: 30 })
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let emitter = paid::Emitter::new(paid::Client::from_env()?)?;
//!     paid::install(emitter.clone());
//!
//!     let lead = Lead { id: "lead-42".into(), account: "acme".into() };
//!     book_meeting(&lead).await?; // emits `meeting_booked` after `Ok`
//!
//!     emitter.flush(std::time::Duration::from_secs(10)).await?;
//!     Ok(())
//! }
//! ```
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | signals of functions, blocks and values | [`signal`](macro@signal), [`signal_block!`], [`PaidSignal`](derive@PaidSignal), [`StreamExt`]; by hand [`emit()`], [`Signal`] and [`event_name!`] |
//! | whose work it is | [`scope()`], kept by [`spawn`] and [`FutureExt`]; [`mod@tower`] for servers |
//! | delivery | [`Emitter`], [`EmitterBuilder`]; on disk until Paid has them: [`mod@outbox`]; from many machines: [`nats`] |
//! | what was not delivered | [`DeliveryError`], [`Stats`], [`EmitterBuilder::on_error`] |
//! | tests | [`testing`] in place of Paid; [`emulator`], a Paid of your own |
//! | what work costs | [`mod@trace`], [`mod@costs`] |
//! | every other request | [`Client`], with a handle for each resource ([`resources`]) and their [`types`] |
//! | webhooks | [`webhook`] |
//! | whether the account fits the catalogue, and what was billed | [`account`] |
//!
//! # One version in a program
//!
//! An emitter is installed for the whole program. Two versions of this package with feature `emit` would have two, one of which nobody
//! installed, so cargo refuses them: `emit` depends on `paid-process`, which has `links = "paid-api"`.
//!
//! # Requests
//!
//! ```no_run
//! use paid::types::CreateCustomerRequest;
//!
//! # async fn example() -> Result<(), paid::Error> {
//! let client = paid::Client::from_env()?;
//! let request = CreateCustomerRequest::new("Acme Ltd").external_id("acme");
//! let acme = client.customers().create(&request).await?;
//! println!("{} is a customer", acme.name);
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
//! - `emit` (a default): [`emit()`], [`scope()`], [`StreamExt`], the macros [`signal`](macro@signal), [`signal_block!`] and
//!   [`PaidSignal`](derive@PaidSignal), and [`testing`].
//! - `outbox`: keeps signals on disk until Paid has them, see [`EmitterBuilder::outbox`] and [`mod@outbox`].
//! - `trace`: records work and its costs as OpenTelemetry traces, see [`mod@trace`]; `async-openai`: reads usage from
//!   the types of that crate.
//! - `cost-emitter`: sends costs that you know directly to Paid, see [`mod@costs`].
//! - `webhook`: verifies and parses webhooks, see `paid::webhook`; `webhook-axum`: an axum extractor for them.
//! - `sigterm`: delivers what is queued before SIGTERM or SIGINT ends the process, see [`Emitter::shutdown_on_sigterm`].
//! - `nats`: sends signals through NATS JetStream, see `paid::nats`.
//! - `tower`: a layer that runs each request of an axum or tonic server in a scope, see `paid::tower`.
//! - `metrics`: publishes the emitter's [`Stats`] through the `metrics` facade, as `paid_signals_*`.
//! - `streaming` (a default): answers as they arrive, see [`Call::send_streaming`].
//! - `gzip`: compresses requests, see [`ClientBuilder::gzip`].
//! - `account`: the account against the catalogue, see `paid::account`.
//! - `cli`: the program `cargo paid`.
//! - `emulator`: a local Paid for development and tests, see `paid::emulator`; `emulator-sql`: SQL in it; `emulator-cli`: the
//!   program `paid-emulator`.
//!
//! # In a browser
//!
//! On `wasm32-unknown-unknown`, the client and its types compile and use the browser's `fetch`, and `webhook` compiles, too: depend on
//! this package with `default-features = false` and the resources you need. What runs on threads of its own does not build there.
//!
//! Whoever opens a page can read the key in it: use this in workers of your own at the edge, not in pages for customers. A
//! redirect is an error there as elsewhere, but only after the host's `fetch` has followed it.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "account")]
pub mod account;
#[cfg(any(feature = "emit", feature = "emulator"))]
mod aloud;
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
#[cfg(feature = "encodings")]
#[doc(hidden)]
pub mod encodings;
#[cfg(feature = "emit")]
mod ending;
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
mod platform;
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
#[cfg(feature = "streaming")]
pub mod streaming;
#[cfg(feature = "emit")]
pub mod testing;
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
pub use transport::{Call, CallFuture, Empty, RawAnswer};
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
    #[doc(inline)]
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
    pub use crate::wire::choice::{Choice, choice, flat_choice, optional_flat_choice};
    pub use crate::wire::decimal::text as decimal_text;
    pub use crate::wire::object::{Fields, Object, object};
    pub use crate::wire::{decimal, integer, optional_integer};
    pub use crate::{Call, Client, Decimal, Empty, JsonObject, List, Patch, Timestamp};
}
