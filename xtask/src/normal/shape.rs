//! Schemas: what each is where it is used. Objects, enums and unions become components, named by where they stand.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Value, json};

use super::union::Union;
use super::{Problems, children, facets, places};
use crate::document::{self, Object};
use crate::words::reserved;
use crate::{null, words};

/// How deep schemas and references may be inside each other.
pub(super) const DEEPEST: usize = 500;
/// How many schemas are looked at: each `allOf` may make new ones.
const MOST_SCHEMAS: usize = 1_000_000;

/// What a component is called.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name<'n> {
    /// This, and nothing else is.
    Root(&'n str),
    /// This, or something like it.
    Hint(&'n str),
}

impl Name<'_> {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Root(name) | Self::Hint(name) => name,
        }
    }
}

/// The document, and what was made of it so far.
pub(super) struct Shaper<'a> {
    pub(super) whole: &'a Value,
    pub(super) problems: Problems,
    pub(super) notes: Vec<String>,
    /// The components, by name.
    pub(super) made: Object,
    /// Names that the document itself gives.
    pub(super) published: BTreeSet<String>,
    taken: BTreeSet<String>,
    roots: BTreeMap<String, String>,
    done: BTreeMap<String, Value>,
    open: BTreeSet<String>,
    recursive: BTreeSet<String>,
    queue: Vec<String>,
    pub(super) unions: Vec<Union>,
    /// Choices that are plain JSON.
    pub(super) plain: BTreeSet<String>,
    pub(super) flat: BTreeMap<String, Option<Object>>,
    pub(super) merging: Vec<String>,
    /// By reference to a schema with a tag: those that have it as a part.
    pub(super) children: BTreeMap<String, Vec<String>>,
    depth: usize,
    looked_at: usize,
}

impl<'a> Shaper<'a> {
    pub(super) fn new(whole: &'a Value) -> Result<Self> {
        let mut shaper = Self {
            whole,
            problems: Problems::default(),
            notes: Vec::new(),
            made: Object::new(),
            published: BTreeSet::new(),
            taken: BTreeSet::new(),
            roots: BTreeMap::new(),
            done: BTreeMap::new(),
            open: BTreeSet::new(),
            recursive: BTreeSet::new(),
            queue: Vec::new(),
            unions: Vec::new(),
            plain: BTreeSet::new(),
            flat: BTreeMap::new(),
            merging: Vec::new(),
            children: children::of(whole),
            depth: 0,
            looked_at: 0,
        };
        let components: Vec<&String> =
            places::object(whole.pointer("/components/schemas")).map(|(name, _)| name).collect();
        let (good, other): (Vec<_>, Vec<_>) = components.into_iter().partition(|name| type_name(name) == **name);
        for name in good.into_iter().chain(other) {
            let chosen = words::unique(type_name(name), "", &mut shaper.taken);
            if chosen == *name {
                shaper.published.insert(chosen.clone());
            }
            shaper.roots.insert(format!("#/components/schemas/{}", document::escape(name)), chosen);
        }
        Ok(shaper)
    }

    /// Shapes what was referred to and not yet looked at, then tells the branches of all unions apart.
    pub(super) fn finish(&mut self) {
        while let Some(reference) = self.queue.pop() {
            let name = self.root(&reference);
            if let Ok(target) = places::target(self.whole, &reference) {
                let target = target.clone();
                let used = null::without(&self.shape(&target, Name::Root(&name), &reference)).schema;
                if document::referenced(&used) != Some(&name) {
                    self.unions.push(Union::of_one(&name, used));
                }
            }
        }
        self.tell_unions_apart();
        self.say_what_is_reserved();
    }

    /// Types that are not called as the document calls them, since they would hide one of Rust or of this library.
    fn say_what_is_reserved(&mut self) {
        for (place, chosen) in &self.roots {
            let name = place.rsplit('/').next().unwrap_or_default();
            if self.made.contains_key(chosen) && reserved::is_type(&words::camel(name, "Type")) {
                self.notes
                    .push(format!("named: {place}: `{chosen}`, since Rust or this library has a type of the name"));
            }
        }
    }

