//! A scope's metadata as span attributes: objects are flattened with dots, as in the Python client.

use opentelemetry::{Array, Key, KeyValue, StringValue, Value};
use serde::Serialize;
use serde_json::Value as Json;

use crate::{foreign, wire};

/// Adds `metadata.<key>`, or replaces it.
pub(crate) fn add<T: Serialize + ?Sized>(metadata: &mut Vec<KeyValue>, key: &str, value: &T) {
    let problem = match foreign::call(|| read(value)) {
        Ok(Ok(value)) => return flatten(metadata, format!("metadata.{key}"), &value),
        Ok(Err(problem)) => problem,
        Err(panic) => panic.to_string(),
    };
    foreign::log(|| tracing::warn!("metadata `{key}` cannot be written as JSON and is left out: {problem}"));
}

fn read<T: Serialize + ?Sized>(value: &T) -> Result<Json, String> {
    // JSON values are read in NaN's place: it becomes null, which is left out.
    match wire::check_json(value) {
        Err(problem @ wire::NotJson::TooDeep) => Err(problem.to_string()),
        _ => serde_json::to_value(value).map_err(|error| error.to_string()),
    }
}

fn flatten(metadata: &mut Vec<KeyValue>, key: String, value: &Json) {
    if let Json::Object(fields) = value {
        for (field, value) in fields {
            flatten(metadata, format!("{key}.{field}"), value);
        }
        return;
    }
    let Some(value) = plain(value) else { return };
    let key = Key::new(key);
    metadata.retain(|old| old.key != key);
    metadata.push(KeyValue::new(key, value));
}

/// A single value; `None` for null, which is left out.
fn plain(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null => return None,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::I64(integer),
            (None, Some(number)) => Value::F64(number),
            (None, None) => Value::String(number.to_string().into()),
        },
        Json::String(text) => Value::String(text.clone().into()),
        Json::Array(items) => array(items),
        Json::Object(_) => Value::String(value.to_string().into()),
    })
}

/// An array of one type if all items have it, else of strings.
fn array(items: &[Json]) -> Value {
    if let Some(all) = items.iter().map(Json::as_bool).collect::<Option<Vec<_>>>() {
        return Value::Array(Array::Bool(all));
    }
    if let Some(all) = items.iter().map(Json::as_i64).collect::<Option<Vec<_>>>() {
        return Value::Array(Array::I64(all));
    }
    if let Some(all) = items.iter().map(Json::as_f64).collect::<Option<Vec<_>>>() {
        return Value::Array(Array::F64(all));
    }
    let text = |item: &Json| match item {
        Json::String(text) => StringValue::from(text.clone()),
        other => StringValue::from(other.to_string()),
    };
    Value::Array(Array::String(items.iter().map(text).collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_that_panics_or_has_no_end_is_left_out() {
        struct Panics;
        impl Serialize for Panics {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                panic!("on purpose")
            }
        }
        let mut metadata = Vec::new();
        add(&mut metadata, "panics", &Panics);
        add(&mut metadata, "deep", &(0..1_000).fold(json!(1), |inner, _| json!({ "n": inner })));
        assert!(metadata.is_empty());
    }

    #[test]
    fn objects_are_flattened_and_types_kept() {
        let mut metadata = Vec::new();
        add(&mut metadata, "team", &json!({"name": "sdr", "size": 3, "tags": ["a", "b"], "lead": null}));
        add(&mut metadata, "beta", &true);
        add(&mut metadata, "beta", &false);
        let all: Vec<_> = metadata.iter().map(|one| format!("{}={:?}", one.key, one.value)).collect();
        assert_eq!(all.len(), 4, "{all:?}");
        assert!(all[0].starts_with("metadata.team.name="));
        assert_eq!(metadata.last().unwrap().value, Value::Bool(false));
        assert_eq!(metadata[1].value, Value::I64(3));
    }
}
