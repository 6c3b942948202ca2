//! Which attributes hold what people and models said: the official clients' lists, and further keys that they miss.

/// Keys that contain one of these are content.
const PARTS: [&str; 43] = [
    // From the lists of the Python and Node clients.
    "gen_ai.completion",
    "gen_ai.request.messages",
    "gen_ai.response.messages",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.prompt",
    "llm.output_message",
    "llm.input_message",
    "llm.invocation_parameters",
    "langchain.prompt",
    "output.value",
    "input.value",
    "model_request_parameters",
    "logfire.json_schema",
    "ai.response.text",
    "ai.prompt",
    // Missing in both.
    "embedding.text",
    "embedding.vector",
    "llm.tools",
    "llm.prompt",
    "llm.completion",
    "llm.function_call",
    "message.content",
    "message.contents",
    "tool.parameters",
    "tool.json_schema",
    "tool.description",
    "tool_call.function.arguments",
    "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.system_instructions",
    "gen_ai.content",
    "langchain.tool.input",
    "langchain.tool.output",
    "langchain.retriever.query",
    "retrieval.documents",
    "document.content",
    "reranker.query",
    "reranker.input_documents",
    "reranker.output_documents",
    "ai.toolCall",
    "ai.response.object",
];

/// Further parts of keys, for errors: their texts may quote prompts.
const ERRORS: [&str; 6] = [
    "exception.message",
    "exception.stacktrace",
    "error.message",
    "exception.details",
    "traceloop.entity.",
    "error.stack",
];

/// Keys whose last segment is one of these are content; functions under `#[tracing::instrument]` record such arguments.
const ENDS: [&str; 21] = [
    "prompt",
    "prompts",
    "messages",
    "message",
    "input",
    "inputs",
    "output",
    "outputs",
    "completion",
    "content",
    "text",
    "query",
    "question",
    "answer",
    "arguments",
    "args",
    "response",
    "body",
    "error",
    "err",
    "err_msg",
];

/// Returns true if a value with this key is content.
pub(super) fn is_content(key: &str) -> bool {
    if PARTS.iter().chain(&ERRORS).any(|part| key.contains(part)) {
        return true;
    }
    let end = key.rsplit('.').next().unwrap_or(key);
    ENDS.contains(&end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_told_from_measurements() {
        for key in [
            "gen_ai.prompt.0.content",
            "llm.input_messages.0.message.content",
            "embedding.embeddings.3.embedding.text",
            "llm.tools.0.tool.json_schema",
            "tool.parameters",
            "gen_ai.tool.definitions",
            "langchain.retriever.query",
            "ai.toolCall.args",
            "ai.response.object",
            "exception.message",
            "prompt",
            "request.body",
        ] {
            assert!(is_content(key), "{key}");
        }
        for key in [
            "gen_ai.system",
            "gen_ai.request.model",
            "gen_ai.response.model",
            "gen_ai.response.id",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.cached_input_tokens",
            "llm.token_count.prompt_details.cache_read",
            "llm.model_name",
            "openinference.span.kind",
            "output.mime_type",
            "input.mime_type",
            "event_name",
            "data",
            "error.type",
        ] {
            assert!(!is_content(key), "{key}");
        }
    }
}
