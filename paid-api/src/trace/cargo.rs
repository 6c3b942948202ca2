//! Spans as cargo: written as protobuf, each with its instrumentation scope. Signals are kept in preference to other
//! spans.

use std::borrow::Cow;

use opentelemetry_proto::tonic::trace::v1::ScopeSpans;
use opentelemetry_sdk::trace::SpanData;
use prost::Message;
use reqwest::header::HeaderValue;

use super::identity::{Stamp, TRACER};
use super::stamp::{self, KeyText, Stationery};
use crate::client::KeySource;
use crate::dispatch::{Cargo, RecordWriter};
use crate::report::RecordKind;
use crate::sinks::background;

/// A span that has ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) span: SpanData,
    pub(super) stamp: Stamp,
}

impl Ended {
    fn is_signal(&self) -> bool {
        self.span.name == "signal" && self.span.instrumentation_scope.name() == TRACER
    }

    /// The event name of a signal's span.
    fn event_name(&self) -> Cow<'static, str> {
        let name = self.span.attributes.iter().find(|attribute| attribute.key.as_str() == "event_name");
        name.map(|name| name.value.as_str().into_owned()).unwrap_or_default().into()
    }
}

pub(super) struct Spans {
    /// The API key, which is removed from every span.
    pub(super) key: KeySource,
    /// `batch` or `simple`, an attribute of every span.
    pub(super) mode: &'static str,
}

impl Cargo for Spans {
    type Load = Ended;
    /// The key as it is now, if it is known, and the mode.
    type Ink = (Option<HeaderValue>, &'static str);

    const KIND: RecordKind = RecordKind::Span;
    const HAS_RANKS: bool = true;

    fn kind(ended: &Ended) -> RecordKind {
        if ended.is_signal() { RecordKind::Signal } else { RecordKind::Span }
    }

    fn name(ended: &Ended) -> Cow<'static, str> {
        if ended.is_signal() { ended.event_name() } else { ended.span.name.clone() }
    }

    fn weight(ended: &Ended) -> usize {
        let texts = ended.span.attributes.iter().map(|attribute| match &attribute.value {
            opentelemetry::Value::String(text) => text.as_str().len(),
            _ => 0,
        });
        500 + 80 * ended.span.attributes.len() + texts.sum::<usize>()
    }

    fn makes_way(ended: &Ended) -> bool {
        !ended.is_signal()
    }

    fn ink(&self) -> Self::Ink {
        (background::known(&self.key), self.mode)
    }

    fn write(ended: Ended, (header, mode): &Self::Ink, page: &mut RecordWriter) {
        let (kind, name) = (Self::kind(&ended), Self::name(&ended));
        let stationery = Stationery { mode, secret: KeyText::in_header(header.as_ref()) };
        let span = stamp::finish(ended.span, &ended.stamp, &stationery);
        let schema_url = span.instrumentation_scope.schema_url().map(ToOwned::to_owned).unwrap_or_default();
        let scope = Some((&span.instrumentation_scope, None).into());
        let scope_spans = ScopeSpans { scope, spans: vec![span.into()], schema_url };
        // The order of spans does not matter, and they have no key.
        page.add(kind, &name, "", 0, |text| {
            // Writing into memory does not fail.
            let _ = scope_spans.encode(text);
        });
    }
}
