//! What the simplified document says, in the generator's terms: types with their direction, fields with their
//! wire facts, resources with their operations. Read once; the passes of `reshape` look things up here.

mod cycles;
mod operations;
mod reach;
mod schemas;
mod told;

pub(crate) use operations::method_name;
pub(crate) use reach::Reach;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;

use crate::document;

/// Everything the passes ask about a document.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) types: BTreeMap<String, Type>,
    pub(crate) resources: Vec<Resource>,
    /// Id types: name to documentation.
    pub(crate) newtypes: BTreeMap<String, Newtype>,
    pub(crate) cycles: cycles::Cycles,
}

/// An id type.
#[derive(Debug)]
pub(crate) struct Newtype {
    pub(crate) doc: String,
    /// Only Paid makes its values: no text converts into it.
    pub(crate) opaque: bool,
    pub(crate) reached_by: Reach,
}

/// A component.
#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) doc: Option<String>,
    /// Where it is known from, if Paid's published document does not have it.
    pub(crate) source: Option<String>,
    pub(crate) shape: Shape,
    /// Some operation sends it.
    pub(crate) sent: bool,
    /// Some operation answers with it.
    pub(crate) received: bool,
    /// The features that need it.
    pub(crate) reached_by: Reach,
    /// Sentences on the operations that take it, and on those that answer with it.
    pub(crate) uses: Vec<String>,
    /// The order of the constructor's arguments, where the overlay sets one.
    pub(crate) constructor: Vec<String>,
}

/// What kind of type a component becomes.
#[derive(Debug)]
pub(crate) enum Shape {
    Struct(Vec<Field>),
    Enum(Vec<EnumValue>),
    /// By the value of a tag.
    Union {
        tag: String,
        variants: Vec<UnionVariant>,
    },
    /// By which key is there.
    Choice(Vec<ChoiceVariant>),
    /// By JSON type.
    Scalars(Vec<String>),
    /// Whole numbers with names.
    Codes(Vec<Code>),
    /// By what can be seen of the value: its JSON type, its keys, the values of some.
    OneOf(Vec<Branch>),
}

/// A value of an enum of whole numbers.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) value: i64,
    pub(crate) name: String,
}

/// A branch of a union that is told apart by what can be seen.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) name: String,
    pub(crate) value: Field,
    pub(crate) rule: Rule,
}

/// When a value belongs to a branch.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its JSON type.
    pub(crate) is: String,
    /// The keys that it has: key, JSON types, and values, of which no list means any.
    pub(crate) keys: Vec<(String, Vec<String>, Vec<String>)>,
}

/// A value of an enum.
#[derive(Debug)]
pub(crate) struct EnumValue {
    pub(crate) value: String,
    /// Its variant.
    pub(crate) name: String,
    pub(crate) doc: Option<String>,
}

/// A branch of a union.
#[derive(Debug)]
pub(crate) struct UnionVariant {
    pub(crate) name: String,
    pub(crate) value: String,
    /// `None` if the branch has nothing but its tag.
    pub(crate) type_name: Option<String>,
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
    /// Its name in Rust.
    pub(crate) ident: String,
    /// What it is, without null.
    pub(crate) schema: Value,
    pub(crate) doc: Option<String>,
    /// Where it is known from, if Paid's published document does not have it.
    pub(crate) source: Option<String>,
    pub(crate) required: bool,
    pub(crate) nullable: bool,
    pub(crate) kind: Kind,
    pub(crate) format: Option<String>,
    pub(crate) limits: Vec<String>,
    pub(crate) default: Option<Value>,
    pub(crate) flatten: bool,
    pub(crate) deprecated: bool,
    /// Required, but few read it: an answer without it is read all the same.
    pub(crate) lenient: bool,
    /// The server sets it: a request does not have it.
    pub(crate) read_only: bool,
    /// Only requests have it.
    pub(crate) write_only: bool,
    /// How a parameter that is no plain text is written.
    pub(crate) encoding: Option<Encoding>,
    /// Every key that the object's own fields leave.
    pub(crate) additional: bool,
    /// Every component and id type its schema names, at any depth.
    pub(crate) mentions: BTreeSet<String>,
}

/// Whether a field of a struct has a value, and what it means when it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Always.
    Always,
    /// The key is always there, its value may be null.
    OrNull,
    /// The key may be missing; in an answer its value may be null too.
    OrMissing,
    /// In a request: missing leaves the value, null clears it.
    Patch,
}

