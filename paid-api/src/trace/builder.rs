//! What can be set of tracing, and how it starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use super::cargo::Spans;
use super::collector::Collector;
use super::exporter::Exporter;
use super::guard::TraceGuard;
use super::pipeline::{self, Pipeline};
use super::stats::TraceCounters;
use crate::client::{self, ApiKey, KeySource};
use crate::dispatch::{DiskSettings, Dispatch, DispatchSettings, Partial, dispatch_setters};
use crate::error::ConfigError;
use crate::report::RecordKind;

/// Paid's collector.
const ENDPOINT: &str = "https://collector.agentpaid.io:4318/v1/traces";

/// When spans leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Export {
    /// In batches.
    #[default]
    Batch,
    /// Each span at once, on its own; for short-lived programs. It never blocks the caller either.
    Simple,
}

/// Sets up tracing. By default 64 spans go into one request, 2,048 may wait, a span waits half a second for others, waits
/// between attempts grow to 30 seconds, and dropping the guard waits 10 seconds.
#[must_use = "a builder does nothing until it is built"]
pub struct TraceBuilder {
    key: Option<Result<KeySource, ConfigError>>,
    endpoint: Option<String>,
    export: Export,
    settings: DispatchSettings,
    timeout: Duration,
    service_name: Option<String>,
    http: Option<reqwest::Client>,
    enabled: Option<bool>,
}

impl Default for TraceBuilder {
    fn default() -> Self {
        let mut settings = DispatchSettings {
            thread: "paid-trace",
            linger: Duration::from_millis(500),
            in_flight: 1,
            // A span that the collector has would cost twice.
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
            http: None,
            enabled: None,
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

    /// How long one request may take; 10 seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    dispatch_setters!("spans");

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
        let http = match self.http {
            Some(client) => client,
            None => client::https(Duration::from_secs(10))?,
        };
        let mut settings = self.settings;
        let mode = match self.export {
            Export::Batch => "batch",
            Export::Simple => {
                (settings.batch.records, settings.linger) = (1, Duration::ZERO);
                "simple"
            }
        };
        let counters = Arc::new(TraceCounters::default());
        let noticed = Arc::clone(&counters);
        settings.add_hook(move |failure| noticed.notice(failure));
        let resource = resource(self.service_name);
        let collector = Collector::new(http, endpoint, key.clone(), self.timeout, &resource);
        let spans = Spans { key, mode };
        let no_disk = DiskSettings::none(RecordKind::Span);
        let dispatch = Dispatch::start(spans, Arc::new(collector), settings, &no_disk)?;
        let exporter = Arc::new(Exporter::new(dispatch, counters, self.timeout));
        Ok(TraceGuard::over(Arc::new(Pipeline::new(exporter, resource))))
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
