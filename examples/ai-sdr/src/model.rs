//! A stand-in for the model that writes the e-mails; it answers in the format of OpenAI's chat completions. A real
//! sales rep would call a model here, and the rest would stay the same.

use serde_json::{Value, json};

/// The model that is requested.
pub(crate) const MODEL: &str = "gpt-4o-mini";

/// This stand-in never fails; a real model can.
#[derive(Debug, thiserror::Error)]
#[error("the model did not answer")]
pub(crate) struct NoAnswer;

/// Asks for a text of about this many words; longer texts cost more.
pub(crate) async fn ask(lead: u32, words: u32) -> Result<Value, NoAnswer> {
    let (prompt, cached, completion) = (900 + lead, 512, words * 4 / 3);
    Ok(json!({
        "id": format!("chatcmpl-{lead}-{words}"),
        "object": "chat.completion",
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Dear lead, ..."}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached}
        }
    }))
}
