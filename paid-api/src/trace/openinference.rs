//! Translates other crates' spans to one dialect: OpenInference's `llm.*` attributes and the newest conventions' cache
//! counts become the `gen_ai.*` attributes that Paid's own clients send. Input tokens exclude cached tokens in all of
//! them.

use opentelemetry::{Key, KeyValue, Value};

/// Rewrites a span's attributes in place.
pub(super) fn unify(attributes: &mut Vec<KeyValue>) {
    let is_foreign = |attribute: &KeyValue| {
        let key = attribute.key.as_str();
        key.starts_with("llm.") || key.starts_with("embedding.") || key.starts_with("gen_ai.usage.cache_")
    };
    if !attributes.iter().any(is_foreign) {
        return;
    }
    names(attributes);
    openinference_counts(attributes);
    newest_counts(attributes);
}

/// Model and provider, unless they are already given.
fn names(attributes: &mut Vec<KeyValue>) {
    for (from, to) in [
        ("llm.model_name", "gen_ai.response.model"),
        ("embedding.model_name", "gen_ai.response.model"),
        ("llm.provider", "gen_ai.system"),
        ("llm.system", "gen_ai.system"),
    ] {
        if let (Some(value), None) = (get(attributes, from), get(attributes, to)) {
            let value = value.clone();
            attributes.push(KeyValue::new(to, value));
        }
    }
}

/// `llm.token_count.prompt` includes cached tokens.
fn openinference_counts(attributes: &mut Vec<KeyValue>) {
    let count = |key| get(attributes, key).and_then(number);
    let prompt = count("llm.token_count.prompt");
    let completion = count("llm.token_count.completion");
    if prompt.is_none() && completion.is_none() {
        return;
    }
    let cached = count("llm.token_count.prompt_details.cache_read");
    let written = count("llm.token_count.prompt_details.cache_write");
    let reasoning = count("llm.token_count.completion_details.reasoning");
    attributes.retain(|attribute| !attribute.key.as_str().starts_with("llm.token_count."));
    if get(attributes, "gen_ai.usage.input_tokens").is_some() || get(attributes, "gen_ai.usage.output_tokens").is_some()
    {
        // Already counted in the other dialect.
        return;
    }
    let input = prompt.map(|prompt| (prompt - cached.unwrap_or(0) - written.unwrap_or(0)).max(0));
    for (key, value) in [
        ("gen_ai.usage.input_tokens", input),
        ("gen_ai.usage.output_tokens", completion),
        ("gen_ai.usage.cached_input_tokens", cached),
        ("gen_ai.usage.cache_creation_input_tokens", written),
        ("gen_ai.usage.reasoning_output_tokens", reasoning),
    ] {
        attributes.extend(value.map(|value| KeyValue::new(key, value)));
    }
}

/// The newest conventions have counts of cached tokens, and include them in the input tokens.
fn newest_counts(attributes: &mut Vec<KeyValue>) {
    const CACHED: &str = "gen_ai.usage.cache_read.input_tokens";
    const WRITTEN: &str = "gen_ai.usage.cache_creation.input_tokens";
    let cached = get(attributes, CACHED).and_then(number);
    let written = get(attributes, WRITTEN).and_then(number);
    if cached.is_none() && written.is_none() {
        return;
    }
    attributes.retain(|attribute| !matches!(attribute.key.as_str(), CACHED | WRITTEN));
    for attribute in attributes.iter_mut().filter(|attribute| attribute.key.as_str() == "gen_ai.usage.input_tokens") {
        if let Some(input) = number(&attribute.value) {
            attribute.value = (input - cached.unwrap_or(0) - written.unwrap_or(0)).max(0).into();
        }
    }
    let new = [("gen_ai.usage.cached_input_tokens", cached), ("gen_ai.usage.cache_creation_input_tokens", written)];
    attributes.extend(new.into_iter().filter_map(|(key, value)| Some(KeyValue::new(key, value?))));
}

/// The last value that was set.
fn get<'a>(attributes: &'a [KeyValue], key: &'static str) -> Option<&'a Value> {
    let key = Key::from_static_str(key);
    attributes.iter().rev().find(|attribute| attribute.key == key).map(|attribute| &attribute.value)
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::I64(number) => Some(*number),
        Value::String(text) => text.as_str().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unified(given: &[(&'static str, i64)]) -> Vec<(String, i64)> {
        let mut attributes: Vec<_> = given.iter().map(|(key, value)| KeyValue::new(*key, *value)).collect();
        unify(&mut attributes);
        let mut all: Vec<_> = attributes
            .iter()
            .map(|attribute| (attribute.key.as_str().to_owned(), number(&attribute.value).unwrap()))
            .collect();
        all.sort();
        all
    }

    #[test]
    fn openinference_input_leaves_out_what_the_cache_had() {
        let all = unified(&[
            ("llm.token_count.prompt", 12),
            ("llm.token_count.completion", 7),
            ("llm.token_count.total", 19),
            ("llm.token_count.prompt_details.cache_read", 4),
            ("llm.token_count.prompt_details.cache_write", 3),
        ]);
        assert_eq!(
            all,
            [
                ("gen_ai.usage.cache_creation_input_tokens".to_owned(), 3),
                ("gen_ai.usage.cached_input_tokens".to_owned(), 4),
                ("gen_ai.usage.input_tokens".to_owned(), 5),
                ("gen_ai.usage.output_tokens".to_owned(), 7),
            ]
        );
    }

    #[test]
    fn what_is_counted_in_both_dialects_counts_once() {
        let all = unified(&[("llm.token_count.prompt", 12), ("gen_ai.usage.input_tokens", 5)]);
        assert_eq!(all, [("gen_ai.usage.input_tokens".to_owned(), 5)]);
    }

    #[test]
    fn the_newest_conventions_are_read_too() {
        let all = unified(&[("gen_ai.usage.input_tokens", 100), ("gen_ai.usage.cache_read.input_tokens", 60)]);
        assert_eq!(
            all,
            [("gen_ai.usage.cached_input_tokens".to_owned(), 60), ("gen_ai.usage.input_tokens".to_owned(), 40)]
        );
    }

    #[test]
    fn model_and_provider_have_one_name() {
        let mut attributes = vec![KeyValue::new("llm.model_name", "m"), KeyValue::new("llm.provider", "openai")];
        unify(&mut attributes);
        assert_eq!(get(&attributes, "gen_ai.response.model").unwrap().as_str(), "m");
        assert_eq!(get(&attributes, "gen_ai.system").unwrap().as_str(), "openai");
    }
}
