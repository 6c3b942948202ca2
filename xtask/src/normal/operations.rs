//! Operations: a resource for each tag, a method for each operation, and how its body and its answer are written.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use heck::ToUpperCamelCase;
use serde_json::{Value, json};

use super::media::{self, Form};
use super::shape::{Name, Shaper};
use super::{parameters, places};
use crate::document::Object;
use crate::downlevel::FILE;
use crate::facts::method_name;
use crate::simplify::{ANSWER, BODY, FOREIGN};
use crate::words;
use crate::words::reserved;

/// What later steps read.
#[derive(Debug, Default)]
pub(super) struct Operations {
    pub(super) paths: Object,
    pub(super) tags: Vec<Value>,
    /// Names that were chosen here.
    pub(super) chosen: usize,
}

/// An operation as given.
struct Given<'a> {
    path: &'a str,
    method: &'a str,
    operation: &'a Object,
    item: &'a Object,
    at: String,
    item_at: String,
    feature: String,
    /// In words with hyphens.
    id: String,
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/// What a handle's derives are called: without the resource before it, one would hide the other.
const RESERVED_METHODS: [&str; 2] = ["clone", "fmt"];
const BESIDE_METHODS: [&str; 5] = ["parameters", "summary", "description", "servers", "$ref"];

/// Reads every operation.
pub(super) fn read(shaper: &mut Shaper<'_>) -> Result<Operations> {
    let mut all = Operations::default();
    let given = given(shaper)?;
    let features = features(shaper, &given);
    let names = method_names(&given, &features);
    let builders = builders(shaper, &given, &features, &mut all);
    for (at, given) in given.iter().enumerate() {
        let hint = builders[at].clone();
        let operation = one(shaper, given, &features[&given.feature], &names[at], &hint);
        let path = if given.path.starts_with('/') { given.path.to_owned() } else { format!("/{}", given.path) };
        let item = all.paths.entry(path).or_insert_with(|| json!({}));
        item[given.method] = operation;
        all.chosen += usize::from(given_id(given.operation).is_none());
    }
    Ok(all)
}

fn given<'a>(shaper: &mut Shaper<'a>) -> Result<Vec<Given<'a>>> {
    let whole = shaper.whole;
    let paths =
        whole.get("paths").and_then(Value::as_object).context("#/paths is missing: a client has nothing to call")?;
    let mut all = Vec::new();
    for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
        let place = places::below("#/paths", path);
        let (item, item_at) = match places::resolved(whole, item, &place) {
            Ok(resolved) => resolved,
            Err(problem) => {
                shaper.problems.add(&place, problem);
                continue;
            }
        };
        let Some(item) = item.as_object() else {
            shaper.problems.add(&item_at, "is not an object");
            continue;
        };
        for (method, operation) in item {
            let at = places::below(&item_at, method);
            if !METHODS.contains(&method.as_str()) {
                if !BESIDE_METHODS.contains(&method.as_str()) && !method.starts_with("x-") {
                    shaper.problems.add(&at, "is not an HTTP method");
                }
                continue;
            }
            let Some(operation) = operation.as_object() else {
                shaper.problems.add(&at, "is not an object");
                continue;
            };
            let tag = places::list(operation.get("tags")).find_map(Value::as_str).unwrap_or("api").to_owned();
            let id = given_id(operation).map(str::to_owned);
            let id = words::kebab(&id.unwrap_or_else(|| from_path(method, path)), "call");
            all.push(Given { path, method, operation, item, at, item_at: item_at.clone(), feature: tag, id });
        }
    }
    Ok(all)
}

/// The operation's own id, if it has letters or digits that a name can have.
fn given_id(operation: &Object) -> Option<&str> {
    let id = operation.get("operationId").and_then(Value::as_str)?;
    id.contains(|letter: char| letter.is_ascii_alphanumeric()).then_some(id)
}

