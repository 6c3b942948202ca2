//! The settings of tracing, and its start.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use super::cargo::Spans;
use super::collector::CollectorSink;
use super::exporter::Exporter;
use super::guard::TraceGuard;
use super::pipeline::{self, Pipeline};
use super::stats::TraceCounters;
use crate::client::{self, ApiKey, Configure, Connections, HttpSettings, KeySource};
use crate::dispatch::{DiskSettings, Dispatch, DispatchSettings, Mode, Partial, Sink, dispatch_setters};
use crate::duration::bounded;
use crate::error::ConfigError;
use crate::report::RecordKind;
use crate::signal::HashKey;

/// When spans are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Export {
    /// Many at a time, after a short wait.
    #[default]
    Batch,
    /// Each span at once, in its own request; for short-lived programs. Never blocks the caller.
    Simple,
}

/// Configures and starts tracing. By default a request holds up to 64 spans, the queue 2,048, a span waits half a
/// second for others, the waits before retries grow from 500 ms to 30 seconds, and dropping the guard waits 10 seconds.
#[must_use = "a builder does nothing until it is built"]
pub struct TraceBuilder {
    key: Option<Result<KeySource, ConfigError>>,
    endpoint: Option<String>,
    export: Export,
    pub(crate) settings: DispatchSettings,
    timeout: Duration,
    service_name: Option<String>,
    configure: Option<Configure>,
    hash_key: Option<HashKey>,
}

impl Default for TraceBuilder {
    fn default() -> Self {
        let mut settings = DispatchSettings {
            thread: "paid-trace",
            linger: Duration::from_millis(500),
            in_flight: 1,
            // If a span that the collector has were sent again, its costs would count twice.
            partial: Partial::Keep,
            patience: Duration::from_secs(10),
            ..DispatchSettings::default()
        };
        settings.batch.records = 64;
        settings.queue.records = 2_048;
        settings.backoff.max = Duration::from_secs(30);
        Self {
            key: None,
            endpoint: None,
            export: Export::Batch,
            settings,
            timeout: Duration::from_secs(10),
            service_name: None,
            configure: None,
            hash_key: None,
        }
    }
}

impl TraceBuilder {
    /// Sets the API key (`paid_…`); `PAID_API_KEY` by default. [`init`](Self::init) reports an invalid one.
    pub fn api_key(mut self, key: impl AsRef<str>) -> Self {
        self.key = Some(ApiKey::new(key).map(KeySource::Fixed));
        self
    }

    /// Sets a function that returns the current API key, for keys that are rotated. It is called before every request,
    /// on a thread of its own.
    pub fn api_key_from(mut self, provider: impl Fn() -> ApiKey + Send + Sync + 'static) -> Self {
        self.key = Some(Ok(KeySource::provided(provider)));
        self
    }

    /// Sets the URL that spans are sent to, including the path. Plain `http` is accepted for loopback addresses only.
    ///
    /// By default it is `PAID_OTEL_COLLECTOR_ENDPOINT`. If that is not set, it is Paid's collector; but if `PAID_BASE_URL` names
    /// another host than Paid's, it is `/v1/traces` on that host and port, where the emulator has its collector.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Sets when spans are sent; in batches by default.
    pub fn export(mut self, export: Export) -> Self {
        self.export = export;
        self
    }

    /// Sets the time limit of one request; 10 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    dispatch_setters!("spans", queue: "2,048", batch: "64", linger: "half a second", delays: "500 ms and 30 seconds", patience: "10 seconds");

    /// Sets the name of your service, the resource attribute `service.name`; `unknown_service` by default.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// Configures the HTTP client, for example to use a proxy or other root certificates; see
    /// [`ClientBuilder::http`](crate::ClientBuilder::http).
    pub fn http(
        mut self,
        configure: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.configure = Some(Arc::new(configure));
        self
    }

    /// Sets the key with which values of [signals](crate::trace::emit()) are hashed that are not sent in the clear, see
    /// [`EmitterBuilder::hash_key`](crate::EmitterBuilder::hash_key).
    pub fn hash_key(mut self, key: HashKey) -> Self {
        self.hash_key = Some(key);
        self
    }

