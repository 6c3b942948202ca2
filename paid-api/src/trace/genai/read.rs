//! Functions that read the model and usage from the raw JSON of an answer, or of one event of a streamed answer.
//!
//! They follow the providers' public documentation. A value that is missing is not recorded: a body without usage is
//! not an error.

use serde_json::Value;

use super::usage::{Reading, Usage};

fn count(object: &Value, path: &str) -> Option<u64> {
    object.pointer(path).and_then(Value::as_u64)
}

fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// Reads OpenAI's Chat Completions: a response, or a chunk (the last one has the usage, if
/// `stream_options.include_usage` is set). `prompt_tokens` includes cached tokens; the result counts them separately.
/// OpenAI's embeddings have the same shape.
pub fn openai_chat(body: &Value, reading: &mut Reading) {
    let usage = body.get("usage").unwrap_or(&Value::Null);
    let counted = Usage {
        output_tokens: count(usage, "/completion_tokens"),
        reasoning_output_tokens: count(usage, "/completion_tokens_details/reasoning_tokens"),
        ..Usage::new()
    }
    .with_cached_included(count(usage, "/prompt_tokens"), count(usage, "/prompt_tokens_details/cached_tokens"));
    reading.update(text(body, "model"), text(body, "id"), counted);
}

/// Reads OpenAI's Responses: a response, or an event of a stream (`response.completed` has the usage). `input_tokens`
/// includes cached tokens; the result counts them separately.
pub fn openai_responses(body: &Value, reading: &mut Reading) {
    let body = body.get("response").unwrap_or(body);
    if !body.is_object() || (text(body, "model").is_none() && body.get("usage").is_none()) {
        return;
    }
    let usage = body.get("usage").unwrap_or(&Value::Null);
    let counted = Usage {
        output_tokens: count(usage, "/output_tokens"),
        reasoning_output_tokens: count(usage, "/output_tokens_details/reasoning_tokens"),
        ..Usage::new()
    }
    .with_cached_included(count(usage, "/input_tokens"), count(usage, "/input_tokens_details/cached_tokens"));
    reading.update(text(body, "model"), text(body, "id"), counted);
}

/// Reads Anthropic's Messages: a message, or an event of a stream (`message_start` has the input, `message_delta` the
/// output so far). `input_tokens` excludes cached tokens.
pub fn anthropic_messages(body: &Value, reading: &mut Reading) {
    let message = body.get("message").unwrap_or(body);
    let usage = message.get("usage").unwrap_or(&Value::Null);
    let counted = Usage {
        input_tokens: count(usage, "/input_tokens"),
        output_tokens: count(usage, "/output_tokens"),
        cached_input_tokens: count(usage, "/cache_read_input_tokens"),
        cache_creation_input_tokens: count(usage, "/cache_creation_input_tokens"),
        reasoning_output_tokens: None,
    };
    // Content blocks have their own ids.
    let is_message = text(message, "role").is_some() || text(message, "model").is_some();
    let id = if is_message { text(message, "id") } else { None };
    reading.update(text(message, "model"), id, counted);
}

