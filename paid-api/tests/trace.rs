//! Traced work as the collector gets it.
#![allow(clippy::unwrap_used, missing_docs)]

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

/// Everything that holds contents, under every key that is known to hold some.
fn contents() -> Vec<KeyValue> {
    [
        "gen_ai.completion",
        "gen_ai.request.messages",
        "gen_ai.response.messages",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.prompt.0.content",
        "llm.output_messages.0.message.content",
        "llm.input_messages.0.message.content",
        "llm.invocation_parameters",
        "langchain.prompt",
        "output.value",
        "input.value",
        "model_request_parameters",
        "logfire.json_schema",
        "ai.response.text",
        "ai.prompt.messages",
        "embedding.embeddings.0.embedding.text",
        "llm.tools.0.tool.json_schema",
        "tool.parameters",
        "tool.json_schema",
        "gen_ai.tool.definitions",
        "gen_ai.tool.call.arguments",
        "gen_ai.system_instructions",
        "langchain.tool.input",
        "langchain.tool.output",
        "langchain.retriever.query",
        "ai.toolCall.args",
        "ai.response.object",
        "exception.message",
        "retrieval.documents.0.document.content",
        "prompt",
    ]
    .into_iter()
    .map(|key| KeyValue::new(key, "CONTENT-THAT-STAYS"))
    .collect()
}

fn record_contents(guard: &TraceGuard) {
    use opentelemetry::trace::{Span, Status};
    let tracer = guard.provider().tracer("elsewhere");
    let mut span =
        tracer.span_builder("call").with_attributes(contents()).start_with_context(&tracer, &Context::current());
    // Also what is set later, and on events.
    span.set_attribute(KeyValue::new("gen_ai.output.messages", "CONTENT-THAT-STAYS, set late"));
    span.add_event("CONTENT-THAT-STAYS as an event's name", contents());
    span.add_event(
        "exception",
        vec![KeyValue::new("exception.type", "Timeout"), KeyValue::new("exception.message", "CONTENT-THAT-STAYS")],
    );
    span.set_status(Status::error("CONTENT-THAT-STAYS"));
    for key in ["token", "api.key", "authorization", "gen_ai.system"] {
        span.set_attribute(KeyValue::new(key, "Bearer paid_very_secret_key"));
    }
    span.add_event("paid_very_secret_key", vec![]);
    span.set_attribute(KeyValue::new("gen_ai.request.model", "gpt-4o"));
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

#[tokio::test]
async fn no_content_and_no_key_is_in_the_bytes_that_leave() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    guard.scope().customer("acme").run(async { record_contents(&guard) }).await;
    let spans = spans(&emulator, &guard).await;
    for body in emulator.span_requests() {
        assert!(!contains(&body, "CONTENT-THAT-STAYS"));
        assert!(!contains(&body, "paid_very_secret_key"));
    }
    let call = named(&spans, "paid.trace.call");
    assert_eq!(call.attribute("gen_ai.request.model"), "gpt-4o", "measurements leave");
    assert_eq!(call.events.len(), 1);
    assert_eq!(call.events[0].1["exception.type"], "Timeout");
    assert_eq!(call.status, 2);
}

#[tokio::test]
async fn contents_leave_where_the_scope_says_so_and_the_key_never() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    guard.scope().customer("acme").store_prompts(true).run(async { record_contents(&guard) }).await;
    let spans = spans(&emulator, &guard).await;
    let call = named(&spans, "paid.trace.call");
    assert_eq!(call.attribute("gen_ai.completion"), "CONTENT-THAT-STAYS");
    assert!(emulator.span_requests().iter().all(|body| !contains(body, "paid_very_secret_key")));
}

#[tokio::test]
async fn a_signal_takes_the_costs_of_its_scope_and_the_next_ones_begin_anew() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    let emitter = paid::Emitter::new(emulator.client()).unwrap();
    guard
        .scope()
        .customer("acme")
        .emitter(emitter.clone())
        .run(async {
            genai("openai", Operation::Chat).attribute("n", 1_i64).start().finish();
            let own = json!({"own": true});
            paid::emit(Signal::new("email_sent").field("paid", &own).field("a", &1).cost_attributed());
            genai("openai", Operation::Chat).attribute("n", 2_i64).start().finish();
            paid::emit(Signal::new("plain"));
            genai("openai", Operation::Chat).attribute("n", 3_i64).start().finish();
            let _ = emitter.send(Signal::new("meeting_booked").cost_attributed()).await.unwrap();
        })
        .await;
    emitter.flush(10 * SECOND).await.unwrap();
    let spans = spans(&emulator, &guard).await;
    let scope_id =
        |n: i64| spans.iter().find(|span| span.attribute("n") == n).unwrap().attribute("paid_scope_id").clone();
    assert_ne!(scope_id(1), scope_id(2));
    assert_eq!(scope_id(2), scope_id(3), "a signal without attribution renews nothing");
    let signals: Vec<Value> = emulator
        .requests()
        .into_iter()
        .flat_map(|request| request.body["signals"].as_array().cloned().unwrap_or_default())
        .collect();
    let data = |name: &str| signals.iter().find(|signal| signal["eventName"] == name).unwrap()["data"].clone();
    assert_eq!(data("email_sent"), json!({"a": 1, "paid": {"own": true, "paid_scope_id": scope_id(1)}}));
    assert_eq!(data("meeting_booked"), json!({"paid": {"paid_scope_id": scope_id(2)}}));
    assert_eq!(data("plain"), Value::Null);
    assert_eq!(guard.stats().repeated_attributions, 1, "counted, and warned of");
}