/// `get /things/{id}` is `get-things-by-id`.
fn from_path(method: &str, path: &str) -> String {
    let steps = path.split('/').filter(|step| !step.is_empty()).map(|step| match step.strip_prefix('{') {
        Some(name) => format!("by-{}", name.trim_end_matches('}')),
        None => step.to_owned(),
    });
    std::iter::once(method.to_owned()).chain(steps).collect::<Vec<_>>().join("-")
}

/// The feature of each tag.
fn features(shaper: &mut Shaper<'_>, given: &[Given<'_>]) -> BTreeMap<String, String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut features = BTreeMap::new();
    let tags: BTreeSet<&str> = given.iter().map(|given| given.feature.as_str()).collect();
    let declared: Vec<_> = places::list(shaper.whole.get("tags")).collect();
    for tag in tags {
        let own = declared.iter().find(|known| known["name"] == tag).and_then(|known| known["x-rust-name"].as_str());
        let mut feature = words::kebab(own.unwrap_or(tag), "tag");
        if reserved::FEATURES.contains(&feature.as_str()) || words::is_keyword(&feature.replace('-', "_")) {
            feature.push_str("-resource");
        }
        // `Things` and `things` may be one tag in two spellings. Nobody can tell, so each gets a feature of its own.
        features.insert(tag.to_owned(), words::unique(feature, "-", &mut taken));
    }
    features
}

fn method_names(given: &[Given<'_>], features: &BTreeMap<String, String>) -> Vec<String> {
    let short = |given: &Given<'_>| {
        let own = given.operation.get("x-rust-name").and_then(Value::as_str).map(str::to_owned);
        let feature = &features[&given.feature];
        let id = within(&given.id, feature);
        let own = own.unwrap_or_else(|| {
            Some(method_name(id, feature)).filter(|name| is_free(name)).unwrap_or_else(|| id.to_owned())
        });
        words::snake(&own, "call")
    };
    let long = |given: &Given<'_>| words::snake(&given.id, "call");
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for given in given {
        *counts.entry((given.feature.as_str(), short(given))).or_default() += 1;
    }
    let mut taken: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    given
        .iter()
        .map(|given| {
            let alone = counts[&(given.feature.as_str(), short(given))] == 1;
            let name = if alone { short(given) } else { long(given) };
            words::unique(name, "_", taken.entry(given.feature.as_str()).or_default())
        })
        .collect()
}

/// `fees-list` of the resource `fees` is `list`, if that is a name.
fn within<'a>(id: &'a str, feature: &str) -> &'a str {
    let singular = |word: &'a str| word.strip_suffix('s').unwrap_or(word);
    let mut rest = id;
    for word in feature.split('-') {
        let Some((first, others)) = rest.split_once('-') else { return id };
        if singular(first) != word.strip_suffix('s').unwrap_or(word) {
            return id;
        }
        rest = others;
    }
    if is_free(&rest.replace('-', "_")) { rest } else { id }
}

/// Whether a method can have this name.
fn is_free(name: &str) -> bool {
    !words::is_keyword(name) && !RESERVED_METHODS.contains(&name)
}

