//! What can be set of tracing, and how it starts.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_sdk::Resource;

use super::export::Exporter;
use super::guard::TraceGuard;
use super::pipeline::{self, Pipeline};
use super::queue::{Queue, Settings};
use crate::client::{self, ApiKey, KeySource};
use crate::error::ConfigError;

/// Paid's collector.
const ENDPOINT: &str = "https://collector.agentpaid.io:4318/v1/traces";

/// When spans leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Export {
    /// In batches, after half a second unless set.
    #[default]
    Batch,
    /// Each at once, on its own; for programs that live shortly. It does not hold up the work either.
    Simple,
}

/// Sets up tracing.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct TraceBuilder {
    key: Option<Result<KeySource, ConfigError>>,
    endpoint: Option<String>,
    export: Export,
    settings: Settings,
    service_name: Option<String>,
    http: Option<reqwest::Client>,
    enabled: Option<bool>,
    patience: Duration,
}

impl Default for TraceBuilder {
    fn default() -> Self {
        Self {
            key: None,
            endpoint: None,
            export: Export::Batch,
            settings: Settings {
                mode: "batch",
                batch: 64,
                queue: 2_048,
                delay: Duration::from_millis(500),
                timeout: Duration::from_secs(10),
            },
            service_name: None,
            http: None,
            enabled: None,
            patience: Duration::from_secs(10),
        }
    }
}

impl TraceBuilder {
    /// The API key (`paid_…`); `PAID_API_KEY` unless set.
    pub fn api_key(mut self, key: impl AsRef<str>) -> Self {
        self.key = Some(ApiKey::new(key).map(KeySource::Fixed));
        self
    }

    /// Where the API key comes from, for keys that are rotated: asked before every request, so it must be quick.
    pub fn api_key_from(mut self, provider: impl Fn() -> ApiKey + Send + Sync + 'static) -> Self {
        self.key = Some(Ok(KeySource::Provided(Arc::new(provider))));
        self
    }

    /// Where spans go, with the whole path; `PAID_OTEL_COLLECTOR_ENDPOINT` or else Paid's collector unless set. Plain
    /// `http` is for this machine only.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// When spans leave; in batches unless set.
    pub fn export(mut self, export: Export) -> Self {
        self.export = export;
        self
    }

    /// How many spans go into one request; 64 unless set.
    pub fn max_batch(mut self, spans: usize) -> Self {
        self.settings.batch = spans.max(1);
        self
    }

    /// How many spans may wait; 2,048 unless set. More are dropped and counted, signals last.
    pub fn queue(mut self, spans: usize) -> Self {
        self.settings.queue = spans.max(1);
        self
    }

    /// How long a span waits for others; 500 ms unless set.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.settings.delay = delay;
        self
    }

    /// How long one request may take; 10 seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// How long dropping the guard may wait for what is queued; 10 seconds unless set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The name of your service, as resource attribute `service.name`; `unknown_service` unless set.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// An HTTP client of your own: for a proxy, or other roots.
    pub fn http(mut self, client: reqwest::Client) -> Self {
        self.http = Some(client);
        self
    }

    /// Whether to trace at all; unless set, yes, but for `PAID_ENABLED=false` in the environment.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// Starts tracing for the process: every traced scope that names no other pipeline uses it.
    ///
    /// # Errors
    ///
    /// When there is no key, the endpoint is no URL that is safe, or no thread can be started.
    pub fn init(self) -> Result<TraceGuard, ConfigError> {
        let guard = self.build()?;
        if let Some(pipeline) = guard.pipeline() {
            pipeline.install();
        }
        Ok(guard)
    }

    /// Starts tracing for those scopes only that ask for it, see [`TraceGuard::scope`]; for tests, and for programs with
    /// several keys.
    ///
    /// # Errors
    ///
    /// As [`init`](Self::init).
    pub fn build(self) -> Result<TraceGuard, ConfigError> {
        if !self.is_enabled()? {
            pipeline::turned_off();
            return Ok(TraceGuard::disabled());
        }
        let key = match self.key {
            Some(key) => key?,
            None => {
                let text = client::variable("PAID_API_KEY")?.ok_or_else(|| {
                    ConfigError::new("no API key to trace with: export PAID_API_KEY, or call `api_key`")
                })?;
                KeySource::Fixed(ApiKey::new(&text)?)
            }
        };
        let endpoint = match self.endpoint {
            Some(endpoint) => endpoint,
            None => client::variable("PAID_OTEL_COLLECTOR_ENDPOINT")?.unwrap_or_else(|| ENDPOINT.to_owned()),
        };
        let endpoint = client::checked_url("collector's endpoint", &endpoint)?;
        let mut settings = self.settings;
        if self.export == Export::Simple {
            (settings.batch, settings.delay, settings.mode) = (1, Duration::ZERO, "simple");
        }
        let queue = Queue::new(settings);
        let http = match self.http {
            Some(client) => client,
            None => reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(10))
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .map_err(|error| ConfigError::new(format!("cannot set up HTTPS: {error}")))?,
        };
        let resource = resource(self.service_name);
        let exporter = Exporter {
            http,
            endpoint,
            key,
            resource: ResourceAttributesWithSchema::from(&resource),
            end: queue.end(),
            queue: Arc::clone(&queue),
            is_failing: false,
        };
        let thread = start(exporter)?;
        Ok(TraceGuard::over(Arc::new(Pipeline::new(queue, resource)), thread, self.patience))
    }

    fn is_enabled(&self) -> Result<bool, ConfigError> {
        match self.enabled {
            Some(enabled) => Ok(enabled),
            None => Ok(client::variable("PAID_ENABLED")?.is_none_or(|text| !text.trim().eq_ignore_ascii_case("false"))),
        }
    }
}

/// What OpenTelemetry itself says, and nothing of the host's environment.
fn resource(service_name: Option<String>) -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", service_name.unwrap_or_else(|| "unknown_service".to_owned())),
            KeyValue::new("telemetry.sdk.language", "rust"),
            KeyValue::new("telemetry.sdk.name", "opentelemetry"),
        ])
        .build()
}

/// The exporter's own thread, its runtime's handle, and word of its end.
pub(super) struct Thread {
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) done: std::sync::mpsc::Receiver<()>,
    pub(super) ended: tokio::sync::watch::Receiver<bool>,
}

fn start(exporter: Exporter) -> Result<Thread, ConfigError> {
    let problem =
        |error: &dyn std::fmt::Display| ConfigError::new(format!("cannot start a thread to export spans: {error}"));
    let (tell_done, done) = std::sync::mpsc::channel();
    let (tell_ended, ended) = tokio::sync::watch::channel(false);
    let (hand_over, handle) = std::sync::mpsc::channel();
    std::thread::Builder::new()
        .name("paid-trace".into())
        .spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(hand_over.send(Err(error))),
            };
            let _ = hand_over.send(Ok(runtime.handle().clone()));
            runtime.block_on(exporter.run());
            tell_ended.send_replace(true);
            drop(tell_done);
        })
        .map_err(|error| problem(&error))?;
    match handle.recv() {
        Ok(Ok(runtime)) => Ok(Thread { runtime, done, ended }),
        Ok(Err(error)) => Err(problem(&error)),
        Err(error) => Err(problem(&error)),
    }
}
