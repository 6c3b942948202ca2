//! What other crates record through `tracing`, alone and beside a host's own OpenTelemetry layer. The subscriber is the
//! process' own: a test binary of its own.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use paid::emulator::{CollectedSpan, Emulator};
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const SECOND: Duration = Duration::from_secs(1);

#[tracing::instrument]
async fn model_call(prompt: &str) -> u64 {
    tokio::task::yield_now().await;
    tracing::info!(gen_ai.usage.input_tokens = 5, "asked the model: {prompt}");
    let inner = tracing::info_span!(
        "inner",
        gen_ai.request.model = "gpt-4o",
        gen_ai.usage.output_tokens = tracing::field::Empty
    );
    inner.in_scope(|| {
        tracing::Span::current().record("gen_ai.usage.output_tokens", 7);
    });
    drop(inner);
    tracing::debug_span!("too fine").in_scope(|| ());
    12
}

fn named<'a>(spans: &'a [CollectedSpan], name: &str) -> &'a CollectedSpan {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name} in {:?}", spans.iter().map(|span| &span.name).collect::<Vec<_>>());
    found[0]
}

#[tokio::test]
async fn spans_of_tracing_belong_to_the_scope_beside_a_layer_of_the_hosts() {
    let emulator = Emulator::start().await.unwrap();
    let builder = paid::trace::builder().api_key("paid_x").endpoint(emulator.collector_url()).enabled(true);
    let guard = builder.init().unwrap();
    // The host's own: another provider, another layer, the same spans.
    let host = SdkTracerProvider::builder().build();
    let hosts = tracing_opentelemetry::layer().with_tracer(host.tracer("host"));
    tracing_subscriber::registry().with(hosts).with(paid::trace::layer()).init();

    model_call("outside: stays here").await;
    let scope = paid::scope().customer("acme").traced();
    scope
        .run(async {
            model_call("my secret question").await;
            // A task that nobody told of the scope, but that runs in a span of it.
            let span = tracing::info_span!("handed over");
            tokio::spawn(async { tracing::info_span!("far away").in_scope(|| ()) }.instrument(span)).await.unwrap();
            let failing = tracing::info_span!("failing", otel.name = "renamed", otel.kind = "client");
            failing.in_scope(|| tracing::error!("went wrong: my secret question"));
        })
        .await;
    guard.flush(10 * SECOND).await.unwrap();
    let spans = emulator.spans();
    let root = named(&spans, "paid.trace.parent_span");
    let call = named(&spans, "paid.trace.model_call");
    let inner = named(&spans, "paid.trace.inner");
    assert_eq!(spans.len(), 6, "{spans:#?}");
    assert_eq!((&call.parent_span_id, &inner.parent_span_id), (&root.span_id, &call.span_id));
    assert_eq!(inner.attribute("gen_ai.usage.output_tokens"), 7);
    assert_eq!(inner.attribute("gen_ai.request.model"), "gpt-4o");
    let far = named(&spans, "paid.trace.far away");
    assert_eq!(far.parent_span_id, named(&spans, "paid.trace.handed over").span_id);
    let renamed = named(&spans, "paid.trace.renamed");
    assert_eq!((renamed.kind, renamed.status, renamed.status_message.as_str()), (3, 2, ""));
    for span in &spans {
        assert_eq!(span.attribute("external_customer_id"), "acme");
        assert_eq!(span.attribute("paid_scope_id"), root.attribute("paid_scope_id"));
    }
    for body in emulator.span_requests() {
        assert!(!String::from_utf8_lossy(&body).contains("secret question"));
    }
}
