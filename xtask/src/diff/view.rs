//! A schema as it counts: references followed, `allOf` put together, null taken out, 3.0 and 3.1 spelled alike. It keeps
//! the JSON pointers of the document as it was given.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Number, Value};

use crate::document;

/// A part of a schema, and its pointer.
pub(crate) type Part<'a> = (String, &'a Value);

/// A schema at its place: usually one part; several if parts of an `allOf` say something of the same property.
#[derive(Debug, Clone)]
pub(crate) struct Located<'a> {
    pub(crate) document: &'a Value,
    pub(crate) parts: Vec<Part<'a>>,
}

/// What a schema says, all parts together.
#[derive(Debug)]
pub(crate) struct View<'a> {
    document: &'a Value,
    /// Where the schema is used.
    pub(crate) outer: String,
    /// Where it is written down.
    pub(crate) core: String,
    /// The component that it is.
    pub(crate) name: Option<&'a str>,
    /// Whether null is allowed: where it is used, or where it is written down.
    pub(crate) null: Option<NullAt>,
    /// The first `wrappers` parts only stand around the schema.
    parts: Vec<Part<'a>>,
    wrappers: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NullAt {
    Use,
    Core,
}

impl<'a> Located<'a> {
    pub(crate) fn new(document: &'a Value, pointer: String, schema: &'a Value) -> Self {
        Self { document, parts: vec![(pointer, schema)] }
    }

    /// What it is made of: two schemas with one key say the same.
    pub(crate) fn key(&self) -> String {
        self.parts.iter().map(|(pointer, _)| pointer.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Whether it says more than prose.
    pub(crate) fn has_facts(&self) -> bool {
        let keys = self.parts.iter().filter_map(|(_, schema)| schema.as_object()).flat_map(|schema| schema.keys());
        keys.into_iter().any(|key| !matches!(key.as_str(), "description" | "title") && !key.starts_with("x-"))
    }

    pub(crate) fn outer(&self) -> &str {
        self.parts.first().map_or("", |(pointer, _)| pointer)
    }

    /// The pointer that a reference here leads to.
    pub(crate) fn target(&self) -> String {
        let Some((pointer, schema)) = self.parts.first() else { return String::new() };
        followed(self.document, schema).map_or_else(|| pointer.clone(), |(target, _)| target)
    }

    pub(crate) fn view(&self) -> View<'a> {
        let mut view = View {
            document: self.document,
            outer: self.outer().to_owned(),
            core: String::new(),
            name: None,
            null: None,
            parts: Vec::new(),
            wrappers: 0,
        };
        match self.parts.as_slice() {
            [(pointer, schema)] => view.unwrap(pointer.clone(), schema),
            parts => {
                view.core = view.outer.clone();
                for (pointer, schema) in parts {
                    view.flatten(pointer.clone(), schema, 0);
                }
            }
        }
        if view.name.is_none() && view.null.is_some() {
            view.null = Some(NullAt::Use);
        }
        view
    }
}

/// Longer chains of references go in circles.
const DEEP: usize = 32;

impl<'a> View<'a> {
    /// Goes through what only stands around a schema: references, an `allOf` of one, a union with null.
    fn unwrap(&mut self, mut pointer: String, mut schema: &'a Value) {
        for _ in 0..DEEP {
            let Some((inner_pointer, inner)) = self.inside(&pointer, schema) else { break };
            let here = if self.name.is_none() { NullAt::Use } else { NullAt::Core };
            if allows_null(schema) {
                self.null.get_or_insert(here);
            }
            if let Some(name) = document::referenced(schema).filter(|name| !name.contains('/')) {
                self.name = Some(name);
            }
            self.parts.push((pointer, schema));
            (pointer, schema) = (inner_pointer, inner);
        }
        self.wrappers = self.parts.len();
        if allows_null(schema) {
            let at = if self.name.is_none() { NullAt::Use } else { NullAt::Core };
            self.null.get_or_insert(at);
        }
        self.core.clone_from(&pointer);
        self.flatten(pointer, schema, 0);
    }

