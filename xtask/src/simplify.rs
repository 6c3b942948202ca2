//! Rewrites the canonical document until every construct left is one that `generate` and `reshape` map:
//! aliases inlined, union branches named, choices between ids made types, empty bodies dropped.
//! A construct that the generator does not map is an error with its JSON pointer.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use heck::ToUpperCamelCase;
use serde_json::{Value, json};

use crate::document::{self, Object};
use crate::null;

/// Marks a component that is a choice between one-key objects (variant name to key).
pub(crate) const CHOICE: &str = "x-rust-choice";
/// Marks a property whose keys stand in the object that holds it.
pub(crate) const FLATTEN: &str = "x-rust-flatten";

/// Names the variants of an enum's values that have no words of their own.
pub(crate) const VALUES: &str = "x-rust-values";

/// How the branches of a component's `oneOf` are told apart.
pub(crate) const ONE_OF: &str = "x-rust-one-of";
/// Marks an operation of another document than Paid's.
pub(crate) const FOREIGN: &str = "x-rust-foreign";
/// The name of a parameter in Rust.
pub(crate) const FIELD: &str = "x-rust-field";
/// How a parameter is written.
pub(crate) const ENCODING: &str = "x-rust-encoding";
/// How the body of an operation is written.
pub(crate) const BODY: &str = "x-rust-body";
/// How the answer of an operation is written.
pub(crate) const ANSWER: &str = "x-rust-answer";

/// All steps in order.
pub(crate) fn simplify(mut document: Value) -> Result<Value> {
    constants_are_one_value_enums(&mut document);
    inline_aliases(&mut document)?;
    drop_empty_bodies(&mut document);
    name_choices(&mut document)?;
    choices_in_requests(&mut document)?;
    name_union_branches(&mut document)?;
    refuse_what_is_not_mapped(&mut document)?;
    Ok(document)
}

fn constants_are_one_value_enums(document: &mut Value) {
    document::visit_schemas(document, &mut |schema, _| {
        if let Some(object) = schema.as_object_mut()
            && let Some(value) = object.remove("const")
        {
            object.insert("enum".into(), json!([value]));
            object.entry("type").or_insert("string".into());
        }
    });
}

/// A component that only gives a scalar, a list or a free-form object a second name is replaced by what it is.
fn inline_aliases(document: &mut Value) -> Result<()> {
    let aliases: BTreeMap<String, Value> = document::schemas(document)?
        .iter()
        .filter(|(_, schema)| {
            ["properties", "enum", "oneOf", "anyOf", "allOf", "$ref"].iter().all(|key| schema.get(key).is_none())
        })
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    document::visit_schemas(document, &mut |schema, _| {
        if let Some(alias) = document::referenced(schema).and_then(|name| aliases.get(name)) {
            let beside = schema.as_object().cloned().unwrap_or_default();
            *schema = alias.clone();
            if let Some(object) = schema.as_object_mut() {
                object.extend(beside.into_iter().filter(|(key, _)| key != "$ref"));
            }
        }
    });
    document::schemas_mut(document)?.retain(|name, _| !aliases.contains_key(name));
    Ok(())
}

/// A body without properties has nothing for a caller to say: the transport sends `{}`.
fn drop_empty_bodies(document: &mut Value) {
    for operation in document::operations_mut(document) {
        let empty = operation
            .get("requestBody")
            .and_then(|body| body.pointer("/content/application~1json/schema"))
            .is_some_and(|schema| schema.get("properties").and_then(Value::as_object).is_some_and(Object::is_empty));
        if empty {
            operation.remove("requestBody");
            operation.insert("x-rust-empty-body".into(), true.into());
        }
    }
}

