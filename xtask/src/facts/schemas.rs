//! Components: from a schema to a type with its fields.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{
    Branch, ChoiceVariant, Code, EnumValue, Field, Kind, Reach, Rule, Shape, Type, UnionVariant, prose, source,
};
use crate::document::{self, Object};
use crate::downlevel::{self, NEWTYPE};
use crate::null::{self, WithoutNull};
use crate::simplify::{CHOICE, FLATTEN, ONE_OF, variant_name};
use crate::words;

/// Marks a required property that an answer may lack without harm.
const LENIENT: &str = "x-rust-lenient";

/// Reads a component.
pub(super) fn read(schema: &Value) -> Result<Type> {
    let shape = shape(schema)?;
    let constructor = strings(schema, "x-rust-new")?;
    if let Shape::Struct(fields) = &shape {
        let unknown = constructor.iter().find(|wire| !fields.iter().any(|field| field.wire == **wire));
        ensure!(
            unknown.is_none(),
            "`x-rust-new` names `{}`, which is not a property",
            unknown.cloned().unwrap_or_default()
        );
    }
    let (doc, source, reached_by) = (prose(schema), source(schema), Reach::default());
    Ok(Type { doc, source, shape, sent: false, received: false, reached_by, uses: Vec::new(), constructor })
}

fn strings(schema: &Value, key: &str) -> Result<Vec<String>> {
    let Some(list) = schema.get(key) else { return Ok(Vec::new()) };
    serde_json::from_value(list.clone()).with_context(|| format!("`{key}` is not a list of strings"))
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("`{key}` is missing or not a string"))
}

fn shape(schema: &Value) -> Result<Shape> {
    if let Some(variants) = schema.get(CHOICE).and_then(Value::as_object) {
        let variants = variants.iter().map(|(variant, key)| choice_variant(schema, variant, key));
        return Ok(Shape::Choice(variants.collect::<Result<_>>()?));
    }
    if let Some(branches) = schema.get(ONE_OF).and_then(Value::as_array) {
        return one_of(schema, branches);
    }
    if schema.get("enum").is_some() {
        return if schema["type"] == "integer" { codes(schema) } else { enumeration(schema) };
    }
    if let Some(discriminator) = schema.get("discriminator") {
        let tag = text(discriminator, "propertyName")?.to_owned();
        let variants = schema.get("x-rust-variants").and_then(Value::as_object).context("a union without variants")?;
        let variants = variants.iter().map(|(name, variant)| {
            let type_name = variant.get("type").map(|_| text(variant, "type")).transpose()?.map(str::to_owned);
            Ok(UnionVariant { name: name.clone(), value: text(variant, "value")?.to_owned(), type_name })
        });
        return Ok(Shape::Union { tag, variants: variants.collect::<Result<_>>()? });
    }
    if let Some(branches) = schema.get("oneOf").and_then(Value::as_array) {
        let kinds = branches.iter().map(|branch| Ok(text(branch, "type")?.to_owned()));
        return Ok(Shape::Scalars(kinds.collect::<Result<_>>()?));
    }
    match schema.get("properties").and_then(Value::as_object) {
        Some(properties) => {
            let mut fields = fields(properties, &strings(schema, "required")?);
            fields.extend(additional(schema));
            Ok(Shape::Struct(fields))
        }
        None => bail!("a schema of a form that the generator does not map"),
    }
}

fn choice_variant(schema: &Value, variant: &str, key: &Value) -> Result<ChoiceVariant> {
    let key = key.as_str().context("a choice's key is not a string")?.to_owned();
    let property = schema.pointer(&format!("/properties/{key}"));
    let type_name = match kind(property.with_context(|| format!("a choice without its key `{key}`"))?) {
        Kind::Newtype(name) | Kind::Component(name) => name,
        Kind::Text => "String".to_owned(),
        other => bail!("a choice whose key `{key}` is {other:?}: only strings and components are mapped"),
    };
    Ok(ChoiceVariant { name: variant.to_owned(), key, type_name })
}

fn enumeration(schema: &Value) -> Result<Shape> {
    let docs = schema.get("x-rust-docs");
    let values = strings(schema, "enum")?;
    if let Some(unknown) =
        docs.and_then(Value::as_object).into_iter().flat_map(Object::keys).find(|key| !values.contains(key))
    {
        bail!("`x-rust-docs` describes `{unknown}`, which is not a value");
    }
    let documented = values.into_iter().map(|value| {
        let doc = docs.and_then(|docs| docs.get(&value)).map(|doc| doc.as_str().context("`x-rust-docs` is not text"));
        let (name, doc) = (variant_name(schema, &value), doc.transpose()?.map(str::to_owned));
        Ok(EnumValue { value, name, doc })
    });
    Ok(Shape::Enum(documented.collect::<Result<_>>()?))
}

