//! What people and models said stays here, and the key never leaves.

use super::*;

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
