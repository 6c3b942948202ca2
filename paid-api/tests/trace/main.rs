//! Traced work as the collector gets it.
#![allow(clippy::unwrap_used, missing_docs)]

mod contents;
mod json;
mod outages;
mod scopes;
mod signals;

use std::time::{Duration, Instant};

use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use paid::emulator::{CollectedSpan, Emulator, Fault};
use paid::signal::Signal;
use paid::trace::{Export, Operation, TraceGuard, TracingToken, Usage, genai, read, traceparent};
use paid::types::CustomerId;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

fn tracing_to(emulator: &Emulator) -> TraceGuard {
    let builder = paid::trace::builder().api_key("paid_very_secret_key").endpoint(emulator.collector_url());
    builder.enabled(true).patience(SECOND).build().unwrap()
}

async fn spans(emulator: &Emulator, guard: &TraceGuard) -> Vec<CollectedSpan> {
    guard.flush(10 * SECOND).await.unwrap();
    emulator.spans()
}

fn named<'a>(spans: &'a [CollectedSpan], name: &str) -> &'a CollectedSpan {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name} in {:?}", spans.iter().map(|span| &span.name).collect::<Vec<_>>());
    found[0]
}

/// A call of a model, as any crate records it with OpenTelemetry.
fn call_elsewhere(guard: &TraceGuard, name: &'static str, attributes: Vec<KeyValue>) {
    let tracer = guard.provider().tracer("elsewhere");
    drop(tracer.span_builder(name).with_attributes(attributes).start_with_context(&tracer, &Context::current()));
}

#[tokio::test]
async fn every_span_in_a_scope_says_whose_work_it_is() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    guard.provider();
    let scope = guard.scope().customer("acme").product("ai-sdr").metadata("team", &json!({"name": "a", "size": 2}));
    scope
        .run(async {
            call_elsewhere(&guard, "llm", vec![KeyValue::new("gen_ai.system", "openai")]);
            let mut call = genai("openai", Operation::Chat).request_model("gpt-4o").start();
            call.usage(Usage { input_tokens: Some(3), ..Usage::new() });
        })
        .await;
    call_elsewhere(&guard, "outside", vec![]);
    let spans = spans(&emulator, &guard).await;
    assert_eq!(spans.len(), 3, "what is outside stays here: {spans:#?}");
    let root = named(&spans, "paid.trace.parent_span");
    assert_eq!((root.kind, root.status, root.parent_span_id.as_str()), (1, 1, ""));
    for span in &spans {
        assert_eq!(span.attribute("external_customer_id"), "acme");
        assert_eq!(span.attribute("external_agent_id"), "ai-sdr");
        assert_eq!(span.attribute("metadata.team.name"), "a");
        assert_eq!(span.attribute("metadata.team.size"), 2);
        assert_eq!(span.attribute("paid.sdk.version"), concat!("rust-", env!("CARGO_PKG_VERSION")));
        assert_eq!(span.attribute("paid_span_processor_mode"), "batch");
        assert_eq!(span.attribute("paid_scope_id"), root.attribute("paid_scope_id"));
        assert_eq!(span.trace_id, root.trace_id);
        assert_eq!(span.resource["telemetry.sdk.language"], "rust");
    }
    let id = root.attribute("paid_scope_id").as_i64().unwrap();
    assert!((1..=0x7fff_ffff).contains(&id));
    let call = named(&spans, "paid.trace.openai.chat.completions.create");
    assert_eq!(call.parent_span_id, root.span_id);
    assert_eq!(call.attribute("gen_ai.usage.input_tokens"), 3);
    assert_eq!(named(&spans, "paid.trace.llm").parent_span_id, root.span_id);
}

#[tokio::test]
async fn spawned_tasks_and_threads_belong_to_the_scope_and_others_do_not() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    guard
        .scope()
        .customer("acme")
        .run(async {
            paid::spawn(async {
                tokio::task::yield_now().await;
                genai("openai", Operation::Embeddings).start().finish();
            })
            .await
            .unwrap();
            tokio::task::spawn_blocking({
                let work = paid::Scope::current();
                move || work.run_sync(|| genai("anthropic", Operation::Messages).start().finish())
            })
            .await
            .unwrap();
            let thread = paid::spawn_thread(|| genai("bedrock", Operation::Converse).start().finish());
            thread.join().unwrap();
            tokio::spawn(async { genai("gemini", Operation::GenerateContent).start().finish() }).await.unwrap();
        })
        .await;
    let spans = spans(&emulator, &guard).await;
    assert_eq!(spans.len(), 4);
    let id = named(&spans, "paid.trace.parent_span").attribute("paid_scope_id");
    assert!(spans.iter().all(|span| span.attribute("paid_scope_id") == id));
}