/// `oneOf` objects with one required key each: a choice between keys.
fn name_choices(document: &mut Value) -> Result<()> {
    let whole = document.clone();
    for (name, schema) in document::schemas_mut(document)? {
        let Some(branches) = schema.get("oneOf").and_then(Value::as_array) else { continue };
        if schema.get("discriminator").is_some() {
            continue;
        }
        let mut variants = Object::new();
        let mut properties = Object::new();
        for branch in branches {
            let Some((key, property)) = only_key(&whole, branch) else { break };
            let variant = document::referenced(branch)
                .and_then(|branch| branch.split_once("By"))
                .map_or_else(|| key.to_upper_camel_case(), |(_, by)| by.to_owned());
            variants.insert(variant, key.into());
            properties.insert(key.to_owned(), property.clone());
        }
        if variants.len() == branches.len() {
            let kept = ["description", document::SOURCE].map(|key| (key, schema.get(key).cloned()));
            *schema = json!({"type": "object", "properties": properties, CHOICE: variants});
            for (key, value) in kept {
                if let Some(value) = value {
                    schema[key] = value;
                }
            }
        } else if !variants.is_empty() {
            bail!(
                "#/components/schemas/{name}/oneOf: some branches have one key and some have more; name the union with a discriminator in the overlay"
            );
        }
    }
    Ok(())
}

fn only_key<'a>(document: &'a Value, branch: &'a Value) -> Option<(&'a str, &'a Value)> {
    let schema = match document::referenced(branch) {
        Some(name) => document::schemas(document).ok()?.get(name)?,
        None => branch,
    };
    let properties = schema.get("properties")?.as_object()?;
    let required = schema.get("required")?.as_array()?;
    let (key, property) = properties.iter().next()?;
    (properties.len() == 1 && required.len() == 1).then_some((key.as_str(), property))
}

/// `x-rust-choices` of a request: keys of which the API takes one become one field with a choice type.
fn choices_in_requests(document: &mut Value) -> Result<()> {
    let mut made = BTreeMap::new();
    for (name, schema) in document::schemas_mut(document)? {
        let Some(choices) = schema.as_object_mut().and_then(|object| object.remove("x-rust-choices")) else { continue };
        let pointer = format!("#/components/schemas/{name}/x-rust-choices");
        for choice in choices.as_array().with_context(|| format!("{pointer} is not a list"))? {
            let text = |key: &str| {
                choice.get(key).and_then(Value::as_str).with_context(|| format!("{pointer}: `{key}` is missing"))
            };
            let (field, type_name) = (text("field")?, text("type")?);
            let variants = choice.get("variants").and_then(Value::as_object);
            let variants = variants.with_context(|| format!("{pointer}: `variants` is missing"))?;
            let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
            let properties = properties.with_context(|| format!("{pointer}: the schema has no properties"))?;
            let mut taken = Object::new();
            for key in variants.values() {
                let key = key.as_str().with_context(|| format!("{pointer}: a key is not a string"))?;
                let property = properties.remove(key).with_context(|| format!("{pointer}: no property `{key}`"))?;
                taken.insert(key.to_owned(), property);
            }
            let mut reference = document::reference(type_name);
            reference[FLATTEN] = true.into();
            reference["description"] = choice.get("description").cloned().unwrap_or_default();
            properties.insert(field.to_owned(), reference);
            if choice.get("required") == Some(&Value::Bool(true)) {
                match schema.get_mut("required").and_then(Value::as_array_mut) {
                    Some(required) => required.push(field.into()),
                    None => schema["required"] = json!([field]),
                }
            }
            let component = json!({
                "type": "object", "properties": taken, CHOICE: variants,
                "description": choice.get("typeDescription").cloned().unwrap_or_default(),
            });
            made.insert(type_name.to_owned(), component);
        }
    }
    for (name, component) in made {
        let entry = document::schemas_mut(document)?.entry(name.clone()).or_insert_with(|| component.clone());
        if entry.get(CHOICE) != component.get(CHOICE) {
            bail!("#/components/schemas/{name}: two choices of this name have different variants");
        }
    }
    Ok(())
}

