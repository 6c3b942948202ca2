//! Resources: from tags and operations to features and methods.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use heck::ToKebabCase;
use serde_json::Value;

use super::{Encoding, Form, Operation, Payload, Place, Resource, prose, schemas, source};
use crate::document::{self, Object};
use crate::simplify::{ANSWER, BODY, ENCODING, FIELD, FOREIGN};

/// Reads every operation, by resource.
pub(super) fn read(document: &Value) -> Result<Vec<Resource>> {
    let tags = document.get("tags").and_then(Value::as_array);
    let tag = |name: &str| tags.into_iter().flatten().find(|tag| tag["name"] == name);
    let mut resources: BTreeMap<String, Resource> = BTreeMap::new();
    document::for_each_operation(document, |path, method, operation, pointer| {
        let name =
            operation.pointer("/tags/0").and_then(Value::as_str).with_context(|| format!("{pointer}: no tag"))?;
        // Several tags may be one resource. Its own tag, if there is one, describes it.
        let feature = tag(name).and_then(|tag| tag["x-rust-name"].as_str()).unwrap_or(name).to_kebab_case();
        let resource = resources.entry(feature.clone()).or_insert_with(|| Resource {
            feature: feature.clone(),
            doc: tag(&feature).or_else(|| tag(name)).and_then(prose),
            operations: Vec::new(),
            handle: tag(name).and_then(|tag| tag["x-rust-handle"].as_str()).map(str::to_owned),
        });
        resource.operations.push(read_operation(document, &feature, path, method, operation, &pointer)?);
        Ok(())
    })?;
    for resource in resources.values_mut() {
        resource.operations.sort_by(|one, two| one.name.cmp(&two.name));
        if let Some(pair) = resource.operations.windows(2).find(|pair| pair[0].name == pair[1].name) {
            bail!(
                "operations `{}` and `{}` of `{}` are both called `{}`: set `x-rust-name` for one in openapi/overlay.yaml",
                pair[0].id,
                pair[1].id,
                resource.feature,
                pair[0].name
            );
        }
    }
    Ok(resources.into_values().collect())
}

fn read_operation(
    document: &Value,
    feature: &str,
    path: &str,
    method: &str,
    operation: &Value,
    pointer: &str,
) -> Result<Operation> {
    let id = operation["operationId"].as_str().with_context(|| format!("{pointer}: no operationId"))?.to_owned();
    let name =
        operation.get("x-rust-name").and_then(Value::as_str).map_or_else(|| method_name(&id, feature), str::to_owned);
    let (mut path_parameters, mut query, mut headers) = (Vec::new(), Vec::new(), Vec::new());
    for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        let wire = parameter["name"].as_str().with_context(|| format!("{pointer}: a parameter without a name"))?;
        let mut field = schemas::field(wire, &parameter["schema"], parameter["required"] == true);
        field.doc = prose(parameter).or(field.doc);
        field.deprecated |= parameter["deprecated"] == true;
        field.ident = parameter[FIELD].as_str().map_or(field.ident, str::to_owned);
        field.encoding = parameter.get(ENCODING).map(Encoding::read).transpose()?;
        match parameter["in"].as_str() {
            Some("path") => path_parameters.push(field),
            Some("header") => headers.push((Place::Header, field)),
            Some("cookie") => headers.push((Place::Cookie, field)),
            _ => query.push(field),
        }
    }
    path_parameters.sort_by_key(|field| path.find(&format!("{{{}}}", field.wire)));
    let foreign = operation.get(FOREIGN).is_some();
    let body = match operation.pointer("/requestBody/content").and_then(Value::as_object).and_then(first) {
        Some((media, content)) => Some(payload(operation, BODY, media, &content["schema"])?),
        None => None,
    };
    let named =
        |payload: &Option<Payload>| payload.as_ref().is_none_or(|payload| foreign || payload.component().is_some());
    ensure!(named(&body), "{pointer}/requestBody: the body has no name: move it to a component");
    let responses = operation.get("responses").and_then(Value::as_object);
    let errors =
        responses.into_iter().flat_map(Object::keys).filter(|status| !status.starts_with('2')).cloned().collect();
    let success = responses.into_iter().flatten().find(|(status, _)| status.starts_with('2'));
    let answer = success.and_then(|(_, response)| first(response.get("content")?.as_object()?));
    let answer = match answer {
        Some((media, content)) if foreign || !is_empty_object(document, &content["schema"]) => {
            Some(payload(operation, ANSWER, media, &content["schema"])?)
        }
        _ => None,
    };
    ensure!(named(&answer), "{pointer}/responses: the answer has no name: move it to a component");
    Ok(Operation {
        id,
        name,
        builder: operation.get("x-rust-builder").and_then(Value::as_str).map(str::to_owned),
        http_method: method.to_uppercase(),
        path: path.to_owned(),
        doc: prose(operation),
        source: source(operation),
        path_parameters,
        query,
        headers,
        foreign,
        body,
        empty_body: operation.get("x-rust-empty-body").is_some(),
        answer,
        errors,
        keyed_by: operation.get("x-rust-keyed-by").and_then(Value::as_str).map(str::to_owned),
        repeatable: operation.get("x-rust-repeatable") == Some(&Value::Bool(true)),
        deprecated: operation.get("deprecated") == Some(&Value::Bool(true)),
    })
}

fn first(content: &Object) -> Option<(&String, &Value)> {
    content.iter().find(|(_, content)| content.get("schema").is_some())
}

/// What is written under `key` says how; without it, it is JSON.
fn payload(operation: &Value, key: &str, media: &str, schema: &Value) -> Result<Payload> {
    let form = match operation.pointer(&format!("/{key}/form")).and_then(Value::as_str) {
        None => Form::Json,
        Some("json") if media == "application/json" || media.contains('*') || media.is_empty() => Form::Json,
        Some("json") => Form::JsonAs(media.to_owned()),
        Some("pairs") => Form::Pairs,
        Some("parts") => Form::Parts,
        Some("text") => Form::Text(media.to_owned()),
        Some("bytes") => Form::Bytes(media.to_owned()),
        Some(other) => bail!("`{other}` is not a form of a body"),
    };
    let optional = operation.pointer(&format!("/{key}/optional")) == Some(&Value::Bool(true));
    Ok(Payload { form, value: schemas::field("", schema, true), optional })
}

impl Encoding {
    fn read(value: &Value) -> Result<Self> {
        let style = value["style"].as_str().context("an encoding without a style")?.to_owned();
        Ok(Self { style, explode: value["explode"] == true })
    }
}

fn is_empty_object(document: &Value, schema: &Value) -> bool {
    let resolved =
        document::referenced(schema).and_then(|name| document::schemas(document).ok()?.get(name)).unwrap_or(schema);
    resolved.get("properties").and_then(Value::as_object).is_some_and(Object::is_empty)
}

/// `get-customer-by-external-id` of `customers` is `get_by_external_id`.
pub(crate) fn method_name(id: &str, feature: &str) -> String {
    let singular = |word: &str| word.strip_suffix('s').unwrap_or(word).to_owned();
    let resource: Vec<_> = feature.split('-').map(singular).collect();
    let words: Vec<_> = id.strip_suffix("-by-id").unwrap_or(id).split('-').collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let here = words.get(at..at + resource.len());
        if kept.len() == 1
            && here.is_some_and(|here| here.iter().map(|word| singular(word)).eq(resource.iter().cloned()))
        {
            at += resource.len();
        } else {
            kept.push(words[at]);
            at += 1;
        }
    }
    kept.join("_")
}
