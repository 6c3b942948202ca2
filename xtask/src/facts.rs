//! What the simplified document says, in the generator's terms: types with their direction, fields with their
//! wire facts, resources with their operations. Read once; the passes of `reshape` look things up here.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;

use crate::document::{self, Object};
use crate::downlevel::NEWTYPE;
use crate::simplify::{CHOICE, FLATTEN};

/// Everything the passes ask about a document.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) types: BTreeMap<String, Type>,
    pub(crate) resources: Vec<Resource>,
    /// Id types: name to documentation.
    pub(crate) newtypes: BTreeMap<String, Newtype>,
}

/// An id type.
#[derive(Debug)]
pub(crate) struct Newtype {
    pub(crate) doc: String,
    pub(crate) reached_by: BTreeSet<String>,
}

/// A component.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) doc: Option<String>,
    pub(crate) shape: Shape,
    /// Some operation sends it.
    pub(crate) sent: bool,
    /// Some operation answers with it.
    pub(crate) received: bool,
    /// The features that need it.
    pub(crate) reached_by: BTreeSet<String>,
    /// The order of the constructor's arguments, where the overlay sets one.
    pub(crate) constructor: Vec<String>,
}

/// What kind of type a component becomes.
#[derive(Debug)]
pub(crate) enum Shape {
    Struct(Vec<Field>),
    Enum(Vec<(String, Option<String>)>),
    /// By the value of a tag.
    Union {
        tag: String,
        variants: Vec<UnionVariant>,
    },
    /// By which key is there.
    Choice(Vec<ChoiceVariant>),
    /// By JSON type.
    Scalars(Vec<String>),
}

/// A branch of a union.
#[derive(Debug)]
pub(crate) struct UnionVariant {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) type_name: String,
}

/// A branch of a choice.
#[derive(Debug)]
pub(crate) struct ChoiceVariant {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) type_name: String,
}

/// A property or a parameter.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) wire: String,
    pub(crate) doc: Option<String>,
    pub(crate) required: bool,
    pub(crate) nullable: bool,
    pub(crate) kind: Kind,
    pub(crate) format: Option<String>,
    pub(crate) limits: Vec<String>,
    pub(crate) default: Option<Value>,
    pub(crate) flatten: bool,
    pub(crate) deprecated: bool,
    /// Every component and id type its schema names, at any depth.
    pub(crate) mentions: BTreeSet<String>,
}

/// The JSON type of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Number,
    Boolean,
    Text,
    Array,
    Map,
    Any,
    Newtype(String),
    Component(String),
}

/// A tag of the document: one file, one feature.
#[derive(Debug)]
pub(crate) struct Resource {
    /// The cargo feature, in kebab case.
    pub(crate) feature: String,
    pub(crate) doc: Option<String>,
    pub(crate) operations: Vec<Operation>,
}

/// One method of a resource.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) http_method: String,
    pub(crate) path: String,
    pub(crate) doc: Option<String>,
    pub(crate) path_parameters: Vec<Field>,
    pub(crate) query: Vec<Field>,
    pub(crate) body: Option<String>,
    pub(crate) empty_body: bool,
    pub(crate) answer: Option<String>,
    pub(crate) errors: Vec<String>,
    /// `list[*].key`: repeating is safe when every element has the key.
    pub(crate) keyed_by: Option<String>,
    /// The overlay says that repeating is safe.
    pub(crate) repeatable: bool,
    pub(crate) deprecated: bool,
}

impl Resource {
    /// `CustomerPortals`.
    pub(crate) fn type_name(&self) -> String {
        self.feature.to_upper_camel_case()
    }

    /// `customer_portals`.
    pub(crate) fn module(&self) -> String {
        self.feature.to_snake_case()
    }
}

impl Operation {
    /// The name progenitor gives to the function of this operation.
    pub(crate) fn raw_name(&self) -> String {
        self.id.to_snake_case()
    }