/// The inline branches of a union with a discriminator become components; the tag is the union's business. A branch
/// without anything else needs no component.
fn name_union_branches(document: &mut Value) -> Result<()> {
    let mut named = BTreeMap::new();
    for (name, schema) in document::schemas_mut(document)? {
        let Some(tag) = schema.pointer("/discriminator/propertyName").and_then(Value::as_str) else { continue };
        let tag = tag.to_owned();
        let names = schema.get("x-rust-variants").cloned().unwrap_or_default();
        let source = schema.get(document::SOURCE).cloned();
        let pointer = format!("#/components/schemas/{name}/oneOf");
        let Some(branches) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else {
            bail!(
                "#/components/schemas/{name}: a discriminator without `oneOf` is not mapped; rewrite it in the overlay"
            );
        };
        let mut variants = Object::new();
        for (index, branch) in branches.iter_mut().enumerate() {
            let pointer = format!("{pointer}/{index}");
            let object = branch.as_object_mut().filter(|object| object.contains_key("properties"));
            let object = object.with_context(|| {
                format!("{pointer}: a union branch must stand inline with its tag; inline it in the overlay")
            })?;
            let value = object
                .get_mut("properties")
                .and_then(Value::as_object_mut)
                .and_then(|properties| properties.remove(&tag))
                .and_then(|property| property.pointer("/enum/0").and_then(Value::as_str).map(str::to_owned))
                .with_context(|| format!("{pointer}/properties/{tag}: the tag has no single value"))?;
            if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) {
                required.retain(|key| key.as_str() != Some(&tag));
            }
            let variant =
                names.get(&value).and_then(Value::as_str).map_or_else(|| value.to_upper_camel_case(), str::to_owned);
            if object.get("properties").and_then(Value::as_object).is_some_and(Object::is_empty) {
                variants.insert(variant, json!({"value": value}));
                *branch = json!({"type": "object"});
                continue;
            }
            if let Some(source) = &source {
                object.entry(document::SOURCE).or_insert(source.clone());
            }
            let component = format!("{variant}{}", name.strip_suffix("Input").unwrap_or(name));
            variants.insert(variant, json!({"value": value, "type": component}));
            named.insert(component.clone(), std::mem::replace(branch, document::reference(&component)));
        }
        schema["x-rust-variants"] = variants.into();
    }
    for (name, component) in named {
        if document::schemas_mut(document)?.insert(name.clone(), component).is_some() {
            bail!(
                "#/components/schemas/{name}: a union's branch gets this name too; name the branch under `x-rust-variants` in the overlay"
            );
        }
    }
    Ok(())
}

const KNOWN: [&str; 17] = [
    "$ref",
    "type",
    "format",
    "properties",
    "required",
    "items",
    "additionalProperties",
    "enum",
    "default",
    "oneOf",
    "discriminator",
    "description",
    "deprecated",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
];
const HARMLESS: [&str; 8] =
    ["pattern", "minItems", "maxItems", "uniqueItems", "readOnly", "writeOnly", "exclusiveMinimum", "exclusiveMaximum"];

fn refuse_what_is_not_mapped(document: &mut Value) -> Result<()> {
    let mut problems = Vec::new();
    document::visit_schemas(document, &mut |schema, pointer| {
        if let Some(problem) = objection(schema, pointer) {
            problems.push(format!("{pointer}: {problem}"));
        }
    });
    document::for_each_operation(document, |_, _, operation, pointer| {
        problems.extend(operation_objections(operation, &pointer));
        Ok(())
    })?;
    problems.extend(collisions(document)?);
    if problems.is_empty() {
        return Ok(());
    }
    bail!(
        "the document has constructs that the generator does not map; rewrite them with actions in openapi/overlay.yaml:\n  {}",
        problems.join("\n  ")
    )
}