impl Field {
    /// How the field of a type is there, depending on whether some operation sends that type.
    pub(crate) fn presence(&self, sent: bool) -> Presence {
        match (self.required, self.nullable) {
            (true, false) if self.lenient => Presence::OrMissing,
            (true, false) => Presence::Always,
            (true, true) => Presence::OrNull,
            (false, true) if sent => Presence::Patch,
            (false, _) => Presence::OrMissing,
        }
    }
}

/// The JSON type of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    /// Up to 2^64 - 1.
    Unsigned,
    Number,
    /// A number of which every digit counts: money, and credits.
    Decimal,
    /// The same in a string.
    DecimalText,
    Boolean,
    Text,
    Array,
    Map,
    Any,
    Newtype(String),
    Component(String),
}

impl Kind {
    /// Whether every digit counts.
    pub(crate) fn is_decimal(&self) -> bool {
        matches!(self, Self::Decimal | Self::DecimalText)
    }
}

/// One or several tags of the document: one file, one feature.
#[derive(Debug)]
pub(crate) struct Resource {
    /// The cargo feature, in kebab case.
    pub(crate) feature: String,
    pub(crate) doc: Option<String>,
    pub(crate) operations: Vec<Operation>,
    /// What its handle is called, if not like the feature.
    pub(crate) handle: Option<String>,
}

/// One method of a resource.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) name: String,
    /// What the overlay calls its builder.
    pub(crate) builder: Option<String>,
    pub(crate) http_method: String,
    pub(crate) path: String,
    pub(crate) doc: Option<String>,
    /// Where it is known from, if Paid's published document does not have it.
    pub(crate) source: Option<String>,
    pub(crate) path_parameters: Vec<Field>,
    pub(crate) query: Vec<Field>,
    pub(crate) headers: Vec<(Place, Field)>,
    pub(crate) body: Option<Payload>,
    pub(crate) empty_body: bool,
    pub(crate) answer: Option<Payload>,
    /// Of another document than Paid's: its parameters have no rules of ours.
    pub(crate) foreign: bool,
    pub(crate) errors: Vec<String>,
    /// `list[*].key`: repeating is safe when every element has the key.
    pub(crate) keyed_by: Option<String>,
    /// The overlay says that repeating is safe.
    pub(crate) repeatable: bool,
    pub(crate) deprecated: bool,
}

/// Where a parameter stands that is part of neither the path nor the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Header,
    Cookie,
}

/// How lists and objects are written into a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// OpenAPI's `style`, or `json`.
    pub(crate) style: String,
    pub(crate) explode: bool,
}

/// A body or an answer.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) form: Form,
    pub(crate) value: Field,
    /// Some answers of the operation have no body.
    pub(crate) optional: bool,
}

/// How a body or an answer is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    /// JSON under a media type of its own.
    JsonAs(String),
    /// Pairs, as browsers send them.
    Pairs,
    /// Parts, with files.
    Parts,
    /// Text of this media type.
    Text(String),
    /// Bytes of this media type.
    Bytes(String),
}

impl Payload {
    /// The component that it is, if it is one.
    pub(crate) fn component(&self) -> Option<&str> {
        match &self.value.kind {
            Kind::Component(name) if self.form == Form::Json && !self.optional => Some(name),
            _ => None,
        }
    }
}

impl Type {
    /// Whether fields that the document does not know are kept. A type that is also sent has fixed fields: in a
    /// request, an unchecked field would hide a typo.
    pub(crate) fn keeps_other_fields(&self) -> bool {
        let open = |fields: &Vec<Field>| !fields.iter().any(|field| field.additional);
        self.received && !self.sent && matches!(&self.shape, Shape::Struct(fields) if open(fields))
    }
}

impl Facts {
    /// Everything that needs a type.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = &Value> {
        let of_types = self.types.values().flat_map(|known| known.shape.fields());
        let operations = self.resources.iter().flat_map(|resource| &resource.operations);
        of_types.chain(operations.flat_map(Operation::fields)).map(|field| &field.schema)
    }
}

impl Shape {
    fn fields(&self) -> Vec<&Field> {
        match self {
            Self::Struct(fields) => fields.iter().collect(),
            Self::OneOf(branches) => branches.iter().map(|branch| &branch.value).collect(),
            _ => Vec::new(),
        }
    }
}