/// The name of each operation's builder; handles and builders are apart from each other and from all types.
fn builders(
    shaper: &mut Shaper<'_>,
    given: &[Given<'_>],
    features: &BTreeMap<String, String>,
    all: &mut Operations,
) -> Vec<String> {
    let declared: Vec<Value> = places::list(shaper.whole.get("tags")).cloned().collect();
    for (tag, feature) in features {
        let handle = shaper.claim_beside(&feature.to_upper_camel_case(), "Resource");
        let description =
            declared.iter().find(|known| known["name"] == tag.as_str()).and_then(|known| known.get("description"));
        let mut entry = json!({"name": feature, "x-rust-handle": handle});
        if let Some(text) = description {
            entry["description"] = text.clone();
        }
        all.tags.push(entry);
    }
    given.iter().map(|given| shaper.claim_beside(&given.id.to_upper_camel_case(), "Call")).collect()
}

fn one<'a>(shaper: &mut Shaper<'a>, given: &Given<'a>, feature: &str, name: &str, hint: &str) -> Value {
    let own = given.operation;
    let shown = own.get("operationId").and_then(Value::as_str).unwrap_or(&given.id);
    let mut operation = json!({
        "operationId": shown, "x-rust-name": name, "x-rust-builder": hint, "tags": [feature], FOREIGN: true,
    });
    let prose: Vec<&str> =
        ["summary", "description"].iter().filter_map(|key| own.get(*key)?.as_str()).map(str::trim).collect();
    let prose: Vec<_> = prose
        .iter()
        .enumerate()
        .filter(|(at, text)| !text.is_empty() && !prose[..*at].contains(text))
        .map(|(_, text)| *text)
        .collect();
    if !prose.is_empty() {
        operation["description"] = prose.join("\n\n").into();
    }
    if own.get("deprecated") == Some(&Value::Bool(true)) {
        operation["deprecated"] = true.into();
    }
    for key in ["x-rust-keyed-by", "x-rust-repeatable"] {
        if let Some(value) = own.get(key) {
            operation[key] = value.clone();
        }
    }
    let parameters = parameters::all(
        shaper,
        (own.get("parameters"), given.at.clone()),
        (given.item.get("parameters"), given.item_at.clone()),
    );
    let has_body = own.get("requestBody").is_some();
    operation["parameters"] = parameters::read(shaper, &parameters, given.path, hint, has_body).into();
    body(shaper, given, hint, &mut operation);
    answer(shaper, given, hint, &mut operation);
    operation
}

fn body(shaper: &mut Shaper<'_>, given: &Given<'_>, hint: &str, operation: &mut Value) {
    let Some(body) = given.operation.get("requestBody") else { return };
    let at = places::below(&given.at, "requestBody");
    let (body, at) = match places::resolved(shaper.whole, body, &at) {
        Ok(resolved) => resolved,
        Err(problem) => return shaper.problems.add(&at, problem),
    };
    let taken = match media::taken(body.get("content"), &at) {
        Ok(Some(taken)) => taken,
        Ok(None) => return,
        Err(()) => {
            return shaper.problems.add(&places::below(&at, "content"), "XML bodies are not written; offer JSON");
        }
    };
    let schema = taken.schema.cloned().unwrap_or_else(|| json!({}));
    let name = format!("{hint}Request");
    let used = match taken.form {
        Form::Text | Form::Bytes => json!({"type": "string"}),
        Form::Parts => parts(shaper, &schema, &name, &taken.at),
        _ => shaper.shape(&schema, Name::Hint(&name), &taken.at),
    };
    let media = taken.media.clone();
    operation["requestBody"] = json!({"content": {media: {"schema": used}}});
    operation[BODY] = json!({"form": taken.form.name()});
}

/// An object of its own, whose binary fields are files.
fn parts(shaper: &mut Shaper<'_>, schema: &Value, name: &str, at: &str) -> Value {
    let flat = schema.as_object().and_then(|schema| shaper.flatten(schema, at));
    let Some(mut flat) = flat else { return json!({}) };
    for property in flat.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Object::values_mut) {
        let is_list = property["type"] == "array";
        let inner = if is_list { property.get_mut("items") } else { Some(property) };
        if let Some(inner) = inner.filter(|inner| inner["format"] == "binary" && inner["type"] != "array") {
            inner[FILE] = true.into();
        }
    }
    shaper.shape(&Value::Object(flat), Name::Hint(name), at)
}

/// An answer of an operation.
struct Answer {
    media: String,
    form: Form,
    schema: Value,
    at: String,
}

