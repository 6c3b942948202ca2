//! From a published document to the canonical one: every fact kept, all prose dropped,
//! one component per shape and meaning. Pure; `spec import` does the reading and writing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::document::{self, Object};
use crate::names::{Decisions, NameTable};
use crate::null;

/// What an import has to say for itself.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Components published, and left after merging.
    pub(crate) components: (usize, usize),
    /// Operations in the document.
    pub(crate) operations: usize,
    /// Names without a decision, kept as published.
    pub(crate) undecided: Vec<String>,
    /// What would have to be decided before the document is taken in.
    pub(crate) open: Vec<String>,
}

/// Brings a published document into canonical form.
pub(crate) fn canonicalise(mut document: Value, names: &NameTable, decisions: Decisions) -> Result<(Value, Report)> {
    check_version(&document)?;
    inline_shared_parts(&mut document)?;
    uplift_from_3_0(&mut document);
    drop_prose(&mut document);
    drop_authorization_parameters(&mut document);
    hoist_enum_defaults(&mut document)?;
    sort_sets(&mut document);
    let mut report = merge_components(&mut document, names, decisions)?;
    if let Err(twins) = report_twins(&document, names) {
        match decisions {
            Decisions::Required => return Err(twins),
            Decisions::Optional => report.open.push(twins.to_string()),
        }
    }
    document::for_each_operation(&document, |_, _, _, _| {
        report.operations += 1;
        Ok(())
    })?;
    Ok((document, report))
}

/// Whether this is an OpenAPI document of a version that is read.
pub(crate) fn check_version(document: &Value) -> Result<()> {
    match document.get("openapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("3.0") || version.starts_with("3.1") => Ok(()),
        Some(version) => bail!("#/openapi: version {version} is not supported: 3.0 and 3.1 are"),
        None => bail!("#/openapi is missing: this is not an OpenAPI 3 document"),
    }
}

/// Replaces references to shared parameters, bodies and responses by what they name, and moves
/// the parameters of a path into its operations.
fn inline_shared_parts(document: &mut Value) -> Result<()> {
    let whole = document.clone();
    let resolve = |part: &Value| -> Result<Value> {
        match part.get("$ref").and_then(Value::as_str) {
            None => Ok(part.clone()),
            Some(pointer) => whole
                .pointer(pointer.trim_start_matches('#'))
                .cloned()
                .with_context(|| format!("{pointer} names nothing in this document")),
        }
    };
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).context("#/paths is missing")?;
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        let shared = item.remove("parameters");
        for operation in item.values_mut().filter_map(Value::as_object_mut) {
            let mut parameters: Vec<Value> = Vec::new();
            for part in [operation.get("parameters"), shared.as_ref()].into_iter().flatten() {
                for parameter in part.as_array().into_iter().flatten() {
                    let parameter = resolve(parameter)?;
                    if !parameters.iter().any(|own| own["name"] == parameter["name"] && own["in"] == parameter["in"]) {
                        parameters.push(parameter);
                    }
                }
            }
            if !parameters.is_empty() {
                operation.insert("parameters".into(), parameters.into());
            }
            if let Some(body) = operation.get_mut("requestBody") {
                *body = resolve(body)?;
            }
            for response in
                operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flat_map(Object::values_mut)
            {
                *response = resolve(response)?;
            }
        }
    }
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        for part in ["parameters", "requestBodies", "responses", "headers", "examples", "links"] {
            components.remove(part);
        }
    }
    Ok(())
}

/// Says in 3.1 what the document said in 3.0.
fn uplift_from_3_0(document: &mut Value) {
    document["openapi"] = "3.1.0".into();
    document::visit_schemas(document, &mut |schema, _| {
        let Some(object) = schema.as_object_mut() else { return };
        for (bound, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            match object.get(exclusive) {
                Some(Value::Bool(true)) => {
                    if let Some(limit) = object.remove(bound) {
                        object.insert(exclusive.into(), limit);
                    }
                }
                Some(Value::Bool(false)) => {
                    object.remove(exclusive);
                }
                _ => {}
            }
        }
        if object.remove("nullable") == Some(Value::Bool(true)) {
            null::allow(schema);
        }
    });
}