#[tokio::test]
async fn a_signal_that_is_refused_leaves_its_costs_to_the_next() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    let emitter = paid::Emitter::new(emulator.client()).unwrap();
    emitter.shutdown(SECOND).await.unwrap();
    let recorder = paid::testing::Recorder::new();
    guard
        .scope()
        .customer("acme")
        .run(async {
            assert!(emitter.send(Signal::new("lost").cost_attributed()).await.is_err());
            genai("openai", Operation::Chat).start().finish();
            recorder.run_sync(|| paid::emit(Signal::new("next").cost_attributed()));
        })
        .await;
    let spans = spans(&emulator, &guard).await;
    let root = named(&spans, "paid.trace.parent_span");
    assert!(spans.iter().all(|span| span.attribute("paid_scope_id") == root.attribute("paid_scope_id")));
    assert_eq!(recorder.signals()[0].to_json()["data"]["paid"]["paid_scope_id"], *root.attribute("paid_scope_id"));
}

#[tokio::test]
async fn signals_go_over_the_collector_where_they_are_to() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    guard
        .scope()
        .customer("acme")
        .product("ai-sdr")
        .emitter(guard.signals())
        .run(async {
            paid::emit(Signal::new("email_sent").field("text", "grüße").cost_attributed());
        })
        .await;
    // Outside any scope, a signal that says whose it is stands alone.
    paid::testing::Recorder::new().run_sync(|| ());
    paid::scope().emitter(guard.signals()).run_sync(|| {
        paid::emit(Signal::new("alone").customer("other"));
        // Nobody's, by Paid's id, and with a unit: reported, not sent.
        paid::emit(Signal::new("nobodys"));
        paid::emit(Signal::new("by_paids_id").customer(CustomerId::from("cus_1")));
        paid::emit(Signal::new("of_a_unit").customer("other").unit("sales"));
    });
    let spans = spans(&emulator, &guard).await;
    let signals: Vec<_> = spans.iter().filter(|span| span.name == "paid.trace.signal").collect();
    assert_eq!(signals.len(), 2);
    let (email, alone) = (signals[0], signals[1]);
    let root = named(&spans, "paid.trace.parent_span");
    assert_eq!((email.status, &email.parent_span_id, &email.trace_id), (1, &root.span_id, &root.trace_id));
    assert_eq!(email.attribute("event_name"), "email_sent");
    let data: Value = serde_json::from_str(email.attribute("data").as_str().unwrap()).unwrap();
    assert_eq!(data, json!({"text": "grüße", "paid": {"enable_cost_tracing": true}}));
    assert_eq!(email.attribute("external_agent_id"), "ai-sdr");
    assert_eq!(alone.attribute("external_customer_id"), "other");
    assert_eq!(alone.attribute("external_agent_id"), &Value::Null);
    assert_eq!(guard.stats().refused_signals, 3);
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

#[tokio::test]
async fn an_outage_of_the_collector_is_sat_out() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    for fault in [Fault::status(503), Fault::drop_connection(), Fault::status(429).header("retry-after", "0")] {
        emulator.fault(fault.operation("traces"));
    }
    guard.scope().customer("acme").run(async {}).await;
    assert_eq!(spans(&emulator, &guard).await.len(), 1);
    let stats = guard.stats();
    assert_eq!((stats.exported, stats.requests, stats.retries, stats.dropped), (1, 4, 3, 0));
}

#[tokio::test]
async fn what_the_collector_refuses_is_counted_and_takes_no_other_span_along() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    // A batch of four, refused; then its first half, and of that the first span alone.
    emulator.fault(Fault::status(400).operation("traces").times(3));
    for _ in 0..4 {
        guard.scope().customer("acme").run_sync(|| ());
    }
    assert_eq!(spans(&emulator, &guard).await.len(), 3);
    assert_eq!((guard.stats().exported, guard.stats().rejected), (3, 1));
    // A partial success is no success.
    emulator.refuse_spans(1);
    guard.scope().customer("acme").run_sync(|| ());
    guard.flush(10 * SECOND).await.unwrap();
    assert_eq!((guard.stats().exported, guard.stats().rejected), (3, 2));
    // A key that is refused says nothing about the spans.
    emulator.fault(Fault::status(403).operation("traces"));
    guard.scope().customer("acme").run_sync(|| ());
    guard.flush(10 * SECOND).await.unwrap();
    assert_eq!((guard.stats().exported, guard.stats().rejected), (4, 2));
}