    fn root(&mut self, reference: &str) -> String {
        if let Some(name) = self.roots.get(reference) {
            return name.clone();
        }
        let place: Vec<_> = reference.rsplit('/').take(2).collect();
        let name = place.iter().rev().map(|step| words::camel(step, "")).collect::<String>();
        let name = words::unique(type_name(&name), "", &mut self.taken);
        self.roots.insert(reference.to_owned(), name.clone());
        name
    }

    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    /// The name of a new component.
    pub(super) fn claim(&mut self, name: Name<'_>) -> String {
        match name {
            Name::Root(name) if !self.made.contains_key(name) => name.to_owned(),
            name => words::unique(type_name(name.text()), "", &mut self.taken),
        }
    }

    /// What a schema is where it is used.
    pub(super) fn shape(&mut self, schema: &Value, name: Name<'_>, found: &str) -> Value {
        let at = places::of(schema, found);
        self.looked_at += 1;
        if self.depth >= DEEPEST || self.looked_at > MOST_SCHEMAS {
            self.problems.add(
                &at,
                format!("is nested more than {DEEPEST} levels deep, or one of more than {MOST_SCHEMAS} schemas"),
            );
            return json!({});
        }
        self.depth += 1;
        let shaped = match schema {
            Value::Bool(allowed) => {
                if !allowed {
                    self.notes.push(format!("plain JSON: {at}: the schema is `false`, which no value fits"));
                }
                json!({})
            }
            Value::Object(object) => self.shape_object(object, name, &at),
            _ => {
                self.problems.add(&at, "is not a schema");
                json!({})
            }
        };
        self.depth -= 1;
        shaped
    }

    fn shape_object(&mut self, schema: &Object, name: Name<'_>, at: &str) -> Value {
        for (key, problem) in facets::objections(schema) {
            self.problems.add(&places::below(at, key), problem);
        }
        let mut nullable = schema.get("nullable") == Some(&Value::Bool(true));
        if let Some(reference) = schema.get("$ref") {
            let alone = |key: &String| {
                matches!(key.as_str(), "$ref" | "type" | "format")
                    || facets::is_annotation(key)
                    || facets::LIMITS.contains(&key.as_str())
                    || (key == "required" && !schema["required"].is_array())
            };
            if schema.keys().all(alone) {
                nullable |= facets::types(schema).1;
                return with(self.referred(reference, at), facets::beside(schema), nullable);
            }
        }
        if !schema.contains_key("$ref") && !schema.contains_key("allOf") {
            return self.plain(schema, name, at);
        }
        if !schema.contains_key("$ref")
            && let Some((reference, beside)) = self.only_reference(schema)
            && !self.is_child(&reference, at)
        {
            let branches = places::list(schema.get("allOf"));
            nullable |= branches.filter_map(|branch| branch.get("nullable")).any(|null| *null == true);
            nullable |= facets::types(schema).1;
            return with(self.referred(&reference.into(), at), beside, nullable);
        }
        match self.flatten(schema, at) {
            Some(flat) => self.plain(&flat, name, at),
            None => json!({}),
        }
    }

    /// Whether the component at this place is a branch of the union that its base stands for. It is a type of its own, even if
    /// it adds nothing.
    fn is_child(&self, base: &str, at: &str) -> bool {
        self.children.get(base).is_some_and(|children| children.iter().any(|child| child == at))
    }

    /// What a reference names, as it is used.
    fn referred(&mut self, reference: &Value, at: &str) -> Value {
        let Some(reference) = reference.as_str() else {
            self.problems.add(at, "`$ref` is not text");
            return json!({});
        };
        if let Some(known) = self.done.get(reference) {
            return known.clone();
        }
        let target = match places::target(self.whole, reference) {
            Ok(target) => target,
            Err(problem) => {
                self.problems.add(at, problem);
                return json!({});
            }
        };
        let name = self.root(reference);
        let nullable = |schema: &Value| {
            schema
                .as_object()
                .is_some_and(|schema| schema.get("nullable") == Some(&Value::Bool(true)) || facets::types(schema).1)
        };
        let by_name = with(document::reference(&name), Object::new(), nullable(target));
        if self.open.contains(reference) {
            self.recursive.insert(reference.to_owned());
            return by_name;
        }
        if is_plain_object(target) && !self.children.contains_key(reference) {
            self.done.insert(reference.to_owned(), by_name.clone());
            self.queue.push(reference.to_owned());
            return by_name;
        }
        self.open.insert(reference.to_owned());
        let mut used = match self.children.get(reference) {
            Some(children) => {
                let union = children::union(target, children);
                self.shape(&union, Name::Root(&name), reference)
            }
            None => self.shape(&target.clone(), Name::Root(&name), reference),
        };
        self.open.remove(reference);
        if let Some(object) = used.as_object_mut() {
            // They describe the component, not the place.
            object.remove("description");
        }
        let without = null::without(&used);
        if document::referenced(&without.schema) == Some(&name) && !self.made.contains_key(&name) {
            self.problems.add(reference, "is nothing but a reference to itself");
            used = json!({});
        } else if self.recursive.contains(reference) && document::referenced(&without.schema) != Some(&name) {
            self.unions.push(Union::of_one(&name, without.schema));
            used = with(document::reference(&name), Object::new(), without.nullable);
        }
        self.done.insert(reference.to_owned(), used.clone());
        used
    }

