//! Requests and answers derived from the schemas of a published document.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::harness::Input;
use super::same::same_json;

/// How much of a schema an example fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All properties, no nulls.
    Everything,
    /// Only the required ones, null wherever null is allowed.
    OnlyRequired,
}

/// How deep an example goes into types that hold themselves.
const DEEPEST: usize = 6;

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
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Value>,
    pub(crate) responses: Map<String, Value>,
}

/// A documented success.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) media: Option<(String, Value)>,
}

/// A request and the answer to it.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) operation: Operation,
    pub(crate) input: Input,
    pub(crate) status: u16,
    pub(crate) media: String,
    /// `None` for no body.
    pub(crate) answer: Option<Value>,
}

/// Says in 3.1 what the document said in 3.0: a validator knows no other.
pub(crate) fn in_3_1(mut document: Value) -> Value {
    let is_3_0 = document["openapi"].as_str().is_some_and(|version| version.starts_with("3.0"));
    uplift(&mut document, is_3_0);
    document
}

fn uplift(value: &mut Value, is_3_0: bool) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| uplift(value, is_3_0)),
        Value::Object(object) => {
            object.values_mut().for_each(|value| uplift(value, is_3_0));
            if object.get("required").is_some_and(Value::is_boolean) && !object.contains_key("in") && object.contains_key("$ref") {
                object.remove("required");
            }
            for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
                if object.get(exclusive) == Some(&Value::Bool(true)) {
                    let limit = object.remove(bound).unwrap_or_default();
                    object.insert(exclusive.into(), limit);
                } else if object.get(exclusive) == Some(&Value::Bool(false)) {
                    object.remove(exclusive);
                }
            }
            if object.get("nullable") == Some(&Value::Bool(true)) {
                object.remove("nullable");
                match object.get("type").cloned() {
                    Some(Value::String(name)) => {
                        object.insert("type".into(), json!([name, "null"]));
                        if let Some(values) = object.get_mut("enum").and_then(Value::as_array_mut)
                            && !values.contains(&Value::Null)
                        {
                            values.push(Value::Null);
                        }
                    }
                    Some(_) => {}
                    None => {
                        let inner = Value::Object(std::mem::take(object));
                        *value = json!({"anyOf": [inner, {"type": "null"}]});
                    }
                }
            }
        }
        _ => {}
    }
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

pub(crate) fn resolve<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    match part.get("$ref").and_then(Value::as_str) {
        Some(pointer) => resolve(document, document.pointer(pointer.trim_start_matches('#')).unwrap()),
        None => part,
    }
}

/// Every operation of the document.
pub(crate) fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let item = resolve(document, item).as_object().unwrap();
        for (method, facts) in item.iter().filter(|(method, _)| METHODS.contains(&method.as_str())) {
            let own = facts["parameters"].as_array().into_iter().flatten();
            let shared = item.get("parameters").and_then(Value::as_array).into_iter().flatten();
            let mut parameters: Vec<Value> = Vec::new();
            for parameter in own.chain(shared).map(|parameter| resolve(document, parameter)) {
                if !parameters.iter().any(|known| known["name"] == parameter["name"] && known["in"] == parameter["in"]) {
                    parameters.push(parameter.clone());
                }
            }
            for name in path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name) {
                if !parameters.iter().any(|known| known["name"] == name && known["in"] == "path") {
                    parameters.push(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
                }
            }
            let ignored = |parameter: &Value| {
                let name = parameter["name"].as_str().unwrap().to_lowercase();
                (parameter["in"] == "header" && ["accept", "content-type", "authorization"].contains(&name.as_str()))
                    || (parameter["in"] == "path" && !path.contains(&format!("{{{}}}", parameter["name"].as_str().unwrap())))
            };
            parameters.retain(|parameter| !ignored(parameter));
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                parameters,
                body: facts.get("requestBody").map(|body| resolve(document, body).clone()),
                responses: facts["responses"].as_object().cloned().unwrap_or_default(),
            });
        }
    }
    operations
}

/// The media type of a content that a client prefers, and its schema.
pub(crate) fn preferred(content: &Value) -> Option<(String, Value)> {
    let content = content.as_object()?;
    let json = content.iter().find(|(media, _)| media.contains("json"));
    let (media, entry) = json.or_else(|| content.iter().next())?;
    Some((media.clone(), entry.get("schema").cloned().unwrap_or_else(|| json!({}))))
}

impl Operation {
    /// Every documented success.
    pub(crate) fn answers(&self, document: &Value) -> Vec<Answer> {
        let success = |status: &str| status.starts_with('2');
        let any = self.responses.keys().any(|status| success(status));
        let kept = self.responses.iter().filter(|(status, _)| success(status) || (!any && *status == "default"));
        let answers = kept.map(|(status, response)| Answer {
            status: status.parse().unwrap_or(200),
            media: preferred(&resolve(document, response)["content"]),
        });
        let answers: Vec<_> = answers.collect();
        if answers.is_empty() { vec![Answer { status: 200, media: None }] } else { answers }
    }

