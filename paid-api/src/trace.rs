//! Work as OpenTelemetry traces, so that Paid knows what it cost: feature `trace`.
//!
//! [`init`] starts it. A traced scope opens a span that names customer and product; everything inside belongs to it, also
//! what other crates record through `tracing` ([`layer()`]) or OpenTelemetry. [`genai()`] records a call of a model with the
//! tokens it used, and a signal with `cost_attributed` takes the costs of its scope with it.
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
//! # What leaves
//!
//! Spans inside traced scopes, and no others. Of them: names, times, status, and attributes. What people and models said
//! stays here unless the scope says [`store_prompts`](crate::Scope::store_prompts): attributes of prompts, messages,
//! completions, tools and their arguments, retrieved documents, embedded texts, the texts of errors, and all events. The
//! API key never leaves in a span, under whatever name it was recorded.
//!
//! # Beside your own OpenTelemetry
//!
//! The provider behind it is its own: no `OTEL_*` variable and no sampler of yours changes it, and it registers nothing
//! globally. If you have a provider that records your calls of models, add [`TraceGuard::processor`] to it.
//!
//! # Environment
//!
//! `PAID_API_KEY`; `PAID_OTEL_COLLECTOR_ENDPOINT`, where spans go; `PAID_ENABLED=false` turns tracing off.

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
#[cfg(feature = "sigterm")]
mod on_sigterm;
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

/// Starts tracing with what the environment says: `PAID_API_KEY`, and where they are set, `PAID_OTEL_COLLECTOR_ENDPOINT`
/// and `PAID_ENABLED`.
///
/// # Errors
///
/// If there is no key, the endpoint is invalid or not safe, or no thread can be started.
pub fn init() -> Result<TraceGuard, ConfigError> {
    builder().init()
}

/// Everything that can be set.
pub fn builder() -> TraceBuilder {
    TraceBuilder::default()
}