    /// The type of the builder for optional query parameters.
    pub(crate) fn builder(&self) -> String {
        self.id.strip_suffix("-by-id").unwrap_or(&self.id).to_upper_camel_case()
    }
}

/// Reads a simplified document.
pub(crate) fn read(document: &Value) -> Result<Facts> {
    let mut types = BTreeMap::new();
    for (name, schema) in document::schemas(document)? {
        let read = read_type(document, name, schema).with_context(|| format!("#/components/schemas/{name}"))?;
        types.insert(name.clone(), read);
    }
    let resources = read_resources(document)?;
    let mut newtypes: BTreeMap<String, Newtype> = document
        .get("x-rust-newtypes")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, doc)| {
            let doc = doc.as_str().unwrap_or_default().to_owned();
            (name.clone(), Newtype { doc, reached_by: BTreeSet::new() })
        })
        .collect();
    mark_reach(&mut types, &mut newtypes, &resources)?;
    refuse_shared_names(&types, &resources)?;
    types.retain(|_, known| !known.reached_by.is_empty());
    newtypes.retain(|_, known| !known.reached_by.is_empty());
    Ok(Facts { types, resources, newtypes })
}

/// Handles, builders and types are all imported by name.
fn refuse_shared_names(types: &BTreeMap<String, Type>, resources: &[Resource]) -> Result<()> {
    let builders = resources.iter().flat_map(|resource| resource.operations.iter().map(Operation::builder));
    let mut names = resources.iter().map(Resource::type_name).chain(builders);
    match names.find(|name| types.contains_key(name)) {
        Some(name) => bail!(
            "`{name}` is a component and also a resource or a request builder: rename the component in openapi/names.yaml"
        ),
        None => Ok(()),
    }
}

fn prose(value: &Value) -> Option<String> {
    value.get("description").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn read_type(document: &Value, name: &str, schema: &Value) -> Result<Type> {
    let shape = if let Some(variants) = schema.get(CHOICE).and_then(Value::as_object) {
        Shape::Choice(
            variants
                .iter()
                .map(|(variant, key)| {
                    let key = key.as_str().context("a choice's key is not a string")?;
                    let kind = kind(schema.pointer(&format!("/properties/{key}")).context("a choice without its key")?);
                    let type_name = match kind {
                        Kind::Newtype(name) | Kind::Component(name) => name,
                        _ => "String".to_owned(),
                    };
                    Ok(ChoiceVariant { name: variant.clone(), key: key.to_owned(), type_name })
                })
                .collect::<Result<_>>()?,
        )
    } else if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let docs = schema.get("x-rust-docs");
        Shape::Enum(
            values
                .iter()
                .filter_map(Value::as_str)
                .map(|value| (value.to_owned(), docs.and_then(|docs| docs.get(value)?.as_str()).map(str::to_owned)))
                .collect(),
        )
    } else if let Some(tag) = schema.pointer("/discriminator/propertyName").and_then(Value::as_str) {
        let variants = schema.get("x-rust-variants").and_then(Value::as_object).context("no variants")?;
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let variants = variants
            .iter()
            .map(|(name, variant)| UnionVariant {
                name: name.clone(),
                value: text(variant, "value"),
                type_name: text(variant, "type"),
            })
            .collect();
        Shape::Union { tag: tag.to_owned(), variants }
    } else if let Some(branches) = schema.get("oneOf").and_then(Value::as_array) {
        Shape::Scalars(branches.iter().filter_map(|branch| branch["type"].as_str()).map(str::to_owned).collect())
    } else if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        Shape::Struct(read_fields(properties, schema.get("required")))
    } else {
        bail!("`{name}` in {} is no type the generator knows", document["info"]["title"]);
    };
    let constructor = schema.get("x-rust-new").and_then(Value::as_array).into_iter().flatten();
    Ok(Type {
        doc: prose(schema),
        shape,
        sent: false,
        received: false,
        reached_by: BTreeSet::new(),
        constructor: constructor.filter_map(Value::as_str).map(str::to_owned).collect(),
    })
}