    fn inside(&self, pointer: &str, schema: &'a Value) -> Option<Part<'a>> {
        if schema.get("$ref").is_some_and(Value::is_string) {
            return followed(self.document, schema);
        }
        let says_more = ["type", "properties", "required", "additionalProperties", "items", "enum", "const"]
            .iter()
            .any(|key| schema.get(key).is_some());
        if says_more {
            return None;
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            let mut branches = branches(schema, key);
            let first = branches.next();
            // A union with a tag stays one, however few branches it has.
            let tagged = key != "allOf" && schema.get("discriminator").is_some();
            if let (Some((index, only)), None, false) = (first, branches.next(), tagged) {
                return Some((format!("{pointer}/{key}/{index}"), only));
            }
        }
        None
    }

    fn flatten(&mut self, pointer: String, schema: &'a Value, depth: usize) {
        if depth > DEEP {
            return;
        }
        if let Some((target, inner)) = followed(self.document, schema) {
            self.flatten(target, inner, depth + 1);
        }
        for (index, part) in branches(schema, "allOf") {
            self.flatten(format!("{pointer}/allOf/{index}"), part, depth + 1);
        }
        if allows_null(schema) {
            self.null.get_or_insert(NullAt::Core);
        }
        self.parts.push((pointer, schema));
    }

    /// The schema without what only stands around it.
    pub(crate) fn as_located(&self) -> Located<'a> {
        Located { document: self.document, parts: self.parts[self.wrappers..].to_vec() }
    }

    /// The branch of a union that is this component.
    pub(crate) fn branch_at(&self, pointer: &str) -> Option<Located<'a>> {
        self.unions().into_iter().flat_map(|(_, branches)| branches).find(|branch| branch.target() == pointer)
    }

    /// The value of a keyword, and whether it stands where the schema is used.
    pub(crate) fn keyword(&self, key: &str) -> Option<(&'a Value, NullAt)> {
        self.parts.iter().enumerate().find_map(|(index, (_, part))| {
            let at = if index < self.wrappers || self.name.is_none() { NullAt::Use } else { NullAt::Core };
            Some((part.get(key)?, at))
        })
    }

    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.keyword(key).map(|(value, _)| value)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.value(key).and_then(Value::as_str)
    }

    pub(crate) fn is(&self, key: &str) -> bool {
        self.value(key) == Some(&Value::Bool(true))
    }

    /// The types without null; none if every type is allowed.
    pub(crate) fn types(&self) -> BTreeSet<&'a str> {
        let mut all: Option<BTreeSet<&str>> = None;
        for (_, part) in &self.parts {
            let types: BTreeSet<&str> = match part.get("type") {
                Some(Value::String(name)) => [name.as_str()].into(),
                Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
                _ => continue,
            };
            let types: BTreeSet<&str> = types.into_iter().filter(|name| *name != "null").collect();
            all = Some(match all {
                None => types,
                Some(known) => common(&known, &types),
            });
        }
        let mut types = all.unwrap_or_default();
        if types.is_empty() && self.parts.iter().any(|(_, part)| part.get("properties").is_some()) {
            types.insert("object");
        }
        if types.is_empty()
            && self.values().is_some_and(|values| !values.is_empty() && values.iter().all(|value| value.is_string()))
        {
            types.insert("string");
        }
        types
    }

    /// The values of an enum or the constant, without null: those that all parts allow.
    pub(crate) fn values(&self) -> Option<Vec<&'a Value>> {
        let listed = |(_, part): &Part<'a>| {
            let listed = part.get("enum").and_then(Value::as_array).map(|values| values.iter().collect());
            let values: Vec<&'a Value> = listed.or_else(|| part.get("const").map(|value| vec![value]))?;
            let only_null = !values.is_empty() && values.iter().all(|value| value.is_null());
            (!only_null).then(|| values.into_iter().filter(|value| !value.is_null()).collect::<Vec<_>>())
        };
        let common = |known: Vec<&'a Value>, more: Vec<&'a Value>| -> Vec<&'a Value> {
            known.into_iter().filter(|value| more.contains(value)).collect()
        };
        self.parts.iter().filter_map(listed).reduce(common)
    }

    pub(crate) fn properties(&self) -> BTreeMap<&'a str, Located<'a>> {
        let mut found: BTreeMap<&str, Located<'_>> = BTreeMap::new();
        for (pointer, part) in &self.parts {
            for (name, schema) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let part = (format!("{pointer}/properties/{}", document::escape(name)), schema);
                let empty = || Located { document: self.document, parts: Vec::new() };
                found.entry(name.as_str()).or_insert_with(empty).parts.push(part);
            }
        }
        found
    }

    pub(crate) fn required(&self) -> BTreeSet<&'a str> {
        let lists = self.parts.iter().filter_map(|(_, part)| part.get("required")?.as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    /// A schema below a keyword that holds one.
    pub(crate) fn child(&self, key: &str) -> Option<Located<'a>> {
        let parts: Vec<_> = self
            .parts
            .iter()
            .filter_map(|(pointer, part)| Some((format!("{pointer}/{key}"), part.get(key)?)))
            .filter(|(_, schema)| schema.is_object())
            .collect();
        (!parts.is_empty()).then_some(Located { document: self.document, parts })
    }

    /// The unions of two or more branches, null not counted, with their keyword.
    pub(crate) fn unions(&self) -> Vec<(&'static str, Vec<Located<'a>>)> {
        let mut found = Vec::new();
        for (pointer, part) in &self.parts[self.wrappers..] {
            for key in ["oneOf", "anyOf"] {
                let located = |(index, branch)| Located::new(self.document, format!("{pointer}/{key}/{index}"), branch);
                let listed: Vec<_> = branches(part, key).map(located).collect();
                if !listed.is_empty() {
                    found.push((key, listed));
                }
            }
        }
        found
    }

    /// A bound; 3.0's exclusive bounds are written as 3.1's.
    pub(crate) fn bound(&self, key: &str) -> Option<Number> {
        let (plain, exclusive) = match key {
            "minimum" | "exclusiveMinimum" => ("minimum", "exclusiveMinimum"),
            "maximum" | "exclusiveMaximum" => ("maximum", "exclusiveMaximum"),
            // At least nothing is no bound.
            "minLength" | "minItems" | "minProperties" => {
                return self.tightest(key).filter(|bound| bound.as_u64() != Some(0));
            }
            _ => return self.tightest(key),
        };
        let flagged = self.is(exclusive);
        let source = match (key == plain, flagged) {
            (true, true) => return None,
            (false, false) => exclusive,
            (true, false) | (false, true) => plain,
        };
        self.tightest(source)
    }

    /// The bound that leaves the least, of all parts.
    fn tightest(&self, key: &str) -> Option<Number> {
        let bounds = self.parts.iter().filter_map(|(_, part)| part.get(key)?.as_number());
        let size = |bound: &&Number| bound.as_f64().unwrap_or(f64::NAN);
        let by_size = |one: &&Number, two: &&Number| size(one).total_cmp(&size(two));
        let is_upper = key.to_ascii_lowercase().contains("max");
        if is_upper { bounds.min_by(by_size).cloned() } else { bounds.max_by(by_size).cloned() }
    }
}