impl Resource {
    /// `CustomerPortals`.
    pub(crate) fn type_name(&self) -> String {
        self.handle.clone().unwrap_or_else(|| self.feature.to_upper_camel_case())
    }

    /// `customer_portals`.
    pub(crate) fn module(&self) -> String {
        self.feature.to_snake_case()
    }

    /// Whether it has nothing that is not experimental.
    pub(crate) fn is_experimental(&self) -> bool {
        self.operations.iter().all(Operation::is_experimental)
    }
}

/// The feature of what Paid may change without notice.
pub(crate) const EXPERIMENTAL: &str = "experimental";

impl Operation {
    fn fields(&self) -> impl Iterator<Item = &Field> {
        let headers = self.headers.iter().map(|(_, field)| field);
        let payloads = [&self.body, &self.answer].into_iter().flatten().map(|payload| &payload.value);
        self.path_parameters.iter().chain(&self.query).chain(headers).chain(payloads)
    }

    /// Whether Paid may change it without notice.
    pub(crate) fn is_experimental(&self) -> bool {
        !self.foreign && self.path.strip_prefix('/').is_some_and(|path| path.split('/').next() == Some(EXPERIMENTAL))
    }

    /// A name for a function that calls it.
    pub(crate) fn raw_name(&self) -> String {
        if self.foreign { self.builder().to_snake_case() } else { self.id.to_snake_case() }
    }

    /// The type of the builder for optional query parameters.
    pub(crate) fn builder(&self) -> String {
        let by_rule = || self.id.strip_suffix("-by-id").unwrap_or(&self.id).to_upper_camel_case();
        self.builder.clone().unwrap_or_else(by_rule)
    }
}

/// Reads a simplified document.
pub(crate) fn read(document: &Value) -> Result<Facts> {
    let mut types = BTreeMap::new();
    for (name, schema) in document::schemas(document)? {
        let read = schemas::read(schema).with_context(|| format!("#/components/schemas/{name}"))?;
        types.insert(name.clone(), read);
    }
    let resources = operations::read(document)?;
    let mut newtypes = newtypes(document)?;
    reach::mark(&mut types, &mut newtypes, &resources)?;
    types.values_mut().for_each(one_way_fields_are_optional);
    refuse_shared_names(&types, &resources)?;
    types.retain(|_, known| !known.reached_by.is_empty());
    newtypes.retain(|_, known| !known.reached_by.is_empty());
    told::complete(&mut types, &resources);
    told::place(&mut newtypes, &types, &resources);
    let cycles = cycles::Cycles::find(&types);
    Ok(Facts { types, resources, newtypes, cycles })
}

/// What only one side writes, the other need not have.
fn one_way_fields_are_optional(known: &mut Type) {
    let (sent, received) = (known.sent, known.received);
    if let Shape::Struct(fields) = &mut known.shape {
        for field in fields.iter_mut().filter(|field| field.read_only && sent || field.write_only && received) {
            field.required = false;
        }
    }
}

fn newtypes(document: &Value) -> Result<BTreeMap<String, Newtype>> {
    let declared = document.get("x-rust-newtypes").and_then(Value::as_object).into_iter().flatten();
    let newtypes = declared.map(|(name, known)| {
        let opaque = known["opaque"] == true;
        let doc = if opaque { &known["description"] } else { known };
        let doc = doc.as_str().with_context(|| format!("#/x-rust-newtypes/{name} is not text"))?.to_owned();
        Ok((name.clone(), Newtype { doc, opaque, reached_by: Reach::default() }))
    });
    newtypes.collect()
}

/// Handles, builders and types are all imported by name.
fn refuse_shared_names(types: &BTreeMap<String, Type>, resources: &[Resource]) -> Result<()> {
    let builders = resources.iter().flat_map(|resource| resource.operations.iter().map(Operation::builder));
    // Their own names were chosen apart.
    let mut names = resources.iter().map(Resource::type_name).chain(builders);
    match names.find(|name| types.contains_key(name)) {
        Some(name) => bail!(
            "`{name}` is a component and also a resource or a request builder: rename the component in openapi/names.yaml"
        ),
        None => Ok(()),
    }
}

fn source(value: &Value) -> Option<String> {
    value.get(document::SOURCE).and_then(Value::as_str).map(str::to_owned)
}

fn prose(value: &Value) -> Option<String> {
    value.get("description").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests;
