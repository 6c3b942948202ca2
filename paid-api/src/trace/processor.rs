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

/// A span processor that exports the spans that start inside scopes and ignores all others. It can be added to your own
/// provider, see [`TraceGuard::processor`](super::TraceGuard::processor).
#[derive(Debug)]
pub struct PaidSpanProcessor {
    exporter: Option<Arc<Exporter>>,
    /// True if it belongs to a provider of the program.
    is_guest: bool,
}

impl PaidSpanProcessor {
    /// Creates the processor of the pipeline's own provider.
    pub(super) fn own(exporter: Arc<Exporter>) -> Self {
        Self { exporter: Some(exporter), is_guest: false }
    }

    /// Creates a processor for a provider of the program; without an exporter it does nothing.
    pub(super) fn guest(exporter: Option<Arc<Exporter>>) -> Self {
        Self { exporter, is_guest: true }
    }

    /// The stamp of a span: that of its context, of the current scope, or of its parent.
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
            // The program's provider ends, but not the pipeline.
            return flush(exporter, timeout);
        }
        exporter.forget_live_spans();
        Ok(())
    }
}

fn flush(exporter: &Exporter, timeout: Duration) -> OTelSdkResult {
    exporter.dispatch.flush_blocking(timeout).map_err(|left| OTelSdkError::InternalFailure(left.to_string()))
}
