//! Whether a schema allows null. There are several ways to write it; they are told apart here and nowhere else.

use serde_json::{Value, json};

/// A schema without null, and whether null was allowed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WithoutNull {
    pub(crate) schema: Value,
    pub(crate) nullable: bool,
}

/// Takes null out of a schema: out of `type`, `oneOf` and `anyOf`. A single branch that is left replaces its list.
pub(crate) fn without(schema: &Value) -> WithoutNull {
    let mut schema = schema.clone();
    let mut nullable = false;
    if let Some(object) = schema.as_object_mut() {
        if let Some(Value::Array(types)) = object.get_mut("type") {
            nullable |= remove(types, |name| name == "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".into(), only);
            }
        }
        for list in ["oneOf", "anyOf"] {
            let Some(Value::Array(branches)) = object.get_mut(list) else { continue };
            if !remove(branches, |branch| branch["type"] == "null") {
                continue;
            }
            nullable = true;
            if let [Value::Object(only)] = branches.as_slice() {
                let only = only.clone();
                object.remove(list);
                only.into_iter().for_each(|(key, value)| {
                    object.entry(key).or_insert(value);
                });
            }
        }
    }
    WithoutNull { schema, nullable }
}

fn remove(list: &mut Vec<Value>, is_null: impl Fn(&Value) -> bool) -> bool {
    let before = list.len();
    list.retain(|element| !is_null(element));
    list.len() < before
}

/// Lets a schema be null, the way OpenAPI 3.1 writes it.
pub(crate) fn allow(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    match object.get_mut("type") {
        Some(Value::String(name)) => {
            let name = std::mem::take(name);
            object.insert("type".into(), json!([name, "null"]));
        }
        Some(Value::Array(types)) if !types.contains(&json!("null")) => types.push(json!("null")),
        Some(_) => {}
        None => {
            let inner = std::mem::take(object);
            let only = inner.get("allOf").and_then(Value::as_array).filter(|all| all.len() == 1 && inner.len() == 1);
            let inner = only.map_or_else(|| Value::Object(inner.clone()), |all| all[0].clone());
            *schema = json!({"oneOf": [inner, {"type": "null"}]});
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_null_is_found_and_taken_out() {
        let reference = json!({"$ref": "#/components/schemas/A"});
        for (schema, rest) in [
            (json!({"type": ["string", "null"]}), json!({"type": "string"})),
            (json!({"oneOf": [reference, {"type": "null"}]}), reference.clone()),
            (
                json!({"anyOf": [{"type": "null"}, {"type": "number"}], "default": 1}),
                json!({"type": "number", "default": 1}),
            ),
            (
                json!({"oneOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]}),
                json!({"oneOf": [{"type": "number"}, {"type": "string"}]}),
            ),
        ] {
            assert_eq!(without(&schema), WithoutNull { schema: rest, nullable: true }, "{schema}");
        }
    }

    #[test]
    fn what_cannot_be_null_stays_as_it_is() {
        for schema in
            [json!({"type": "string"}), json!({"type": ["string", "number"]}), json!({"oneOf": [{"type": "string"}]})]
        {
            assert_eq!(without(&schema), WithoutNull { schema: schema.clone(), nullable: false });
        }
    }

    #[test]
    fn what_was_allowed_is_found() {
        for schema in [json!({"type": "string"}), json!({"$ref": "#/components/schemas/A"})] {
            let mut nullable = schema.clone();
            allow(&mut nullable);
            assert_eq!(without(&nullable), WithoutNull { schema, nullable: true });
        }
    }
}