    /// The largest number of alternatives anywhere in its schemas.
    pub(crate) fn branches(&self, document: &Value) -> usize {
        let body = self.body.iter().filter_map(|body| preferred(&body["content"]));
        let answers = self.answers(document).into_iter().filter_map(|answer| answer.media);
        let parameters = self.parameters.iter().map(|parameter| (String::new(), parameter["schema"].clone()));
        let all = body.chain(answers).chain(parameters);
        all.map(|(_, schema)| alternatives(document, &schema, 0)).max().unwrap_or(1)
    }

    /// A request, and the answer to give to it.
    pub(crate) fn derive(&self, example: &Example<'_>, answer: &Answer) -> Exchange {
        let mut input = Input::default();
        for parameter in &self.parameters {
            let (place, name) = (parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
            if place != "path" && parameter["required"] != true && example.mode == Mode::OnlyRequired {
                continue;
            }
            let content = preferred(&parameter["content"]).map(|(_, schema)| schema);
            let schema = parameter.get("schema").cloned().or(content).unwrap_or_else(|| json!({"type": "string"}));
            let value = Example { mode: Mode::Everything, ..*example }.value(&schema, Side::Request);
            input.parameters.insert((place.to_owned(), name.to_owned()), value);
        }
        let body = self.body.as_ref().and_then(|body| preferred(&body["content"]));
        input.body = body.map(|(media, schema)| {
            if media.contains("json") || media.contains("form") {
                example.value(&schema, Side::Request)
            } else {
                "a,b\nü".into()
            }
        });
        let (media, body) = match &answer.media {
            None => (String::new(), None),
            Some((media, schema)) if media.contains("json") || media == "*/*" && schema["format"] != "binary" => {
                (media.clone(), Some(example.value(schema, Side::Answer)))
            }
            Some((media, _)) => (media.clone(), Some("a,b\nü".into())),
        };
        Exchange { operation: self.clone(), input, status: answer.status, media, answer: body }
    }
}

fn alternatives(document: &Value, schema: &Value, depth: usize) -> usize {
    let schema = resolve(document, schema);
    if depth > 8 {
        return 1;
    }
    let size = |key: &str| schema.get(key).and_then(Value::as_array).map_or(1, Vec::len);
    let own = size("oneOf").max(size("anyOf")).max(size("enum"));
    let properties = schema["properties"].as_object().into_iter().flat_map(Map::values);
    let lists = ["oneOf", "anyOf", "allOf"].into_iter().flat_map(|key| schema[key].as_array().into_iter().flatten());
    let single = [&schema["items"], &schema["additionalProperties"]].into_iter().filter(|inner| inner.is_object());
    let inner = properties.chain(lists).chain(single);
    inner.map(|inner| alternatives(document, inner, depth + 1)).max().unwrap_or(1).max(own)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Answer,
}

impl Example<'_> {
    /// A value of this schema.
    pub(crate) fn value(&self, schema: &Value, side: Side) -> Value {
        self.at_depth(schema, side, 0)
    }

