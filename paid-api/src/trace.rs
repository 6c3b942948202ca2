//! Records work as OpenTelemetry traces, so that Paid knows what it cost: feature `trace`.
//!
//! [`init`] starts tracing. A traced scope opens a span that names customer and product. Everything recorded inside
//! belongs to it, including what other crates record through `tracing` ([`layer()`]) or OpenTelemetry. [`genai()`]
//! records a call of a model with the tokens it used, and a signal with `cost_attributed` is attributed the costs of
//! its scope.
//!
//! ```no_run
//! use paid::signal::Signal;
//!
//! # async fn answer() -> Result<(), std::io::Error> { Ok(()) }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let tracing = paid::trace::init()?; // keep it until the program ends
//!
//! paid::scope()
//!     .customer("acme")
//!     .product("ai-sdr")
//!     .traced()
//!     .run(async {
//!         answer().await?;
//!         paid::emit(Signal::new("email_sent").cost_attributed());
//!         Ok::<_, std::io::Error>(())
//!     })
//!     .await?;
//! # drop(tracing);
//! # Ok(())
//! # }
//! ```
//!
//! # What is exported
//!
//! Only spans inside traced scopes are exported, with their names, times, statuses and attributes. What people and
//! models said is exported only if the scope sets [`store_prompts`](crate::Scope::store_prompts). Otherwise these are
//! removed: the attributes of prompts, messages, completions, tools and their arguments, retrieved documents and
//! embedded texts; the texts of errors; and all events except the types of exceptions. The API key is never exported,
//! under whatever name it was recorded.
//!
//! # With your own OpenTelemetry
//!
//! Tracing has its own provider: no `OTEL_*` variable and no sampler of yours changes it, and it registers nothing
//! globally. If your own provider records calls of models, add [`TraceGuard::processor`] to it.
//!
//! # Environment
//!
//! `PAID_API_KEY` is the API key; `PAID_OTEL_COLLECTOR_ENDPOINT` is where spans are sent (by default to the collector beside
//! `PAID_BASE_URL`, or Paid's); `PAID_ENABLED=false` turns signals, costs and tracing off.

mod builder;
mod cargo;
mod collector;
mod exporter;
mod genai;
mod guard;
mod identity;
mod layer;
mod live;
mod metadata;
mod notices;
mod openinference;
mod pipeline;
mod processor;
mod prompts;
mod scoped;
mod signals;
mod stamp;
mod stats;
mod token;
mod work;

pub use builder::{Export, TraceBuilder};
pub use genai::{GenAi, GenAiCall, Operation, ReadUsage, Reading, Usage, genai, read};
pub use guard::TraceGuard;
pub use layer::{PaidLayer, layer};
pub use processor::PaidSpanProcessor;
pub use signals::{TraceSignals, emit};
pub use stats::TraceStats;
pub use token::{ParseTokenError, TracingToken, traceparent};
pub use work::fail;

use crate::error::ConfigError;

/// Starts tracing with the environment's settings: `PAID_API_KEY` and, if they are set, `PAID_OTEL_COLLECTOR_ENDPOINT`
/// and `PAID_ENABLED`.
///
/// # Errors
///
/// If there is no API key, the endpoint is invalid or is neither HTTPS nor loopback, or no thread can be started.
pub fn init() -> Result<TraceGuard, ConfigError> {
    builder().init()
}

/// Starts to set up tracing: keys, export, what of prompts is kept.
pub fn builder() -> TraceBuilder {
    TraceBuilder::default()
}
