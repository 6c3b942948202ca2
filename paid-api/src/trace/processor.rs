//! The span processor: stamps the spans that start inside scopes and hands them over when they end.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, TraceContextExt};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::exporter::Exporter;
use super::identity::Stamp;
use super::work::current_work;

/// Stamps the spans that start inside scopes and hands them over when they end; all others it leaves alone. It can be
/// plugged into a provider of your own, see [`TraceGuard::processor`](super::TraceGuard::processor).
#[derive(Debug)]
pub struct PaidSpanProcessor {
    exporter: Option<Arc<Exporter>>,
    /// Whether the provider is somebody else's.
    is_guest: bool,
}

impl PaidSpanProcessor {
    /// Of our own provider.
    pub(super) fn own(exporter: Arc<Exporter>) -> Self {
        Self { exporter: Some(exporter), is_guest: false }
    }

    /// Of a provider of somebody else's; without an exporter it does nothing.
    pub(super) fn guest(exporter: Option<Arc<Exporter>>) -> Self {
        Self { exporter, is_guest: true }
    }

    /// The scope the span is in: as its maker says, as the task says, or as its parent has it.
    fn stamp_for(exporter: &Exporter, context: &Context) -> Option<Stamp> {
        if let Some(stamp) = context.get::<Stamp>() {
            return Some(stamp.clone());
        }
        let current = current_work().map(|work| work.stamp());
        current.or_else(|| {
            let parent = context.span().span_context().span_id();
            exporter.stamp_of(parent)
        })
    }
}

impl SpanProcessor for PaidSpanProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        let Some(exporter) = &self.exporter else { return };
        if let Some(stamp) = Self::stamp_for(exporter, context) {
            exporter.span_starts(span.span_context().span_id(), stamp);
        }
    }

    fn on_end(&self, span: SpanData) {
        let Some(exporter) = &self.exporter else { return };
        exporter.span_ends(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        let Some(exporter) = &self.exporter else { return Ok(()) };
        flush(exporter, exporter.timeout)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let Some(exporter) = &self.exporter else { return Ok(()) };
        if self.is_guest {
            // The provider ends, and not what it was a guest in.
            return flush(exporter, timeout);
        }
        exporter.forget_live_spans();
        Ok(())
    }
}

fn flush(exporter: &Exporter, timeout: Duration) -> OTelSdkResult {
    exporter.dispatch.flush_blocking(timeout).map_err(|left| OTelSdkError::InternalFailure(left.to_string()))
}
