//! Requests and answers derived from the schemas of the document.

use serde_json::{Map, Value, json};

use super::Input;

/// How much of a schema an example fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All properties, no nulls.
    Everything,
    /// Only the required ones, null wherever null is allowed.
    OnlyRequired,
}

/// Derives values.
pub(crate) struct Example<'a> {
    pub(crate) document: &'a Value,
    pub(crate) mode: Mode,
    /// Which branch of a union, and which value of an enum.
    pub(crate) branch: usize,
}

/// An operation of the document.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) facts: Value,
}

/// Every operation of the document.
pub(crate) fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, facts) in item.as_object().unwrap() {
            let success =
                facts["responses"].as_object().unwrap().keys().find(|status| status.starts_with('2')).unwrap();
            operations.push(Operation {
                id: facts["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                status: success.parse().unwrap(),
                facts: facts.clone(),
            });
        }
    }
    operations
}

impl Operation {
    pub(crate) fn body_schema(&self) -> Option<&Value> {
        self.facts.pointer("/requestBody/content/application~1json/schema")
    }

    pub(crate) fn answer_schema(&self) -> Option<&Value> {
        self.facts.pointer(&format!("/responses/{}/content/application~1json/schema", self.status))
    }

    pub(crate) fn parameters(&self) -> &[Value] {
        self.facts["parameters"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The largest number of alternatives anywhere in its schemas.
    pub(crate) fn branches(&self, document: &Value) -> usize {
        let schemas = [self.body_schema(), self.answer_schema()];
        let parameters = self.parameters().iter().map(|parameter| &parameter["schema"]);
        schemas.into_iter().flatten().chain(parameters).map(|schema| alternatives(document, schema)).max().unwrap_or(1)
    }

    /// A request, and the answer to give to it.
    pub(crate) fn derive(&self, example: &Example<'_>) -> (Input, Value) {
        let mut input = Input::default();
        for parameter in self.parameters() {
            let name = parameter["name"].as_str().unwrap().to_owned();
            let text = match example.value(&parameter["schema"]) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            if parameter["in"] == "path" {
                input.path.insert(name, text);
            } else if parameter["required"] == true || example.mode == Mode::Everything {
                input.query.insert(name, text);
            }
        }
        input.body = self.body_schema().map(|schema| example.value(schema));
        // Keys that exclude each other in the document's prose only, and one that is required here only.
        if let (Some(hash), "execute-order-amendment") = (input.body.as_mut(), self.id.as_str()) {
            hash["planHash"] = "a hash".into();
        }
        if let Some(body) = input.body.as_mut().and_then(Value::as_object_mut) {
            let needs_customer =
                matches!(self.id.as_str(), "create-customer-portal" | "sync-value-receipt" | "create-value-receipt");
            let may_have_customer =
                matches!(self.id.as_str(), "create-checkout" | "create-payment" | "create-payment-method");
            let only_one = [("customerId", "externalCustomerId"), ("product", "orderId")];
            for (one, other) in only_one {
                let needed = needs_customer && one == "customerId";
                if needs_customer || may_have_customer {
                    let drop = if example.branch.is_multiple_of(2) { other } else { one };
                    let kept = if drop == one { other } else { one };
                    body.remove(drop);
                    if needed && !body.contains_key(kept) {
                        body.insert(kept.into(), "an id".into());
                    }
                }
            }
        }
        (input, self.answer_schema().map_or_else(|| json!({}), |schema| example.value(schema)))
    }
}

pub(crate) fn alternatives(document: &Value, schema: &Value) -> usize {
    let schema = resolve(document, schema);
    let own = schema.get("oneOf").or_else(|| schema.get("enum")).and_then(Value::as_array).map_or(1, Vec::len);
    inner_schemas(schema).into_iter().map(|inner| alternatives(document, inner)).max().unwrap_or(1).max(own)
}

fn inner_schemas(schema: &Value) -> Vec<&Value> {
    let properties = schema["properties"].as_object().into_iter().flat_map(Map::values);
    let branches = schema["oneOf"].as_array().into_iter().flatten();
    let single = [&schema["items"], &schema["additionalProperties"]];
    properties.chain(branches).chain(single).filter(|inner| inner.is_object()).collect()
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(pointer) => document.pointer(pointer.trim_start_matches('#')).unwrap_or_else(|| panic!("{pointer}")),
        None => schema,
    }
}

impl Example<'_> {
    /// A value of this schema.
    pub(crate) fn value(&self, schema: &Value) -> Value {
        let schema = resolve(self.document, schema);
        if let Some(values) = schema["enum"].as_array() {
            return values[self.branch % values.len()].clone();
        }
        if let Some(branches) = schema["oneOf"].as_array() {
            let nullable = branches.iter().any(|branch| branch["type"] == "null");
            if nullable && self.mode == Mode::OnlyRequired {
                return Value::Null;
            }
            let branches: Vec<_> = branches.iter().filter(|branch| branch["type"] != "null").collect();
            return self.value(branches[self.branch % branches.len()]);
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            other => other.as_str().into_iter().collect(),
        };
        if types.contains(&"null") && self.mode == Mode::OnlyRequired {
            return Value::Null;
        }
        match types.iter().find(|name| **name != "null").copied() {
            Some("string") => self.text(schema["format"].as_str()).into(),
            Some("integer") => json!(7),
            Some("number") => json!(12.5),
            Some("boolean") => json!(true),
            Some("array") => json!([self.value(&schema["items"])]),
            Some("object") => self.object(schema),
            _ => json!({"any": ["thing", 1, null]}),
        }
    }

    fn text(&self, format: Option<&str>) -> &'static str {
        match format {
            Some("date-time") => "2026-01-31T23:00:00Z",
            Some("uuid") => "0191e3a8-5d5c-7a4e-8e9f-0123456789ab",
            Some("decimal") => "12.5",
            Some("email") => "jane@acme.test",
            Some("uri") => "https://acme.test/path",
            _ => "text / with ? and ü",
        }
    }

    fn object(&self, schema: &Value) -> Value {
        let empty = Vec::new();
        let required = schema["required"].as_array().unwrap_or(&empty);
        let mut object = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if self.mode == Mode::Everything || required.iter().any(|required| required == name) {
                object.insert(name.clone(), self.value(property));
            }
        }
        match &schema["additionalProperties"] {
            additional @ Value::Object(_) => {
                object.insert("key of its own".into(), self.value(additional));
            }
            Value::Null | Value::Bool(_) if schema["properties"].is_null() => {
                object.insert("anything".into(), json!([1, "goes"]));
            }
            _ => {}
        }
        object.into()
    }
}
