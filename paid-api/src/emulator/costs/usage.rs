//! Token counts, as attributes have them and as cost records do.

use serde_json::Value;

use crate::JsonObject;

/// The attributes of usage, and what a cost record calls them.
const TOKENS: [(&str, &str); 5] = [
    ("gen_ai.usage.input_tokens", "inputTokens"),
    ("gen_ai.usage.output_tokens", "outputTokens"),
    ("gen_ai.usage.cached_input_tokens", "cacheReadInputTokens"),
    ("gen_ai.usage.cache_creation_input_tokens", "cacheCreationInputTokens"),
    ("gen_ai.usage.reasoning_output_tokens", "reasoningOutputTokens"),
];

/// The token counts among these attributes, as a cost record has them.
pub(in crate::emulator) fn usage<'a>(attribute: impl Fn(&str) -> Option<&'a Value>) -> JsonObject {
    let counts = TOKENS.iter().filter_map(|(key, name)| Some(((*name).to_owned(), attribute(key)?.clone())));
    counts.filter(|(_, count)| count.is_u64()).collect()
}