    fn at_depth(&self, schema: &Value, side: Side, depth: usize) -> Value {
        let flat = self.flat(schema);
        let object = flat.as_object().unwrap();
        let types: Vec<&str> = match &flat["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            other => other.as_str().into_iter().collect(),
        };
        let nulls = ["oneOf", "anyOf"].into_iter().flat_map(|key| flat[key].as_array().into_iter().flatten());
        let null_branch = nulls.clone().any(|branch| branch["type"] == "null");
        let null_value = flat["enum"].as_array().is_none_or(|values| values.contains(&Value::Null));
        if self.mode == Mode::OnlyRequired && ((types.contains(&"null") && null_value) || null_branch) {
            return Value::Null;
        }
        if let Some(value) = object.get("const") {
            return value.clone();
        }
        if let Some(values) = flat["enum"].as_array() {
            let values: Vec<_> = values.iter().filter(|value| !value.is_null()).collect();
            return values.get(self.branch % values.len().max(1)).map_or(Value::Null, |value| (*value).clone());
        }
        for key in ["oneOf", "anyOf"] {
            let branches: Vec<_> = flat[key].as_array().into_iter().flatten().filter(|branch| branch["type"] != "null").collect();
            if branches.is_empty() {
                continue;
            }
            let chosen = if depth < DEEPEST { self.branch % branches.len() } else { 0 };
            let mut branch = branches[chosen].clone();
            let mut rest = flat.clone();
            rest.as_object_mut().unwrap().remove(key);
            let tag = flat.pointer("/discriminator/propertyName").and_then(Value::as_str).map(str::to_owned);
            let name = branch["$ref"].as_str().map(str::to_owned);
            rest.as_object_mut().unwrap().remove("discriminator");
            branch = json!({"allOf": [rest, branch]});
            let mut value = self.at_depth(&branch, side, depth + 1);
            if let (Some(tag), Some(name), Value::Object(value)) = (tag, name, &mut value) {
                let mapping = flat.pointer("/discriminator/mapping").and_then(Value::as_object);
                let mapped = mapping.into_iter().flatten().find(|(_, target)| target.as_str() == Some(&name));
                let free = self.flat(&json!({"$ref": name}))["properties"][&tag]["enum"].is_null();
                if let Some((mapped, _)) = mapped {
                    value.insert(tag, mapped.clone().into());
                } else if free {
                    value.insert(tag, name.rsplit('/').next().unwrap().into());
                }
            }
            return value;
        }
        if types == ["null"] {
            return Value::Null;
        }
        let real: Vec<&str> = types.iter().filter(|name| **name != "null").copied().collect();
        let kind = if real.is_empty() { None } else { Some(real[self.branch % real.len()]) };
        let kind = kind.or_else(|| object.contains_key("properties").then_some("object"));
        let kind = kind.or_else(|| flat["additionalProperties"].is_object().then_some("object"));
        match kind.or_else(|| object.contains_key("items").then_some("array")) {
            Some("string") => self.text(&flat).into(),
            Some("integer") => in_bounds(7, &flat),
            Some("number") => {
                let number = in_bounds(12, &flat);
                if number == 12 { json!(12.5) } else { number }
            }
            Some("boolean") => json!(self.branch % 2 == 0),
            Some("array") => {
                let least = flat["minItems"].as_u64().unwrap_or(0).clamp(u64::from(depth < DEEPEST), 4);
                (0..least).map(|_| self.at_depth(&flat["items"], side, depth + 1)).collect()
            }
            Some("object") => self.object(&flat, side, depth),
            _ => json!({"any": ["thing", 1, null]}),
        }
    }

    fn text(&self, schema: &Value) -> String {
        let text = match schema["format"].as_str() {
            Some("date-time") => "2026-01-31T23:00:00Z",
            Some("date") => "2026-01-31",
            Some("uuid") => "0191e3a8-5d5c-7a4e-8e9f-0123456789ab",
            Some("decimal") => "12.5",
            Some("email") => "jane@acme.test",
            Some("uri" | "url") => "https://acme.test/path",
            Some("ipv4") => "127.0.0.1",
            _ => "text / with ? and ü",
        };
        if let Some(pattern) = schema["pattern"].as_str() {
            let fits = |text: &str| {
                let check = jsonschema::validator_for(&json!({"pattern": pattern}));
                check.is_ok_and(|check| check.is_valid(&text.into()))
            };
            let example = schema["example"].as_str().into_iter().chain(schema["examples"][0].as_str());
            let tries = ["2026-01-31", "12.5", "abc", "ABC", "1", "#aabbcc", "2026-01-31T23:00:00Z"];
            if let Some(good) = std::iter::once(text).chain(example).chain(tries).find(|text| fits(text)) {
                return good.to_owned();
            }
        }
        let (least, most) = (schema["minLength"].as_u64().unwrap_or(0), schema["maxLength"].as_u64().unwrap_or(u64::MAX));
        let padding = usize::try_from(least).unwrap().saturating_sub(text.chars().count());
        let padded = text.chars().chain(std::iter::repeat_n('x', padding));
        padded.take(usize::try_from(most).unwrap_or(usize::MAX)).collect()
    }