    /// Starts tracing for the process: every traced scope uses it, except those of another guard.
    ///
    /// # Errors
    ///
    /// If there is no API key, the endpoint is invalid or is neither HTTPS nor loopback, or no thread can be started.
    pub fn init(self) -> Result<TraceGuard, ConfigError> {
        let guard = self.build()?;
        if let Some(pipeline) = guard.pipeline() {
            pipeline.install();
        }
        Ok(guard)
    }

    /// Starts tracing only for the scopes of the guard, see [`TraceGuard::scope`]; for tests, and for programs with
    /// several API keys.
    ///
    /// # Errors
    ///
    /// See [`init`](Self::init).
    pub fn build(mut self) -> Result<TraceGuard, ConfigError> {
        if self.settings.mode()? == Mode::Off {
            pipeline::turned_off();
            return Ok(TraceGuard::disabled());
        }
        let key = match self.key.take() {
            Some(key) => key?,
            None => {
                let text = client::variable("PAID_API_KEY")?
                    .ok_or_else(|| ConfigError::new("tracing has no API key: set PAID_API_KEY, or call `api_key`"))?;
                KeySource::Fixed(ApiKey::new(&text)?)
            }
        };
        let endpoint = match self.endpoint.take() {
            Some(endpoint) => endpoint,
            None => default_endpoint()?,
        };
        let endpoint = client::checked_url("collector's endpoint", &endpoint)?;
        let connections = Connections::new(HttpSettings {
            connect_timeout: Duration::from_secs(10),
            configure: self.configure.take(),
            is_plain: client::is_plain(&endpoint),
        })?;
        let timeout = bounded(self.timeout);
        let collector = |key, resource: &Resource| CollectorSink::new(connections, endpoint, key, timeout, resource);
        self.start(key, |key, resource| Arc::new(collector(key, resource)))
    }

    /// Starts tracing over this collector.
    pub(crate) fn start(
        self,
        key: KeySource,
        collector: impl FnOnce(KeySource, &Resource) -> Arc<dyn Sink>,
    ) -> Result<TraceGuard, ConfigError> {
        let timeout = bounded(self.timeout);
        let mut settings = self.settings;
        // Spans that wait longer are lost: the queue is short.
        settings.longest_asked = settings.backoff.max;
        let mode = match self.export {
            Export::Batch => "batch",
            Export::Simple => {
                (settings.batch.records, settings.linger) = (1, Duration::ZERO);
                "simple"
            }
        };
        let counters = Arc::new(TraceCounters::default());
        let noticed = Arc::clone(&counters);
        settings.reporter.add_observer(move |failure| noticed.notice(failure));
        let resource = resource(self.service_name);
        let collector = collector(key.clone(), &resource);
        let no_disk = DiskSettings::none(RecordKind::Span);
        let dispatch = Dispatch::start(Spans { key, mode }, collector, settings, &no_disk)?;
        let exporter = Arc::new(Exporter::new(dispatch, counters, timeout));
        Ok(TraceGuard::over(Arc::new(Pipeline::new(exporter, resource, self.hash_key))))
    }
}

/// The collector that the environment names, or else the one beside the API that it names.
fn default_endpoint() -> Result<String, ConfigError> {
    if let Some(endpoint) = client::variable("PAID_OTEL_COLLECTOR_ENDPOINT")? {
        return Ok(endpoint);
    }
    let base_url = client::variable("PAID_BASE_URL")?;
    Ok(base_url.map_or_else(|| client::COLLECTOR.to_owned(), |base_url| client::collector_beside(&base_url)))
}

/// The attributes that OpenTelemetry itself requires, and nothing from the environment.
fn resource(service_name: Option<String>) -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", service_name.unwrap_or_else(|| "unknown_service".to_owned())),
            KeyValue::new("telemetry.sdk.language", "rust"),
            KeyValue::new("telemetry.sdk.name", "opentelemetry"),
        ])
        .build()
}

impl fmt::Debug for TraceBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TraceBuilder")
            .field("endpoint", &self.endpoint)
            .field("export", &self.export)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
