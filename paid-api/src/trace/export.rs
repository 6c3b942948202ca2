//! The exporter's thread: batches of spans as OTLP over HTTP (protobuf), tried again until the collector takes them, refuses
//! them or time is up.
//!
//! Encoding is that of OpenTelemetry's own `opentelemetry-proto`; the request is made here, because the ready-made
//! exporter lets `OTEL_EXPORTER_OTLP_HEADERS` and `_COMPRESSION` of the host into it and tells nobody what was refused.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use prost::Message;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use tokio::sync::watch;
use tokio::time::Instant;

use super::queue::{Ended, Next, Queue, add};
use super::stamp::{self, Secret, Stationery};
use crate::client::KeySource;
use crate::emit;

const BASE_DELAY: Duration = Duration::from_millis(500);
const MAX_DELAY: Duration = Duration::from_secs(30);

pub(super) struct Exporter {
    pub(super) http: reqwest::Client,
    pub(super) endpoint: String,
    pub(super) key: KeySource,
    pub(super) resource: ResourceAttributesWithSchema,
    pub(super) queue: Arc<Queue>,
    pub(super) end: watch::Receiver<Option<Instant>>,
    /// Whether nothing gets through at the moment: said once.
    pub(super) is_failing: bool,
}

/// How the collector answered.
enum Answer {
    /// It has them, but so many.
    Taken { rejected: usize, why: String },
    /// Not now.
    Later(Option<Duration>, String),
    /// Not these together.
    Refused(String),
    /// Never.
    Denied(String),
}

impl Exporter {
    pub(super) async fn run(mut self) {
        loop {
            match self.queue.next() {
                Next::Send(batch) => self.deliver(batch).await,
                Next::Wait(until) => self.queue.wait(until).await,
                Next::End => break,
            }
            if self.is_over() {
                break;
            }
        }
        self.queue.abandon();
    }

    fn is_over(&self) -> bool {
        self.end.borrow().is_some_and(|end| Instant::now() >= end)
    }

    /// Halves what is refused together, until the bad span stands alone.
    async fn deliver(&mut self, batch: Vec<Ended>) {
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            match self.insist(&part).await {
                Answer::Taken { rejected, why } => {
                    let rejected = rejected.min(part.len());
                    add(&self.queue.counts.exported, part.len() - rejected);
                    if rejected > 0 {
                        self.reject(rejected, &why);
                    }
                    let signals = part.iter().filter(|span| span.is_signal()).count();
                    if rejected > 0 && signals > 0 {
                        emit::log(&format_args!(
                            "the collector refused {rejected} of {} spans without saying which; {signals} signal(s) were among \
                             them and may not be billed: {why}",
                            part.len()
                        ));
                    }
                }
                Answer::Refused(_) if part.len() > 1 => {
                    let rest = part.split_off(part.len() / 2);
                    parts.push(rest);
                    parts.push(part);
                }
                Answer::Refused(why) | Answer::Denied(why) => {
                    for signal in part.iter().filter(|span| span.is_signal()) {
                        let name = signal.event_name();
                        emit::log(&format_args!("the collector refused signal `{name}`, it is not billed: {why}"));
                    }
                    self.reject(part.len(), &why);
                }
                Answer::Later(_, why) => {
                    for lost in &part {
                        self.queue.lose(lost, &why);
                    }
                }
            }
        }
    }

    fn reject(&self, number: usize, why: &str) {
        add(&self.queue.counts.rejected, number);
        tracing::warn!("the collector refused {number} span(s): {why}");
    }

    /// Sends until there is an answer that stays, or no time.
    async fn insist(&mut self, batch: &[Ended]) -> Answer {
        let body = self.encode(batch);
        let mut delay = BASE_DELAY;
        loop {
            let answer = self.attempt(body.clone()).await;
            add(&self.queue.counts.requests, 1);
            let Answer::Later(after, why) = answer else {
                self.is_failing = false;
                return answer;
            };
            if !std::mem::replace(&mut self.is_failing, true) {
                emit::log(&format_args!("spans wait, and are tried again until the collector takes them: {why}"));
            }
            let jitter = 0.5 + fastrand::f64() / 2.0;
            let pause = after.unwrap_or_else(|| delay.mul_f64(jitter)).min(MAX_DELAY);
            delay = (delay * 2).min(MAX_DELAY);
            if !self.pause(pause).await {
                return Answer::Later(None, why);
            }
            add(&self.queue.counts.retries, 1);
        }
    }

    /// Whether there is time left afterwards. At the end there is none for long waits, but for more attempts.
    async fn pause(&mut self, pause: Duration) -> bool {
        let mut until = Instant::now() + pause;
        loop {
            if let Some(end) = *self.end.borrow_and_update() {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return false;
                }
                until = until.min(Instant::now() + (left / 10).max(Duration::from_millis(1)));
            }
            tokio::select! {
                () = tokio::time::sleep_until(until) => return true,
                changed = self.end.changed() => if changed.is_err() { return false },
            }
        }
    }

    fn encode(&self, batch: &[Ended]) -> bytes::Bytes {
        let header = self.key.header();
        let stationery = Stationery { mode: self.queue.settings.mode, secret: Secret::in_header(&header) };
        let spans = batch.iter().map(|ended| stamp::finish(ended.span.clone(), &ended.stamp, &stationery)).collect();
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        ExportTraceServiceRequest { resource_spans }.encode_to_vec().into()
    }

    async fn attempt(&mut self, body: bytes::Bytes) -> Answer {
        let timeout = self.queue.settings.timeout;
        let request = self
            .http
            .post(&self.endpoint)
            .header(AUTHORIZATION, self.key.header())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(USER_AGENT, concat!("paid-rust/", env!("CARGO_PKG_VERSION")))
            .body(body);
        let exchange = async {
            let response = request.send().await?;
            let status = response.status();
            let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Ok((status, after.map(Duration::from_secs), limited(response).await?))
        };
        let outcome: Result<_, reqwest::Error> = tokio::select! {
            outcome = exchange => outcome,
            () = tokio::time::sleep(timeout) => return Answer::Later(None, format!("no answer within {timeout:?}")),
            () = reached(self.end.clone()) => return Answer::Later(None, "no answer before tracing ended".to_owned()),
        };
        let (status, after, body) = match outcome {
            Ok(answer) => answer,
            Err(error) => return Answer::Later(None, format!("cannot be reached: {}", error.without_url())),
        };
        match status.as_u16() {
            200..=299 => taken(&body),
            400 | 413 => Answer::Refused(format!("status {status}")),
            408 | 429 | 500..=599 => Answer::Later(after, format!("status {status}")),
            // The key says nothing about the spans: it may be rotated, and the next attempt has the new one.
            401 | 403 => Answer::Later(after, format!("status {status}; check PAID_API_KEY")),
            _ => Answer::Denied(format!("status {status}")),
        }
    }
}

/// When the thread is to be done.
async fn reached(mut end: watch::Receiver<Option<Instant>>) {
    loop {
        let now = *end.borrow_and_update();
        match now {
            Some(end) => return tokio::time::sleep_until(end).await,
            None if end.changed().await.is_err() => return,
            None => {}
        }
    }
}

/// A collector's answer is short; more than that is not read.
async fn limited(mut response: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await? {
        if body.len() + part.len() > 64 << 10 {
            break;
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn taken(body: &[u8]) -> Answer {
    let answer = ExportTraceServiceResponse::decode(body).unwrap_or_default();
    let partial = answer.partial_success.unwrap_or_default();
    Answer::Taken { rejected: usize::try_from(partial.rejected_spans).unwrap_or(0), why: partial.error_message }
}