/// Words for people, and where a fact is known from.
const PROSE: [&str; 7] = ["summary", "description", "title", "example", "examples", "externalDocs", document::SOURCE];

fn drop_prose(document: &mut Value) {
    let drop_from = |value: &mut Value| {
        if let Some(object) = value.as_object_mut() {
            object.retain(|key, _| !PROSE.contains(&key.as_str()));
        }
    };
    let title = document.pointer("/info/title").cloned();
    for part in ["/info", "/servers"] {
        match document.pointer_mut(part) {
            Some(Value::Array(entries)) => entries.iter_mut().for_each(drop_from),
            Some(part) => drop_from(part),
            None => {}
        }
    }
    if let (Some(info), Some(title)) = (document.get_mut("info").and_then(Value::as_object_mut), title) {
        info.insert("title".into(), title);
    }
    if let Some(object) = document.as_object_mut() {
        object.retain(|key, _| !matches!(key.as_str(), "tags" | "externalDocs"));
    }
    for scheme in object_values(document.pointer_mut("/components/securitySchemes")) {
        drop_from(scheme);
    }
    document::visit_schemas(document, &mut |schema, _| drop_from(schema));
    for item in object_values(document.get_mut("paths")) {
        drop_from(item);
    }
    for operation in document::operations_mut(document) {
        operation.retain(|key, _| !PROSE.contains(&key.as_str()));
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            drop_from(parameter);
        }
        if let Some(body) = operation.get_mut("requestBody") {
            drop_from(body);
            object_values(body.get_mut("content")).for_each(drop_from);
        }
        for response in object_values(operation.get_mut("responses")) {
            drop_from(response);
            object_values(response.get_mut("content")).for_each(drop_from);
            response["description"] = "".into();
        }
    }
}

fn object_values(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    value.and_then(Value::as_object_mut).into_iter().flat_map(Object::values_mut)
}

/// The bearer scheme says what these headers say.
fn drop_authorization_parameters(document: &mut Value) {
    for operation in document::operations_mut(document) {
        let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else { continue };
        parameters.retain(|parameter| {
            let named = |key: &str, value: &str| {
                parameter.get(key).and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case(value))
            };
            !(named("in", "header") && named("name", "authorization"))
        });
        if parameters.is_empty() {
            operation.remove("parameters");
        }
    }
}

/// A default belongs to the place that uses an enum: inside it, it would split equal enums.
fn hoist_enum_defaults(document: &mut Value) -> Result<()> {
    let mut defaults = BTreeMap::new();
    for (name, schema) in document::schemas_mut(document)? {
        if let Some(object) = schema.as_object_mut().filter(|object| object.contains_key("enum"))
            && let Some(default) = object.remove("default")
        {
            defaults.insert(name.clone(), default);
        }
    }
    document::visit_schemas(document, &mut |schema, _| {
        if let Some(default) = document::referenced(schema).and_then(|name| defaults.get(name)).cloned()
            && let Some(object) = schema.as_object_mut()
        {
            object.entry("default").or_insert(default);
        }
    });
    Ok(())
}

/// Puts everything that is a set into one order.
pub(crate) fn sort_sets(document: &mut Value) {
    document::visit_schemas(document, &mut |schema, _| {
        for key in ["required", "enum"] {
            if let Some(set) = schema.get_mut(key).and_then(Value::as_array_mut) {
                set.sort_by_key(ToString::to_string);
            }
        }
    });
    for operation in document::operations_mut(document) {
        if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
            parameters.sort_by_key(|parameter| (parameter["in"].to_string(), parameter["name"].to_string()));
        }
    }
}