    fn object(&self, schema: &Value, side: Side, depth: usize) -> Value {
        let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut object = Map::new();
        let not_here = match side {
            Side::Request => "readOnly",
            Side::Answer => "writeOnly",
        };
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if *property == Value::Bool(false) {
                continue;
            }
            let flat = self.flat(property);
            let is_required = required.contains(&name.as_str());
            if flat[not_here] == true || property[not_here] == true {
                continue;
            }
            if is_required || (self.mode == Mode::Everything && depth < DEEPEST) {
                object.insert(name.clone(), self.at_depth(property, side, depth + 1));
            }
        }
        for name in required {
            if schema["properties"][name].is_null() {
                object.insert(name.to_owned(), json!("anything"));
            }
        }
        match &schema["additionalProperties"] {
            additional @ Value::Object(_) if depth < DEEPEST => {
                object.insert("key of its own".into(), self.at_depth(additional, side, depth + 1));
            }
            Value::Bool(true) => {
                object.insert("key of its own".into(), json!([1, "goes"]));
            }
            Value::Null if schema["properties"].is_null() => {
                object.insert("anything".into(), json!([1, "goes"]));
            }
            _ => {}
        }
        object.into()
    }

    /// The schema without `$ref` and `allOf`.
    fn flat(&self, schema: &Value) -> Value {
        let Value::Object(schema) = schema else { return json!({}) };
        let mut flat = Map::new();
        let mut own = schema.clone();
        let mut parts = Vec::new();
        if let Some(Value::String(pointer)) = own.remove("$ref") {
            parts.push(self.document.pointer(pointer.trim_start_matches('#')).unwrap().clone());
        }
        if let Some(Value::Array(all)) = own.remove("allOf") {
            parts.extend(all);
        }
        if parts.is_empty() {
            return own.into();
        }
        let parts: Vec<Value> = parts.iter().map(|part| self.flat(part)).chain([Value::Object(own)]).collect();
        for part in parts {
            for (key, value) in part.as_object().unwrap().clone() {
                match (key.as_str(), flat.get_mut(&key)) {
                    ("properties", Some(Value::Object(known))) => {
                        for (name, property) in value.as_object().unwrap() {
                            let both = match known.get(name) {
                                Some(there) if there != property => json!({"allOf": [there, property]}),
                                _ => property.clone(),
                            };
                            known.insert(name.clone(), both);
                        }
                    }
                    ("required", Some(Value::Array(known))) => known.extend(value.as_array().cloned().unwrap_or_default()),
                    ("enum", Some(Value::Array(known))) => known.retain(|one| value.as_array().unwrap().contains(one)),
                    ("type", Some(known)) if known.is_array() && value.is_string() => *known = value,
                    ("type", Some(_)) if value.is_array() => {}
                    _ => {
                        flat.insert(key, value);
                    }
                }
            }
        }
        flat.into()
    }
}

fn in_bounds(wanted: i64, schema: &Value) -> Value {
    let at = |key: &str| schema[key].as_f64();
    let mut number = wanted as f64;
    if let Some(most) = at("maximum").into_iter().chain(at("exclusiveMaximum").map(|most| most - 1.0)).reduce(f64::min) {
        number = number.min(most);
    }
    if let Some(least) = at("minimum").into_iter().chain(at("exclusiveMinimum").map(|least| least + 1.0)).reduce(f64::max) {
        number = number.max(least);
    }
    if number >= 9_223_372_036_854_775_808.0 { json!(number as u64) } else { json!(number as i64) }
}

/// An answer without a body is nothing, or an empty object.
pub(crate) fn same_answer(got: &Value, expected: Option<&Value>) -> bool {
    match expected {
        Some(expected) => same_json(got, expected),
        None => got.is_null() || got.as_object().is_some_and(Map::is_empty) || *got == "",
    }
}

/// A parameter's pairs as they stand in the query, decoded.
pub(crate) fn pairs(parameter: &Value, value: &Value) -> Vec<(String, String)> {
    let name = parameter["name"].as_str().unwrap();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if parameter.get("schema").is_none() && parameter.get("content").is_some() {
        return vec![(name.to_owned(), value.to_string())];
    }
    let style = parameter["style"].as_str().unwrap_or("form");
    let explode = parameter["explode"].as_bool().unwrap_or(style == "form");
    let separator = match style {
        "spaceDelimited" => " ",
        "pipeDelimited" => "|",
        _ => ",",
    };
    match value {
        Value::Object(_) if style == "deepObject" => {
            let mut all = Vec::new();
            deep(name, value, &mut all);
            all
        }
        Value::Array(items) if explode => items.iter().map(|item| (name.to_owned(), text(item))).collect(),
        Value::Object(object) if explode => object.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        Value::Array(items) => {
            vec![(name.to_owned(), items.iter().map(text).collect::<Vec<_>>().join(separator))]
        }
        Value::Object(object) => {
            let flat: Vec<_> = object.iter().flat_map(|(key, value)| [key.clone(), text(value)]).collect();
            vec![(name.to_owned(), flat.join(separator))]
        }
        scalar => vec![(name.to_owned(), text(scalar))],
    }
}

fn deep(name: &str, value: &Value, all: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| deep(&format!("{name}[{key}]"), value, all)),
        Value::Array(items) => items.iter().for_each(|item| deep(&format!("{name}[]"), item, all)),
        Value::String(text) => all.push((name.to_owned(), text.clone())),
        other => all.push((name.to_owned(), other.to_string())),
    }
}

/// Sorted, since the order of parameters means nothing.
pub(crate) fn sorted(pairs: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    pairs.into_iter().for_each(|(name, value)| all.entry(name).or_default().push(value));
    all
}