fn read_fields(properties: &Object, required: Option<&Value>) -> Vec<Field> {
    let required: BTreeSet<_> =
        required.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    properties.iter().map(|(wire, schema)| read_field(wire, schema, required.contains(wire.as_str()))).collect()
}

fn read_field(wire: &str, schema: &Value, required: bool) -> Field {
    let branches = schema.get("oneOf").and_then(Value::as_array);
    let null_branch = branches.is_some_and(|branches| branches.iter().any(|branch| branch["type"] == "null"));
    let null_type =
        schema.get("type").and_then(Value::as_array).is_some_and(|types| types.iter().any(|name| name == "null"));
    let limits = [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "pattern",
        "minItems",
        "maxItems",
    ];
    Field {
        wire: wire.to_owned(),
        doc: prose(schema),
        required,
        nullable: null_branch || null_type,
        kind: kind(schema),
        format: schema.get("format").and_then(Value::as_str).map(str::to_owned),
        limits: limits.iter().filter_map(|limit| Some(format!("{limit} {}", schema.get(limit)?))).collect(),
        default: schema.get("default").cloned(),
        flatten: schema.get(FLATTEN).is_some(),
        deprecated: schema.get("deprecated") == Some(&Value::Bool(true)),
        mentions: mentions(schema),
    }
}

fn mentions(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    document::visit_schema(&mut schema.clone(), "", &mut |inner, _| {
        let newtype = inner.get(NEWTYPE).and_then(Value::as_str);
        found.extend(newtype.or_else(|| document::referenced(inner)).map(str::to_owned));
    });
    found
}

fn kind(schema: &Value) -> Kind {
    if let Some(name) = schema.get(NEWTYPE).and_then(Value::as_str) {
        return Kind::Newtype(name.to_owned());
    }
    if let Some(name) = document::referenced(schema) {
        return Kind::Component(name.to_owned());
    }
    if let Some(branches) = schema.get("oneOf").and_then(Value::as_array)
        && let Some(branch) = branches.iter().find(|branch| branch["type"] != "null")
    {
        return kind(branch);
    }
    let name = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().find(|name| *name != "null").and_then(Value::as_str),
        other => other.and_then(Value::as_str),
    };
    match name {
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        Some("string") => Kind::Text,
        Some("array") => Kind::Array,
        Some("object") => Kind::Map,
        _ => Kind::Any,
    }
}