fn merge_components(document: &mut Value, names: &NameTable, decisions: Decisions) -> Result<Report> {
    let naming = names.decide(document::schemas(document)?.keys().map(String::as_str), decisions)?;
    // Once, since one component may take the published name of another.
    document::visit_schemas(document, &mut |schema, _| rename_reference(schema, &naming.renamed));
    let published = std::mem::take(document::schemas_mut(document)?);
    let count = published.len();
    let mut merged: BTreeMap<String, (String, Value)> = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, schema) in published {
        let target = naming.renamed.get(&name).cloned().unwrap_or_else(|| name.clone());
        match merged.get(&target) {
            None => {
                merged.insert(target, (name, schema));
            }
            Some((_, known)) if *known == schema => {}
            Some((first, known)) => problems.push(format!(
                "`{first}` and `{name}` are both named `{target}`, but differ: {}",
                first_difference(known, &schema, "").unwrap_or_default()
            )),
        }
    }
    if !problems.is_empty() {
        bail!("components that the name table merges have different shapes:\n  {}", problems.join("\n  "));
    }
    let left = merged.len();
    *document::schemas_mut(document)? = merged.into_iter().map(|(name, (_, schema))| (name, schema)).collect();
    Ok(Report { components: (count, left), undecided: naming.undecided, open: naming.open, operations: 0 })
}

/// Gives the components of another document the names that its own table asks for. Returns how many it names.
pub(crate) fn rename_components(document: &mut Value, names: &NameTable) -> Result<usize> {
    let before: BTreeSet<String> = document::schemas(document)?.keys().cloned().collect();
    let naming = names.decide(before.iter().map(String::as_str), Decisions::Optional)?;
    let wrong: Vec<_> = naming.open.iter().filter(|problem| problem.contains("matches ")).cloned().collect();
    if !wrong.is_empty() {
        bail!("the name table does not fit the document:\n  {}", wrong.join("\n  "));
    }
    let renamed = naming.renamed.iter().filter(|(from, to)| from != to).count();
    if renamed > 0 {
        merge_components(document, names, Decisions::Optional)?;
    }
    Ok(renamed)
}

fn rename_reference(schema: &mut Value, renamed: &BTreeMap<String, String>) {
    if let Some(name) = document::referenced(schema).and_then(|name| renamed.get(name)) {
        schema["$ref"] = format!("#/components/schemas/{name}").into();
    }
    if let Some(mapping) = schema.pointer_mut("/discriminator/mapping").and_then(Value::as_object_mut) {
        for target in mapping.values_mut() {
            let name = target.as_str().map(|text| text.trim_start_matches("#/components/schemas/"));
            if let Some(name) = name.and_then(|name| renamed.get(name)) {
                *target = format!("#/components/schemas/{name}").into();
            }
        }
    }
}

/// The first place where two documents differ, with both values.
pub(crate) fn first_difference(one: &Value, two: &Value, pointer: &str) -> Option<String> {
    match (one, two) {
        (Value::Object(one), Value::Object(two)) => {
            let keys: BTreeSet<_> = one.keys().chain(two.keys()).collect();
            keys.into_iter().find_map(|key| {
                let pointer = format!("{pointer}/{}", document::escape(key));
                first_difference(one.get(key).unwrap_or(&Value::Null), two.get(key).unwrap_or(&Value::Null), &pointer)
            })
        }
        (Value::Array(one), Value::Array(two)) if one.len() == two.len() => {
            let mut pairs = one.iter().zip(two).enumerate();
            pairs.find_map(|(index, (one, two))| first_difference(one, two, &format!("{pointer}/{index}")))
        }
        _ if one == two => None,
        _ => Some(format!("at {pointer}, {one} and {two}")),
    }
}