    /// A schema without references to itself or parts.
    fn plain(&mut self, schema: &Object, name: Name<'_>, at: &str) -> Value {
        let (types, lists_null) = facets::types(schema);
        let nullable = lists_null || schema.get("nullable") == Some(&Value::Bool(true));
        let beside = facets::beside(schema);
        if let Some(used) = self.choice(schema, name, at) {
            return with(used, beside, nullable);
        }
        let values = schema.get("const").map(|value| vec![value.clone()]);
        let values = values.or_else(|| schema.get("enum").and_then(Value::as_array).cloned());
        if values.as_ref().is_some_and(Vec::is_empty) {
            self.notes.push(format!("not an enum: {at}/enum: it has no values, so its type alone counts"));
        }
        if let Some(values) = values.filter(|values| !values.is_empty()) {
            let has_null = values.iter().any(Value::is_null);
            let mut used = self.enumeration(schema, &values, &types, name, at);
            merge_beside(&mut used, &beside);
            return with(used, Object::new(), nullable || has_null);
        }
        let used = match types.as_slice() {
            [] => self.without_type(schema, name, at),
            [one] => self.typed(one, schema, name, at),
            several => self.several_types(several, schema, name, at),
        };
        // Null alone is any JSON that is null.
        with(used, beside, nullable && !(types.is_empty() && lists_null))
    }

    fn without_type(&mut self, schema: &Object, name: Name<'_>, at: &str) -> Value {
        let has = |key: &str| schema.contains_key(key);
        if has("properties") || schema.get("additionalProperties").is_some_and(Value::is_object) {
            self.typed("object", schema, name, at)
        } else if has("items") || has("prefixItems") {
            self.typed("array", schema, name, at)
        } else if schema.get("format").is_some_and(|format| format == "date-time" || format == "binary") {
            self.typed("string", schema, name, at)
        } else {
            json!({})
        }
    }

    pub(super) fn several_types(&mut self, types: &[String], schema: &Object, name: Name<'_>, at: &str) -> Value {
        let branches: Vec<Value> = types
            .iter()
            .map(|one| {
                let mut branch = schema.clone();
                branch.retain(|key, _| !matches!(key.as_str(), "description" | "default" | "nullable"));
                branch.insert("type".into(), one.as_str().into());
                places::marked(&Value::Object(branch), at)
            })
            .collect();
        let choice = json!({"oneOf": branches});
        self.choice(choice.as_object().unwrap_or(&Object::new()), name, at).unwrap_or_default()
    }

    pub(super) fn typed(&mut self, kind: &str, schema: &Object, name: Name<'_>, at: &str) -> Value {
        match kind {
            "object" => self.object(schema, name, at),
            "array" => {
                let items = match schema.get("items") {
                    Some(items) if !items.is_array() && !schema.contains_key("prefixItems") => items.clone(),
                    None if !schema.contains_key("prefixItems") => json!({}),
                    _ => {
                        self.notes.push(format!("plain JSON: {at}: the items of a tuple are of several types"));
                        json!({})
                    }
                };
                let hint = format!("{}Item", name.text());
                let items = self.shape(&items, Name::Hint(&hint), &places::below(at, "items"));
                json!({"type": "array", "items": bare(items)})
            }
            "string" | "integer" | "number" | "boolean" => {
                let mut used = json!({"type": kind});
                if let Some(format) = schema.get("format").filter(|format| format.is_string()) {
                    used["format"] = format.clone();
                }
                used
            }
            other => {
                self.problems.add(&places::below(at, "type"), format!("`{other}` is not a type of JSON"));
                json!({})
            }
        }
    }