fn objection(schema: &Value, pointer: &str) -> Option<String> {
    let rest = null::without(schema).schema;
    let Some(object) = rest.as_object() else { return Some("is not a schema object".into()) };
    let unknown = object
        .keys()
        .find(|key| !KNOWN.contains(&key.as_str()) && !HARMLESS.contains(&key.as_str()) && !key.starts_with("x-"));
    if let Some(unknown) = unknown {
        return Some(format!("`{unknown}` is not mapped"));
    }
    if object.get("type").is_some_and(Value::is_array) {
        return Some("several types at once are not mapped: use `oneOf`".into());
    }
    let component = pointer.strip_prefix("#/components/schemas/").is_some_and(|rest| !rest.contains('/'));
    if !component && object.get("properties").and_then(Value::as_object).is_some_and(|inner| !inner.is_empty()) {
        return Some("an inline object has no name: move it to a component".into());
    }
    if !component && object.contains_key("enum") {
        return Some("an inline enum has no name: move it to a component".into());
    }
    if let Some(branches) = object.get("oneOf").and_then(Value::as_array) {
        let scalars = branches
            .iter()
            .all(|branch| matches!(branch["type"].as_str(), Some("string" | "number" | "boolean" | "integer")));
        if !(scalars && component || object.contains_key("discriminator")) {
            return Some(
                "this `oneOf` is not mapped: it is neither a union with a discriminator, nor a choice between keys, nor a set of scalars".into(),
            );
        }
    }
    if let Some(values) = object.get("enum").and_then(Value::as_array)
        && !values.iter().all(Value::is_string)
    {
        return Some("an enum of anything but strings is not mapped".into());
    }
    None
}

fn operation_objections(operation: &Value, pointer: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if operation.get("operationId").and_then(Value::as_str).is_none() {
        problems.push(format!("{pointer}: has no operationId; add one in the overlay"));
    }
    if operation.pointer("/tags/0").and_then(Value::as_str).is_none() {
        problems.push(format!("{pointer}: has no tag, so no resource to belong to; add one in the overlay"));
    }
    for (index, parameter) in operation.get("parameters").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let place = parameter["in"].as_str().unwrap_or_default();
        if !matches!(place, "path" | "query") {
            problems.push(format!("{pointer}/parameters/{index}: a parameter in `{place}` is not mapped"));
        }
        if matches!(parameter.pointer("/schema/type").and_then(Value::as_str), Some("array" | "object")) {
            problems.push(format!("{pointer}/parameters/{index}: array and object parameters are not mapped"));
        }
    }
    if let Some(content) = operation.pointer("/requestBody/content").and_then(Value::as_object)
        && content.keys().any(|media| media != "application/json")
    {
        problems.push(format!("{pointer}/requestBody/content: only application/json bodies are mapped"));
    }
    let successes = || {
        let responses = operation.get("responses").and_then(Value::as_object);
        responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2'))
    };
    let bodies: Vec<_> =
        successes().map(|(_, response)| response.pointer("/content/application~1json/schema")).collect();
    if bodies.windows(2).any(|pair| pair[0] != pair[1]) {
        let statuses: Vec<_> = successes().map(|(status, _)| status.as_str()).collect();
        problems.push(format!(
            "{pointer}/responses: {} answer with different bodies; keep one in the overlay",
            statuses.join(" and ")
        ));
    }
    problems
}

/// The variant of an enum's value: its own words, or what `x-rust-values` calls a value without any, such as `×`.
pub(crate) fn variant_name(schema: &Value, value: &str) -> String {
    let named = schema.get(VALUES).and_then(|names| names.get(value)).and_then(Value::as_str);
    named.map_or_else(|| value.to_upper_camel_case(), str::to_owned)
}

/// Different wire names that become one Rust name.
fn collisions(document: &Value) -> Result<Vec<String>> {
    use heck::ToSnakeCase;
    let mut problems = Vec::new();
    for (name, schema) in document::schemas(document)? {
        let pointer = format!("#/components/schemas/{name}");
        let mut fields: BTreeMap<String, &str> = BTreeMap::new();
        for key in schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Object::keys) {
            if let Some(other) = fields.insert(key.to_snake_case(), key) {
                problems.push(format!("{pointer}/properties: `{other}` and `{key}` become one field name"));
            }
        }
        let mut variants: BTreeMap<String, &str> = BTreeMap::new();
        for value in schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            let variant = variant_name(schema, value);
            if variant.is_empty() || variant == "Unknown" || variant.starts_with(|first: char| !first.is_alphabetic()) {
                problems.push(format!(
                    "{pointer}/enum: the value `{value}` gives no variant name; name it under `x-rust-values` in the overlay"
                ));
            } else if let Some(other) = variants.insert(variant, value) {
                problems.push(format!("{pointer}/enum: `{other}` and `{value}` become one variant name"));
            }
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests;