/// What a reference leads to, and its pointer.
fn followed<'a>(document: &'a Value, schema: &'a Value) -> Option<Part<'a>> {
    document::follow(document, schema.get("$ref")?.as_str()?)
}

fn allows_null(schema: &Value) -> bool {
    let listed = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
    schema.get("nullable") == Some(&Value::Bool(true))
        || listed("type").any(|name| name == "null")
        || ["oneOf", "anyOf"].iter().any(|key| listed(key).any(is_null))
}

/// Nothing but null, however it is spelled.
fn is_null(branch: &Value) -> bool {
    let only = |list: &Value, is: fn(&Value) -> bool| {
        list.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(is))
    };
    let named = |name: &Value| name == "null";
    branch.get("type").is_some_and(|kind| named(kind) || only(kind, |name| name == "null"))
        || branch.get("const").is_some_and(Value::is_null)
        || branch.get("enum").is_some_and(|values| only(values, Value::is_null))
}

/// The branches of a list, without null, with their index.
fn branches<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = (usize, &'a Value)> + use<'a> {
    let listed = schema.get(key).and_then(Value::as_array).into_iter().flatten();
    listed.enumerate().filter(|(_, branch)| !is_null(branch))
}

fn common<'a>(one: &BTreeSet<&'a str>, two: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let holds = |set: &BTreeSet<&str>, name: &str| set.contains(name) || (name == "integer" && set.contains("number"));
    let of = |from: &BTreeSet<&'a str>, other: &BTreeSet<&'a str>| -> Vec<&'a str> {
        from.iter().filter(|name| holds(other, name)).copied().collect()
    };
    of(one, two).into_iter().chain(of(two, one)).collect()
}