/// Equal shapes must be merged or declared to mean different things.
fn report_twins(document: &Value, names: &NameTable) -> Result<()> {
    let mut shapes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, schema) in document::schemas(document)? {
        let mut shape = schema.clone();
        shape.sort_all_objects();
        shapes.entry(shape.to_string()).or_default().insert(name.clone());
    }
    let twins: Vec<_> = shapes
        .into_values()
        .filter(|group| group.len() > 1 && !names.keeps_apart(group))
        .map(|group| group.into_iter().collect::<Vec<_>>().join(", "))
        .collect();
    if twins.is_empty() {
        return Ok(());
    }
    bail!(
        "components of one shape: merge each group under one name (`rename`) or list it under `apart`:\n  {}",
        twins.join("\n  ")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn import(document: &str, names: &str) -> Result<Value> {
        let names = NameTable::parse(names)?;
        canonicalise(document::parse(document)?, &names, Decisions::Required).map(|(document, _)| document)
    }

    const TWO_ENUMS: &str = r#"
openapi: 3.1.0
info: {title: T, version: '1', description: prose}
paths:
  /a/:
    get:
      operationId: list-a
      summary: prose
      parameters:
        - {name: Authorization, in: header, schema: {type: string}}
        - {name: state, in: query, schema: {$ref: '#/components/schemas/AState'}}
      responses: {'200': {description: prose, content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}}
components:
  schemas:
    AState: {type: string, enum: [b, a], title: prose, default: a}
    BState: {type: string, enum: [a, b], description: prose}
    A: {type: object, required: [two, one], properties: {one: {$ref: '#/components/schemas/BState'}, two: {type: string, description: prose}}}
"#;

    #[test]
    fn prose_and_authorization_go_and_facts_stay() {
        let document = import(TWO_ENUMS, "rename: {State: ['State?', AState, BState]}").unwrap_err().to_string();
        assert!(document.contains("`State?` matches no component"), "{document}");
        let document = import(TWO_ENUMS, "rename: {State: [AState, BState]}\nkeep: [A]").unwrap();
        assert!(!document.to_string().contains("prose"), "{document}");
        assert_eq!(document["paths"]["/a/"]["get"]["parameters"].as_array().unwrap().len(), 1);
        assert_eq!(document["components"]["schemas"]["A"]["required"], json!(["one", "two"]));
    }

    #[test]
    fn merged_enums_leave_their_default_where_they_are_used() {
        let document = import(TWO_ENUMS, "rename: {State: [AState, BState]}\nkeep: [A]").unwrap();
        assert_eq!(document["components"]["schemas"]["State"], json!({"type": "string", "enum": ["a", "b"]}));
        assert_eq!(document["paths"]["/a/"]["get"]["parameters"][0]["schema"]["default"], "a");
        assert_eq!(document["components"]["schemas"]["A"]["properties"]["one"], document::reference("State"));
    }

    #[test]
    fn a_component_can_take_the_published_name_of_another() {
        let document =
            import(TWO_ENUMS, "rename: {AState: [BState], Filter: [AState]}\nkeep: [A]\napart: [[AState, Filter]]");
        let document = document.unwrap();
        assert_eq!(document["components"]["schemas"]["A"]["properties"]["one"], document::reference("AState"));
        assert_eq!(document["paths"]["/a/"]["get"]["parameters"][0]["schema"]["$ref"], "#/components/schemas/Filter");
    }

    #[test]
    fn twins_must_be_merged_or_kept_apart() {
        let error = import(TWO_ENUMS, "keep: [A, AState, BState]").unwrap_err().to_string();
        assert!(error.contains("AState, BState"), "{error}");
        import(TWO_ENUMS, "keep: [A, AState, BState]\napart: [[AState, BState]]").unwrap();
    }

    #[test]
    fn different_shapes_are_never_merged() {
        let error = import(TWO_ENUMS, "rename: {X: [A, AState]}\nkeep: [BState]").unwrap_err().to_string();
        assert!(error.contains("`A` and `AState` are both named `X`, but differ: at /enum"), "{error}");
    }

    #[test]
    fn a_3_0_document_says_the_same_in_3_1() {
        let document = import(
            "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {}\ncomponents: {schemas: {A: {type: object, properties: {a: {type: string, nullable: true}, b: {nullable: true, allOf: [{$ref: '#/components/schemas/B'}]}}}, B: {type: number, minimum: 1, exclusiveMinimum: true}}}",
            "keep: [A, B]",
        )
        .unwrap();
        let a = &document["components"]["schemas"]["A"]["properties"];
        assert_eq!(a["a"]["type"], json!(["string", "null"]));
        assert_eq!(a["b"], json!({"oneOf": [document::reference("B"), {"type": "null"}]}));
        assert_eq!(document["components"]["schemas"]["B"], json!({"type": "number", "exclusiveMinimum": 1}));
    }

    #[test]
    fn swagger_2_is_refused_by_name() {
        assert!(import("swagger: '2.0'", "{}").unwrap_err().to_string().contains("#/openapi is missing"));
    }
}