#[tokio::test]
async fn scopes_inside_each_other_and_side_by_side_never_mix() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    let inner = |customer: &'static str| {
        guard.scope().customer(customer).run(async move {
            for _ in 0..5 {
                genai("openai", Operation::Chat).attribute("who", customer).start().finish();
                tokio::task::yield_now().await;
            }
        })
    };
    guard
        .scope()
        .customer("outer")
        .product("p")
        .run(async {
            genai("openai", Operation::Chat).attribute("who", "outer").start().finish();
            futures_util::join!(inner("a"), inner("b"), inner("c"));
            genai("openai", Operation::Chat).attribute("who", "outer").start().finish();
        })
        .await;
    genai("openai", Operation::Chat).attribute("who", "nobody").start().finish();
    let spans = spans(&emulator, &guard).await;
    let calls: Vec<_> = spans.iter().filter(|span| span.attributes.contains_key("who")).collect();
    assert_eq!(calls.len(), 17);
    let mut ids = std::collections::BTreeMap::<String, std::collections::BTreeSet<i64>>::new();
    for call in calls {
        assert_eq!(call.attribute("who"), call.attribute("external_customer_id"));
        assert_eq!(call.attribute("external_agent_id"), "p", "what an inner scope leaves out is the outer one's");
        let of_customer = ids.entry(call.attribute("who").to_string()).or_default();
        of_customer.insert(call.attribute("paid_scope_id").as_i64().unwrap());
    }
    assert_eq!(ids.len(), 4);
    assert!(ids.values().all(|ids| ids.len() == 1), "one id a scope: {ids:?}");
    assert_eq!(ids.values().flatten().collect::<std::collections::BTreeSet<_>>().len(), 4);
}

#[tokio::test]
async fn the_span_ends_as_the_work_does() {
    #[derive(Debug)]
    struct Quoting;
    impl std::fmt::Display for Quoting {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("the model refused: 'my secret prompt'")
        }
    }
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    let failing = || async { Err::<(), _>(Quoting) };
    let scope = |name: &str| guard.scope().customer("acme").metadata("case", name);
    assert!(scope("error").try_run(failing()).await.is_err());
    assert!(scope("stored").store_prompts(true).try_run(failing()).await.is_err());
    let panicking = std::panic::AssertUnwindSafe(scope("panic").run(async { panic!("on purpose") }));
    assert!(futures_util::FutureExt::catch_unwind(panicking).await.is_err());
    let mut dropped = Box::pin(scope("dropped").run(std::future::pending::<()>()));
    assert!(futures_util::poll!(&mut dropped).is_pending());
    drop(dropped);
    scope("sync").run_sync(|| ());
    let spans = spans(&emulator, &guard).await;
    let of = |case: &str| {
        let span = spans.iter().find(|span| span.attribute("metadata.case") == case).unwrap();
        (span.status, span.status_message.as_str())
    };
    assert_eq!(of("error"), (2, std::any::type_name::<Quoting>()), "the error's text may quote a prompt");
    assert_eq!(of("stored"), (2, "the model refused: 'my secret prompt'"));
    assert_eq!(of("panic"), (2, "panicked"));
    assert_eq!(of("dropped"), (0, ""));
    assert_eq!(of("sync"), (1, ""));
}

#[tokio::test]
async fn work_in_several_processes_is_one_trace() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    let token = TracingToken::new();
    let adopted = guard.scope().customer("acme").tracing_token(token).run(async { TracingToken::current() }).await;
    assert_eq!(adopted, Some(token));
    let header = guard.scope().customer("acme").metadata("side", "sender").run(async { traceparent() }).await.unwrap();
    let receiver = guard.scope().customer("acme").metadata("side", "receiver").traceparent(&header).unwrap();
    receiver.run(async {}).await;
    assert!(guard.scope().traceparent("nonsense").is_err());
    let spans = spans(&emulator, &guard).await;
    let by_token = spans.iter().find(|span| span.trace_id == token.to_hex()).unwrap();
    assert_ne!(by_token.parent_span_id, "", "as the Python client: a parent that never was");
    let side = |side: &str| spans.iter().find(|span| span.attribute("metadata.side") == side).unwrap();
    assert_eq!(side("receiver").trace_id, side("sender").trace_id);
    assert_eq!(side("receiver").parent_span_id, side("sender").span_id);
}

#[tokio::test]
async fn a_host_that_samples_nothing_loses_no_signal_and_no_scope() {
    use opentelemetry::trace::TraceContextExt;
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    let host = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).build();
    let tracer = host.tracer("host");
    let request = Context::current_with_span(tracer.start("request"));
    let _attached = request.attach();
    guard.scope().customer("acme").emitter(guard.signals()).run_sync(|| {
        genai("openai", Operation::Chat).start().finish();
        paid::trace::emit(Signal::new("email_sent"));
    });
    assert_eq!(spans(&emulator, &guard).await.len(), 3);
}