fn read_resources(document: &Value) -> Result<Vec<Resource>> {
    let tags = document.get("tags").and_then(Value::as_array);
    let tag = |name: &str| tags.into_iter().flatten().find(|tag| tag["name"] == name);
    let mut resources: BTreeMap<String, Resource> = BTreeMap::new();
    document::for_each_operation(document, |path, method, operation, pointer| {
        let name =
            operation.pointer("/tags/0").and_then(Value::as_str).with_context(|| format!("{pointer}: no tag"))?;
        let feature = tag(name).and_then(|tag| tag["x-rust-name"].as_str()).unwrap_or(name).to_owned();
        let resource = resources.entry(feature.clone()).or_insert_with(|| Resource {
            feature: feature.clone(),
            doc: tag(name).and_then(prose),
            operations: Vec::new(),
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
    let mut path_parameters = Vec::new();
    let mut query = Vec::new();
    for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        let wire = parameter["name"].as_str().with_context(|| format!("{pointer}: a parameter without a name"))?;
        let mut field = read_field(wire, &parameter["schema"], parameter["required"] == true);
        field.doc = prose(parameter).or(field.doc);
        field.deprecated |= parameter["deprecated"] == true;
        if parameter["in"] == "path" { path_parameters.push(field) } else { query.push(field) }
    }
    path_parameters.sort_by_key(|field| path.find(&format!("{{{}}}", field.wire)));
    let body = operation.pointer("/requestBody/content/application~1json/schema");
    let body = body
        .map(|schema| {
            let name = document::referenced(schema).map(str::to_owned);
            name.with_context(|| format!("{pointer}/requestBody: the body has no name: move it to a component"))
        })
        .transpose()?;
    let responses = operation.get("responses").and_then(Value::as_object);
    let errors =
        responses.into_iter().flat_map(Object::keys).filter(|status| !status.starts_with('2')).cloned().collect();
    let answer = responses
        .into_iter()
        .flatten()
        .find(|(status, _)| status.starts_with('2'))
        .and_then(|(_, response)| response.pointer("/content/application~1json/schema"));
    let empty = answer.is_none_or(|schema| is_empty_object(document, schema));
    let answer = match answer {
        Some(schema) if !empty => {
            let name = document::referenced(schema);
            Some(
                name.with_context(|| format!("{pointer}/responses: the answer has no name: move it to a component"))?
                    .to_owned(),
            )
        }
        _ => None,
    };
    Ok(Operation {
        id,
        name,
        http_method: method.to_uppercase(),
        path: path.to_owned(),
        doc: prose(operation),
        path_parameters,
        query,
        body,
        empty_body: operation.get("x-rust-empty-body").is_some(),
        answer,
        errors,
        keyed_by: operation.get("x-rust-keyed-by").and_then(Value::as_str).map(str::to_owned),
        repeatable: operation.get("x-rust-repeatable") == Some(&Value::Bool(true)),
        deprecated: operation.get("deprecated") == Some(&Value::Bool(true)),
    })
}

fn is_empty_object(document: &Value, schema: &Value) -> bool {
    let resolved =
        document::referenced(schema).and_then(|name| document::schemas(document).ok()?.get(name)).unwrap_or(schema);
    resolved.get("properties").and_then(Value::as_object).is_some_and(Object::is_empty)
}

/// `get-customer-by-external-id` of `customers` is `get_by_external_id`.
fn method_name(id: &str, feature: &str) -> String {
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

fn mark_reach(
    types: &mut BTreeMap<String, Type>,
    newtypes: &mut BTreeMap<String, Newtype>,
    resources: &[Resource],
) -> Result<()> {
    for resource in resources {
        let mut reach = |name: &str, sent: bool| reach(types, newtypes, name, &resource.feature, sent);
        for operation in &resource.operations {
            for field in operation.path_parameters.iter().chain(&operation.query) {
                for name in &field.mentions {
                    reach(name, true)?;
                }
            }
            for (name, sent) in [(&operation.body, true), (&operation.answer, false)] {
                if let Some(name) = name {
                    reach(name, sent)?;
                }
            }
        }
    }
    Ok(())
}

fn reach(
    types: &mut BTreeMap<String, Type>,
    newtypes: &mut BTreeMap<String, Newtype>,
    name: &str,
    feature: &str,
    sent: bool,
) -> Result<()> {
    if name == "String" {
        return Ok(());
    }
    if let Some(newtype) = newtypes.get_mut(name) {
        newtype.reached_by.insert(feature.to_owned());
        return Ok(());
    }
    let Some(known) = types.get_mut(name) else {
        bail!("`{name}` is neither a component nor declared under `x-rust-newtypes` in openapi/overlay.yaml");
    };
    let new = known.reached_by.insert(feature.to_owned()) | (if sent { !known.sent } else { !known.received });
    if !new {
        return Ok(());
    }
    known.sent |= sent;
    known.received |= !sent;
    for inner in known.shape.mentions() {
        reach(types, newtypes, &inner, feature, sent)?;
    }
    Ok(())
}

impl Shape {
    fn mentions(&self) -> Vec<String> {
        match self {
            Self::Enum(_) | Self::Scalars(_) => Vec::new(),
            Self::Union { variants, .. } => variants.iter().map(|variant| variant.type_name.clone()).collect(),
            Self::Choice(variants) => variants.iter().map(|variant| variant.type_name.clone()).collect(),
            Self::Struct(fields) => fields.iter().flat_map(|field| field.mentions.iter().cloned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