/// Reads Bedrock's Converse: a response, or an event of a stream (`metadata` has the usage). `inputTokens` excludes
/// cached tokens. The response does not name the model.
pub fn bedrock_converse(body: &Value, reading: &mut Reading) {
    let body = body.get("metadata").filter(|metadata| metadata.get("usage").is_some()).unwrap_or(body);
    let usage = body.get("usage").unwrap_or(&Value::Null);
    let counted = Usage {
        input_tokens: count(usage, "/inputTokens"),
        output_tokens: count(usage, "/outputTokens"),
        cached_input_tokens: count(usage, "/cacheReadInputTokens")
            .or_else(|| count(usage, "/cacheReadInputTokensCount")),
        cache_creation_input_tokens: count(usage, "/cacheWriteInputTokens")
            .or_else(|| count(usage, "/cacheWriteInputTokensCount")),
        reasoning_output_tokens: None,
    };
    reading.update(None, None, counted);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(read: fn(&Value, &mut Reading), bodies: &[Value]) -> Reading {
        let mut reading = Reading::default();
        for body in bodies {
            read(body, &mut reading);
        }
        reading
    }

    fn usage(input: u64, output: u64) -> Usage {
        Usage { input_tokens: Some(input), output_tokens: Some(output), ..Usage::new() }
    }

    #[test]
    fn openai_chat_keeps_cached_tokens_apart() {
        let body = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-2024-08-06",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
            "usage": {
                "prompt_tokens": 1200, "completion_tokens": 80, "total_tokens": 1280,
                "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 64}
            }
        });
        let reading = read(openai_chat, &[body]);
        assert_eq!(reading.model.as_deref(), Some("gpt-4o-2024-08-06"));
        assert_eq!(reading.id.as_deref(), Some("chatcmpl-1"));
        let expected = Usage { cached_input_tokens: Some(1024), reasoning_output_tokens: Some(64), ..usage(176, 80) };
        assert_eq!(reading.usage, expected);
    }

    #[test]
    fn a_streamed_chat_has_its_usage_in_the_last_chunk() {
        let chunk = |content: &str| {
            json!({"id": "c1", "object": "chat.completion.chunk", "model": "gpt-4o", "usage": null,
                   "choices": [{"index": 0, "delta": {"content": content}}]})
        };
        let last = json!({"id": "c1", "model": "gpt-4o", "choices": [],
                          "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}});
        let reading = read(openai_chat, &[chunk("he"), chunk("llo"), last]);
        assert_eq!(reading.usage, usage(10, 5));
    }

    #[test]
    fn embeddings_have_input_only() {
        let body = json!({"object": "list", "data": [], "model": "text-embedding-3-small",
                          "usage": {"prompt_tokens": 8, "total_tokens": 8}});
        let reading = read(openai_chat, &[body]);
        assert_eq!(reading.usage, Usage { input_tokens: Some(8), ..Usage::new() });
    }

    #[test]
    fn openai_responses_whole_and_streamed_say_the_same() {
        let response = json!({
            "id": "resp_1", "object": "response", "model": "gpt-5", "status": "completed",
            "usage": {"input_tokens": 50, "input_tokens_details": {"cached_tokens": 20}, "output_tokens": 9,
                      "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 59}
        });
        let mut begun = response.clone();
        begun["usage"] = Value::Null;
        let stream = [
            json!({"type": "response.created", "response": begun}),
            json!({"type": "response.output_text.delta", "item_id": "msg_1", "delta": "hi"}),
            json!({"type": "response.completed", "response": response}),
        ];
        let expected = Usage { cached_input_tokens: Some(20), reasoning_output_tokens: Some(4), ..usage(30, 9) };
        for reading in [read(openai_responses, &[response]), read(openai_responses, &stream)] {
            assert_eq!(reading.usage, expected);
            assert_eq!((reading.model.as_deref(), reading.id.as_deref()), (Some("gpt-5"), Some("resp_1")));
        }
    }

    #[test]
    fn anthropic_messages_whole_and_streamed_say_the_same() {
        let message = json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
            "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 5, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 3,
                      "output_tokens": 17}
        });
        let mut begun = message.clone();
        begun["usage"]["output_tokens"] = json!(1);
        let stream = [
            json!({"type": "message_start", "message": begun}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "toolu_1"}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}}),
            json!({"type": "ping"}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 17}}),
            json!({"type": "message_stop"}),
        ];
        let expected = Usage { cached_input_tokens: Some(4), cache_creation_input_tokens: Some(3), ..usage(5, 17) };
        for reading in [read(anthropic_messages, &[message]), read(anthropic_messages, &stream)] {
            assert_eq!(reading.usage, expected);
            assert_eq!((reading.model.as_deref(), reading.id.as_deref()), (Some("claude-sonnet-4-5"), Some("msg_1")));
        }
    }

    #[test]
    fn bedrock_converse_whole_and_streamed_say_the_same() {
        let usage_json = json!({"inputTokens": 30, "outputTokens": 12, "totalTokens": 42,
                                "cacheReadInputTokens": 7, "cacheWriteInputTokens": 2});
        let body = json!({"output": {"message": {"role": "assistant", "content": [{"text": "hi"}]}},
                          "stopReason": "end_turn", "usage": usage_json.clone(), "metrics": {"latencyMs": 1}});
        let stream = [
            json!({"messageStart": {"role": "assistant"}}),
            json!({"contentBlockDelta": {"delta": {"text": "hi"}, "contentBlockIndex": 0}}),
            json!({"messageStop": {"stopReason": "end_turn"}}),
            json!({"metadata": {"usage": usage_json, "metrics": {"latencyMs": 1}}}),
        ];
        let expected = Usage { cached_input_tokens: Some(7), cache_creation_input_tokens: Some(2), ..usage(30, 12) };
        for reading in [read(bedrock_converse, &[body]), read(bedrock_converse, &stream)] {
            assert_eq!(reading.usage, expected);
        }
    }

    #[test]
    fn what_is_no_answer_is_no_error() {
        for body in
            [Value::Null, json!([]), json!("text"), json!({"usage": 7}), json!({"usage": {"prompt_tokens": -1}})]
        {
            for function in [openai_chat, openai_responses, anthropic_messages, bedrock_converse] {
                assert_eq!(read(function, std::slice::from_ref(&body)), Reading::default(), "{body}");
            }
        }
    }
}