    fn object(&mut self, schema: &Object, name: Name<'_>, at: &str) -> Value {
        let required: BTreeSet<&str> = places::list(schema.get("required")).filter_map(Value::as_str).collect();
        let given = places::object(schema.get("properties")).filter(|(_, property)| **property != Value::Bool(false));
        let given: Vec<_> = given.collect();
        let others = schema.get("additionalProperties").or_else(|| schema.get("unevaluatedProperties"));
        if given.is_empty() && required.is_empty() {
            let values = match others {
                Some(values @ Value::Object(_)) => {
                    let hint = format!("{}Value", name.text());
                    bare(self.shape(&values.clone(), Name::Hint(&hint), &places::below(at, "additionalProperties")))
                }
                _ => json!({}),
            };
            return json!({"type": "object", "additionalProperties": values});
        }
        let own = self.claim(name);
        // Recursive objects refer to the name while their fields are looked at.
        self.made.insert(own.clone(), json!({}));
        let mut properties = Object::new();
        for (wire, property) in given {
            let hint = format!("{own}{}", words::camel(wire, "Field"));
            let at = places::below(&places::below(at, "properties"), wire);
            properties.insert(wire.clone(), self.shape(property, Name::Hint(&hint), &at));
        }
        for wire in &required {
            properties.entry(*wire).or_insert_with(|| json!({}));
        }
        let mut component = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            component["required"] = required.into_iter().collect();
        }
        match others {
            Some(Value::Bool(true)) => component["additionalProperties"] = json!({}),
            Some(values @ Value::Object(_)) => {
                let hint = format!("{own}Value");
                let values = self.shape(&values.clone(), Name::Hint(&hint), &places::below(at, "additionalProperties"));
                component["additionalProperties"] = bare(values);
            }
            _ => {}
        }
        describe(&mut component, schema);
        self.made.insert(own.clone(), component);
        document::reference(&own)
    }
}

/// A name that a type may have.
pub(super) fn type_name(text: &str) -> String {
    let name = words::camel(text, "Type");
    if reserved::is_type(&name) { format!("{name}Model") } else { name }
}

fn is_plain_object(target: &Value) -> bool {
    let decides = |key: &str| target.get(key).is_some();
    target.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty())
        && !["$ref", "allOf", "oneOf", "anyOf", "enum", "const"].into_iter().any(decides)
        && target.get("type").is_none_or(|kind| {
            *kind == "object"
                || kind.as_array().is_some_and(|types| types.iter().all(|one| one == "object" || one == "null"))
        })
}

/// Adds the words of a schema to a component.
pub(super) fn describe(component: &mut Value, schema: &Object) {
    if let Some(text) = places::text(schema, "description") {
        component["description"] = text.into();
    }
    if let Some(marks) = component.as_object_mut() {
        let ours = schema.iter().filter(|(key, _)| matches!(key.as_str(), "x-rust-new" | "x-rust-docs"));
        marks.extend(ours.map(|(key, value)| (key.clone(), value.clone())));
    }
}

/// A list's item or a map's value: amounts are exact as fields alone.
fn bare(mut used: Value) -> Value {
    if let Some(object) = used.as_object_mut()
        && object.get("format").is_some_and(|format| format == "decimal")
    {
        object.remove("format");
    }
    used
}

fn merge_beside(used: &mut Value, beside: &Object) {
    if let Some(object) = used.as_object_mut() {
        beside.iter().for_each(|(key, value)| drop(object.insert(key.clone(), value.clone())));
    }
}

/// What is used, with what stands beside it and null if it may be null.
fn with(mut used: Value, beside: Object, nullable: bool) -> Value {
    merge_beside(&mut used, &beside);
    let is_any =
        used.as_object().is_none_or(|object| !["$ref", "type", "oneOf"].iter().any(|key| object.contains_key(*key)));
    if !nullable || is_any {
        return used;
    }
    let Some(object) = used.as_object_mut() else { return used };
    if object.contains_key("$ref") {
        let reference = object.remove("$ref").unwrap_or_default();
        object.insert("oneOf".into(), json!([{"$ref": reference}, {"type": "null"}]));
    } else {
        null::allow(&mut used);
    }
    used
}
