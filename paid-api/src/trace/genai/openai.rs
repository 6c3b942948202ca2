//! The types of `async-openai`.

use async_openai::types::chat::{CompletionUsage, CreateChatCompletionResponse, CreateChatCompletionStreamResponse};
use async_openai::types::embeddings::CreateEmbeddingResponse;
use async_openai::types::responses::{Response, ResponseStreamEvent};

use super::usage::{ReadUsage, Reading, Usage};

fn chat(usage: Option<&CompletionUsage>) -> Usage {
    let Some(usage) = usage else { return Usage::new() };
    let cached = usage.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens);
    let reasoning = usage.completion_tokens_details.as_ref().and_then(|details| details.reasoning_tokens);
    Usage {
        output_tokens: Some(usage.completion_tokens.into()),
        reasoning_output_tokens: reasoning.map(Into::into),
        ..Usage::new()
    }
    .with_cached_included(Some(usage.prompt_tokens.into()), cached.map(Into::into))
}

impl ReadUsage for CreateChatCompletionResponse {
    fn read_usage(&self, reading: &mut Reading) {
        reading.update(Some(&self.model), Some(&self.id), chat(self.usage.as_ref()));
    }
}

/// The last chunk has the usage, if `stream_options.include_usage` is set.
impl ReadUsage for CreateChatCompletionStreamResponse {
    fn read_usage(&self, reading: &mut Reading) {
        reading.update(Some(&self.model), Some(&self.id), chat(self.usage.as_ref()));
    }
}

impl ReadUsage for Response {
    fn read_usage(&self, reading: &mut Reading) {
        let usage = self.usage.as_ref().map_or_else(Usage::new, |usage| {
            Usage {
                output_tokens: Some(usage.output_tokens.into()),
                reasoning_output_tokens: Some(usage.output_tokens_details.reasoning_tokens.into()),
                ..Usage::new()
            }
            .with_cached_included(
                Some(usage.input_tokens.into()),
                Some(usage.input_tokens_details.cached_tokens.into()),
            )
        });
        reading.update(Some(&self.model), Some(&self.id), usage);
    }
}

/// The last event has the usage.
impl ReadUsage for ResponseStreamEvent {
    fn read_usage(&self, reading: &mut Reading) {
        match self {
            Self::ResponseCompleted(event) => event.response.read_usage(reading),
            Self::ResponseIncomplete(event) => event.response.read_usage(reading),
            Self::ResponseFailed(event) => event.response.read_usage(reading),
            _ => {}
        }
    }
}

impl ReadUsage for CreateEmbeddingResponse {
    fn read_usage(&self, reading: &mut Reading) {
        let usage = Usage { input_tokens: Some(self.usage.prompt_tokens.into()), ..Usage::new() };
        reading.update(Some(&self.model), None, usage);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: ReadUsage + serde::de::DeserializeOwned>(bodies: &[serde_json::Value]) -> Reading {
        let mut reading = Reading::default();
        for body in bodies {
            serde_json::from_value::<T>(body.clone()).unwrap().read_usage(&mut reading);
        }
        reading
    }

    #[test]
    fn a_chat_and_its_stream_say_the_same_as_their_json() {
        let body = json!({"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [],
            "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15,
                      "prompt_tokens_details": {"cached_tokens": 8}}});
        let expected =
            Usage { input_tokens: Some(4), output_tokens: Some(3), cached_input_tokens: Some(8), ..Usage::new() };
        assert_eq!(read::<CreateChatCompletionResponse>(std::slice::from_ref(&body)).usage, expected);
        let mut first = body.clone();
        (first["object"], first["usage"]) = (json!("chat.completion.chunk"), json!(null));
        let mut last = body;
        last["object"] = json!("chat.completion.chunk");
        let reading = read::<CreateChatCompletionStreamResponse>(&[first, last]);
        assert_eq!((reading.usage, reading.id.as_deref()), (expected, Some("c1")));
    }

    #[test]
    fn a_response_and_its_stream_say_the_same() {
        let body = json!({"id": "r1", "object": "response", "created_at": 1, "model": "gpt-5", "status": "completed",
            "output": [],
            "usage": {"input_tokens": 12, "input_tokens_details": {"cached_tokens": 2}, "output_tokens": 3,
                      "output_tokens_details": {"reasoning_tokens": 1}, "total_tokens": 15}});
        let expected = Usage {
            input_tokens: Some(10),
            output_tokens: Some(3),
            cached_input_tokens: Some(2),
            reasoning_output_tokens: Some(1),
            ..Usage::new()
        };
        assert_eq!(read::<Response>(std::slice::from_ref(&body)).usage, expected);
        let event = json!({"type": "response.completed", "sequence_number": 4, "response": body});
        assert_eq!(read::<ResponseStreamEvent>(&[event]).usage, expected);
    }

    #[test]
    fn embeddings_have_input_only() {
        let body =
            json!({"object": "list", "model": "e", "data": [], "usage": {"prompt_tokens": 8, "total_tokens": 8}});
        assert_eq!(read::<CreateEmbeddingResponse>(&[body]).usage, Usage { input_tokens: Some(8), ..Usage::new() });
    }
}