fn one_of(schema: &Value, branches: &[Value]) -> Result<Shape> {
    let values = schema.get("oneOf").and_then(Value::as_array).context("a union without branches")?;
    let branches = branches.iter().zip(values).map(|(branch, value)| {
        let rule = branch.get("rule").context("a branch without a rule")?;
        let keys = rule.get("keys").cloned().unwrap_or_else(|| Value::Array(Vec::new()));
        let rule = Rule { is: text(rule, "is")?.to_owned(), keys: serde_json::from_value(keys)? };
        Ok(Branch { name: text(branch, "name")?.to_owned(), value: field("", value, true), rule })
    });
    Ok(Shape::OneOf(branches.collect::<Result<_>>()?))
}

fn codes(schema: &Value) -> Result<Shape> {
    let values: Vec<i64> = serde_json::from_value(schema["enum"].clone()).context("`enum` has more than integers")?;
    let codes = values.into_iter().map(|value| Code { value, name: variant_name(schema, &value.to_string()) });
    Ok(Shape::Codes(codes.collect()))
}

/// What methods and fields of ours are called.
const TAKEN: [&str; 3] = ["new", OTHERS, ADDITIONAL];
/// The field for keys that the document does not know.
const OTHERS: &str = "other_fields";
/// The field for the keys that the document permits beside an object's own.
const ADDITIONAL: &str = "additional_properties";

fn fields(properties: &Object, required: &[String]) -> Vec<Field> {
    let mut taken = TAKEN.map(str::to_owned).into();
    let fields = properties.iter().map(|(wire, schema)| {
        let mut field = field(wire, schema, required.contains(wire));
        field.ident = words::unique(field.ident, "_", &mut taken);
        field
    });
    fields.collect()
}

/// The keys that an object has beside its properties, as a field.
fn additional(schema: &Value) -> Option<Field> {
    let values = schema.get("additionalProperties").filter(|values| values.is_object())?;
    let mut map = field("", &json!({"type": "object", "additionalProperties": values}), true);
    map.ident = ADDITIONAL.to_owned();
    map.additional = true;
    map.doc = Some("All other keys".to_owned());
    Some(map)
}

const LIMITS: [&str; 9] = [
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

/// Reads a property or the schema of a parameter.
pub(super) fn field(wire: &str, schema: &Value, required: bool) -> Field {
    let WithoutNull { schema, nullable } = null::without(schema);
    Field {
        wire: wire.to_owned(),
        ident: words::snake(wire, "field"),
        read_only: schema.get("readOnly") == Some(&Value::Bool(true)),
        write_only: schema.get("writeOnly") == Some(&Value::Bool(true)),
        additional: false,
        encoding: None,
        doc: prose(&schema),
        source: source(&schema),
        required,
        nullable,
        kind: kind(&schema),
        format: schema.get("format").and_then(Value::as_str).map(str::to_owned),
        limits: LIMITS.iter().filter_map(|limit| Some(format!("{limit} {}", schema.get(limit)?))).collect(),
        default: schema.get("default").cloned(),
        flatten: schema.get(FLATTEN).is_some(),
        deprecated: schema.get("deprecated") == Some(&Value::Bool(true)),
        lenient: schema.get(LENIENT) == Some(&Value::Bool(true)),
        mentions: mentions(&schema),
        schema,
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

/// Of a schema without null.
fn kind(schema: &Value) -> Kind {
    if let Some(name) = schema.get(NEWTYPE).and_then(Value::as_str) {
        return Kind::Newtype(name.to_owned());
    }
    if let Some(name) = document::referenced(schema) {
        return Kind::Component(name.to_owned());
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") if downlevel::is_unsigned(schema) => Kind::Unsigned,
        Some("integer") => Kind::Integer,
        Some("number") if downlevel::is_decimal(schema) => Kind::Decimal,
        Some("string") if downlevel::is_decimal(schema) => Kind::DecimalText,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        Some("string") => Kind::Text,
        Some("array") => Kind::Array,
        Some("object") => Kind::Map,
        _ => Kind::Any,
    }
}