fn answer(shaper: &mut Shaper<'_>, given: &Given<'_>, hint: &str, operation: &mut Value) {
    let responses = given.operation.get("responses");
    let at = places::below(&given.at, "responses");
    let all: Vec<_> = places::object(responses).filter(|(status, _)| !status.starts_with("x-")).collect();
    let mut successes: Vec<_> = all.iter().filter(|(status, _)| status.starts_with('2')).copied().collect();
    let is_failure = |status: &str| !status.starts_with('2');
    if successes.is_empty() {
        // Then the default says what a success is, too.
        successes = all.iter().filter(|(status, _)| *status == "default").copied().collect();
    }
    let mut kept = Object::new();
    for (status, _) in all.iter().filter(|(status, _)| is_failure(status)) {
        kept.insert((*status).clone(), json!({"description": ""}));
    }
    let (mut answers, mut empty): (Vec<Answer>, bool) = (Vec::new(), false);
    for (status, response) in successes {
        let at = places::below(&at, status);
        let (response, at) = match places::resolved(shaper.whole, response, &at) {
            Ok(resolved) => resolved,
            Err(problem) => {
                shaper.problems.add(&at, problem);
                continue;
            }
        };
        match media::taken(response.get("content"), &at) {
            Ok(Some(taken)) => {
                let schema = taken.schema.cloned().unwrap_or_else(|| json!({}));
                let plain = places::marked(&schema, &taken.at);
                if !answers.iter().any(|known| known.form == taken.form && known.schema == plain) {
                    answers.push(Answer { media: taken.media, form: taken.form, schema: plain, at: taken.at });
                }
            }
            Ok(None) => empty = true,
            Err(()) => shaper.problems.add(&places::below(&at, "content"), "answers in XML are not read; offer JSON"),
        }
    }
    let success = if answers.is_empty() {
        json!({"description": ""})
    } else {
        content(shaper, answers, empty, given, hint, operation)
    };
    kept.insert("200".into(), success);
    operation["responses"] = kept.into();
}

/// The one body that all answers have, or one of several.
fn content(
    shaper: &mut Shaper<'_>,
    answers: Vec<Answer>,
    empty: bool,
    given: &Given<'_>,
    hint: &str,
    operation: &mut Value,
) -> Value {
    let place = places::below(&given.at, "responses");
    let name = format!("{hint}Response");
    let same_form = answers.windows(2).all(|pair| pair[0].form == pair[1].form);
    let Some(first) = answers.first() else { return json!({"description": ""}) };
    let (media, form) = (first.media.clone(), first.form);
    if !same_form {
        // Text and JSON in turns: whatever it is, it is bytes.
        operation[ANSWER] = json!({"form": "bytes"});
        shaper.notes.push(format!("bytes: {place}: the answers are of several media types, so they are not decoded"));
        return json!({"description": "", "content": {"*/*": {"schema": {"type": "string"}}}});
    }
    let used = match form {
        Form::Text | Form::Bytes => json!({"type": "string"}),
        Form::Pairs | Form::Parts => {
            operation[ANSWER] = json!({"form": "bytes"});
            return json!({"description": "", "content": {media: {"schema": {"type": "string"}}}});
        }
        Form::Json if answers.len() == 1 => shaper.shape(&first.schema, Name::Hint(&name), &first.at),
        Form::Json => {
            let branches: Vec<_> = answers.iter().map(|answer| answer.schema.clone()).collect();
            shaper.shape(&json!({"oneOf": branches, places::AT: place}), Name::Hint(&name), &place)
        }
    };
    let nullable = crate::null::without(&used);
    operation[ANSWER] = json!({"form": form.name(), "optional": form == Form::Json && (empty || nullable.nullable)});
    json!({"description": "", "content": {media: {"schema": nullable.schema}}})
}

impl Shaper<'_> {
    /// A name beside those of the types.
    fn claim_beside(&mut self, name: &str, suffix: &str) -> String {
        let name = super::shape::type_name(name);
        let wanted = if self.is_taken(&name) { format!("{name}{suffix}") } else { name };
        self.claim(Name::Hint(&wanted))
    }
}