/// What a host does with its spans.
#[derive(Clone, Debug, Default)]
struct Keeps(std::sync::Arc<std::sync::Mutex<Vec<opentelemetry_sdk::trace::SpanData>>>);

impl opentelemetry_sdk::trace::SpanProcessor for Keeps {
    fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &Context) {}

    fn on_end(&self, span: opentelemetry_sdk::trace::SpanData) {
        self.0.lock().unwrap().push(span);
    }

    fn force_flush(&self) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }
}

#[tokio::test]
async fn a_hosts_own_provider_gives_its_spans_with_the_processor_and_is_left_alone() {
    use opentelemetry_sdk::trace::SdkTracerProvider;
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    let own = Keeps::default();
    let host =
        SdkTracerProvider::builder().with_span_processor(guard.processor()).with_span_processor(own.clone()).build();
    let tracer = host.tracer("host");
    guard.scope().customer("acme").run(async { tracer.start("model call") }).await;
    drop(tracer.start("outside"));
    let spans = spans(&emulator, &guard).await;
    assert_eq!(spans.len(), 2);
    let root = named(&spans, "paid.trace.parent_span");
    let call = named(&spans, "paid.trace.model call");
    assert_eq!((&call.trace_id, &call.parent_span_id), (&root.trace_id, &root.span_id));
    assert_eq!(call.attribute("external_customer_id"), "acme");
    let mut seen = own.0.lock().unwrap().clone();
    seen.sort_by(|one, other| one.name.cmp(&other.name));
    let names: Vec<_> = seen.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["model call", "outside"], "no prefix, and nothing of ours");
    assert!(seen.iter().all(|span| span.attributes.is_empty()));
    // The host's end is not ours.
    host.shutdown().unwrap();
    guard.scope().customer("acme").run(async {}).await;
    assert_eq!(self::spans(&emulator, &guard).await.len(), 3);
}

#[tokio::test]
async fn streamed_answers_are_recorded_to_the_end_and_when_dropped() {
    use futures_util::StreamExt;
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    let events = || {
        futures_util::stream::iter([
            json!({"type": "message_start", "message": {"id": "m1", "role": "assistant", "model": "claude",
                   "usage": {"input_tokens": 9, "cache_read_input_tokens": 2, "output_tokens": 1}}}),
            json!({"type": "message_delta", "usage": {"output_tokens": 20}}),
        ])
        .map(Ok::<_, std::io::Error>)
    };
    guard
        .scope()
        .customer("acme")
        .run(async {
            let call = genai("anthropic", Operation::Messages).attribute("case", "whole").start();
            let whole = call.observe_stream_with(events(), read::anthropic_messages);
            assert_eq!(whole.count().await, 2);
            let call = genai("anthropic", Operation::Messages).attribute("case", "dropped").start();
            let mut dropped = call.observe_stream_with(events(), read::anthropic_messages);
            assert!(dropped.next().await.is_some());
        })
        .await;
    let spans = spans(&emulator, &guard).await;
    for (case, output) in [("whole", 20), ("dropped", 1)] {
        let call = spans.iter().find(|span| span.attribute("case") == case).unwrap();
        assert_eq!(call.attribute("gen_ai.usage.input_tokens"), 9);
        assert_eq!(call.attribute("gen_ai.usage.cached_input_tokens"), 2);
        assert_eq!(call.attribute("gen_ai.usage.output_tokens"), output);
        assert_eq!(call.attribute("gen_ai.response.model"), "claude");
        assert_eq!(call.attribute("gen_ai.provider.name"), "anthropic");
    }
}

#[tokio::test]
async fn spans_of_openinference_are_read_in_one_dialect() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    let attributes = vec![
        KeyValue::new("openinference.span.kind", "LLM"),
        KeyValue::new("llm.model_name", "claude"),
        KeyValue::new("llm.provider", "anthropic"),
        KeyValue::new("llm.token_count.prompt", 12_i64),
        KeyValue::new("llm.token_count.completion", 7_i64),
        KeyValue::new("llm.token_count.prompt_details.cache_read", 4_i64),
        KeyValue::new("llm.token_count.prompt_details.cache_write", 3_i64),
    ];
    guard.scope().customer("acme").run(async { call_elsewhere(&guard, "Messages", attributes) }).await;
    let spans = spans(&emulator, &guard).await;
    let call = named(&spans, "paid.trace.Messages");
    assert_eq!(call.attribute("gen_ai.usage.input_tokens"), 5);
    assert_eq!(call.attribute("gen_ai.usage.cached_input_tokens"), 4);
    assert_eq!(call.attribute("gen_ai.response.model"), "claude");
    assert_eq!(call.attribute("openinference.span.kind"), "LLM");
    assert_eq!(call.attribute("llm.token_count.prompt"), &Value::Null);
}
