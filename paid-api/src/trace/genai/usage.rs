//! The tokens of a call, with the same meaning for every provider.

use opentelemetry::KeyValue;

/// The tokens of one call of a model. No input token is counted in two fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input tokens that were neither read from the cache nor written to it.
    pub input_tokens: Option<u64>,
    /// Output tokens, including those spent on reasoning.
    pub output_tokens: Option<u64>,
    /// Input tokens read from the cache.
    pub cached_input_tokens: Option<u64>,
    /// Input tokens written to the cache.
    pub cache_creation_input_tokens: Option<u64>,
    /// Of the output tokens, those spent on reasoning.
    pub reasoning_output_tokens: Option<u64>,
}

impl Usage {
    /// Starts with no token counted; unknown is not zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the input tokens from a count that includes the cached ones, as OpenAI's does.
    #[must_use]
    pub fn with_cached_included(mut self, input: Option<u64>, cached: Option<u64>) -> Self {
        self.input_tokens = input.map(|input| input.saturating_sub(cached.unwrap_or(0)));
        self.cached_input_tokens = cached;
        self
    }

    /// Replaces the counts that a later chunk has.
    pub(super) fn update(&mut self, later: Self) {
        let Self {
            input_tokens,
            output_tokens,
            cached_input_tokens,
            cache_creation_input_tokens,
            reasoning_output_tokens,
        } = later;
        for (known, new) in [
            (&mut self.input_tokens, input_tokens),
            (&mut self.output_tokens, output_tokens),
            (&mut self.cached_input_tokens, cached_input_tokens),
            (&mut self.cache_creation_input_tokens, cache_creation_input_tokens),
            (&mut self.reasoning_output_tokens, reasoning_output_tokens),
        ] {
            *known = new.or(*known);
        }
    }
}

/// What was read from an answer by [`ReadUsage`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// The model that answered.
    pub model: Option<String>,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The tokens.
    pub usage: Usage,
}

impl Reading {
    /// Replaces the values that a chunk has; the others stay.
    pub fn update(&mut self, model: Option<&str>, id: Option<&str>, usage: Usage) {
        for (known, new) in [(&mut self.model, model), (&mut self.id, id)] {
            if let Some(new) = new.filter(|new| known.as_deref() != Some(*new)) {
                *known = Some(new.to_owned());
            }
        }
        self.usage.update(usage);
    }

    pub(super) fn attributes(&self) -> Vec<KeyValue> {
        let mut attributes = Vec::with_capacity(7);
        for (key, text) in [("gen_ai.response.model", &self.model), ("gen_ai.response.id", &self.id)] {
            attributes.extend(text.clone().map(|text| KeyValue::new(key, text)));
        }
        let usage = &self.usage;
        for (key, count) in [
            ("gen_ai.usage.input_tokens", usage.input_tokens),
            ("gen_ai.usage.output_tokens", usage.output_tokens),
            ("gen_ai.usage.cached_input_tokens", usage.cached_input_tokens),
            ("gen_ai.usage.cache_creation_input_tokens", usage.cache_creation_input_tokens),
            ("gen_ai.usage.reasoning_output_tokens", usage.reasoning_output_tokens),
        ] {
            attributes.extend(count.map(|count| KeyValue::new(key, i64::try_from(count).unwrap_or(i64::MAX))));
        }
        attributes
    }
}

/// An answer of a model, or a chunk of one, that states its usage. The types of `async-openai` implement it with the
/// feature of that name; for raw JSON see [`read`](super::read).
pub trait ReadUsage {
    /// Records the model, id and usage that it states.
    fn read_usage(&self, reading: &mut Reading);
}