#[tokio::test]
async fn a_collector_that_hangs_holds_nobody_up_and_what_finds_no_room_is_counted() {
    let emulator = Emulator::start().await.unwrap();
    emulator.fault(Fault::latency(60 * SECOND).operation("traces").times(1000));
    let builder = paid::trace::builder().api_key("paid_x").endpoint(emulator.collector_url()).enabled(true);
    let guard = builder.queue(100).max_batch(10).patience(Duration::from_millis(300)).build().unwrap();
    let begun = Instant::now();
    for _ in 0..1_000 {
        guard.scope().customer("acme").run_sync(|| ());
    }
    // Signals take the place of other spans.
    let scope = guard.scope().customer("acme").emitter(guard.signals());
    scope.run_sync(|| (0..20).for_each(|_| paid::emit(Signal::new("email_sent"))));
    assert!(begun.elapsed() < 30 * SECOND, "far less than one hanging request");
    let stats = guard.stats();
    assert_eq!(stats.ended, 1_021);
    assert!(stats.dropped >= 1_021 - 110 && stats.dropped_signals == 0, "{stats:?}");
    assert_eq!(stats.queued(), stats.ended - stats.dropped);
    assert!(guard.flush(Duration::from_millis(50)).await.is_err());
    let before_end = Instant::now();
    let left = guard.shutdown(Duration::from_millis(300)).await.unwrap_err();
    assert!(left.left > 0 && before_end.elapsed() < 5 * SECOND, "{left}");
    let stats = guard.stats();
    assert_eq!((stats.queued(), stats.dropped), (0, stats.ended), "nothing is unaccounted for");
    assert_eq!(stats.dropped_signals, 20);
}

/// A long wait before the next attempt must not cost what could still be sent.
#[tokio::test]
async fn the_end_cuts_waits_short_and_tries_once_more() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    emulator.fault(Fault::status(503).operation("traces").header("retry-after", "25"));
    guard.scope().customer("acme").run_sync(|| ());
    assert!(guard.flush(SECOND).await.is_err(), "it waits");
    guard.shutdown(2 * SECOND).await.unwrap();
    assert_eq!((emulator.spans().len(), guard.stats().dropped), (1, 0));
}

#[tokio::test]
async fn dropping_the_guard_sends_what_is_queued() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    guard.scope().customer("acme").run_sync(|| ());
    tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();
    assert_eq!(emulator.spans().len(), 1);
}

#[tokio::test]
async fn simple_export_sends_each_span_at_once() {
    let emulator = Emulator::start().await.unwrap();
    let builder = paid::trace::builder().api_key("paid_x").endpoint(emulator.collector_url()).enabled(true);
    let guard = builder.export(Export::Simple).build().unwrap();
    for _ in 0..3 {
        guard.scope().customer("acme").run_sync(|| ());
    }
    let spans = spans(&emulator, &guard).await;
    assert_eq!((spans.len(), emulator.span_requests().len()), (3, 3));
    assert_eq!(spans[0].attribute("paid_span_processor_mode"), "simple");
}

#[tokio::test]
async fn turned_off_everything_runs_and_nothing_leaves() {
    let emulator = Emulator::start().await.unwrap();
    let builder = paid::trace::builder().endpoint(emulator.collector_url()).enabled(false);
    let guard = builder.build().unwrap();
    assert!(!guard.is_enabled());
    let scope = guard.scope().customer("acme").emitter(guard.signals());
    let output = scope
        .run(async {
            paid::emit(Signal::new("email_sent").cost_attributed());
            genai("openai", Operation::Chat).start().finish();
            7
        })
        .await;
    assert_eq!(output, 7);
    guard.flush(SECOND).await.unwrap();
    guard.shutdown(SECOND).await.unwrap();
    assert!(emulator.span_requests().is_empty());
}

#[test]
fn what_cannot_be_used_is_refused_at_the_start_without_showing_the_key() {
    let builder = || paid::trace::builder().enabled(true).api_key("paid_very_secret_key");
    for endpoint in ["http://collector.test:4318/v1/traces", "ftp://x", "no url", "https://u:p@x/v1/traces"] {
        let error = builder().endpoint(endpoint).build().unwrap_err().to_string();
        assert!(error.contains("collector"), "{error}");
        assert!(!error.contains("u:p"));
    }
    assert!(paid::trace::builder().enabled(true).api_key("not a key").build().is_err());
    let shown = format!("{:?}", builder());
    assert!(!shown.contains("secret"), "{shown}");
}
