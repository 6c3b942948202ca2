//! `allOf`: one schema that says what its parts say.

use serde_json::{Value, json};

use super::places;
use super::shape::Shaper;
use super::{facets, places::AT};
use crate::document::Object;

/// The most branches that two choices at once may become.
const MOST_BRANCHES: usize = 64;

impl Shaper<'_> {
    /// The one reference of a schema that says nothing else about the type, with what stands beside it.
    pub(super) fn only_reference(&self, schema: &Object) -> Option<(String, Object)> {
        if !schema.keys().all(|key| key == "allOf" || is_beside(key)) {
            return None;
        }
        let mut found = None;
        let mut beside = Object::new();
        for branch in places::list(schema.get("allOf")) {
            let branch = branch.as_object()?;
            beside.extend(facets::beside(branch));
            match branch.get("$ref").and_then(Value::as_str) {
                Some(reference) if found.is_none() && branch.keys().all(|key| key == "$ref" || is_beside(key)) => {
                    found = Some(reference.to_owned());
                }
                None if branch.keys().all(|key| is_beside(key)) => {}
                _ => return None,
            }
        }
        beside.extend(facets::beside(schema));
        Some((found?, beside))
    }

    /// The schema without `allOf` and `$ref`. `None` if that was said to be impossible.
    pub(super) fn flatten(&mut self, schema: &Object, at: &str) -> Option<Object> {
        for (key, problem) in facets::objections(schema) {
            self.problems.add(&places::below(at, key), problem);
        }
        let mut parts = Vec::new();
        if let Some(reference) = schema.get("$ref") {
            parts.push(self.flat_reference(reference, at)?);
        }
        for (index, branch) in places::list(schema.get("allOf")).enumerate() {
            let at = places::of(branch, &format!("{at}/allOf/{index}"));
            match branch {
                Value::Bool(true) => {}
                Value::Object(branch) => parts.push(self.flatten(branch, &at)?),
                _ => {
                    self.problems.add(&at, "is not a schema that a value can have");
                    return None;
                }
            }
        }
        let inherits = !parts.is_empty();
        let mut own = marked_inside(schema, at);
        own.remove("$ref");
        own.remove("allOf");
        let own_null = says_null(&own) == Some(true);
        let statements: Vec<_> = parts.iter().chain([&own]).filter_map(says_null).collect();
        let nullable = own_null || (!statements.is_empty() && statements.iter().all(|null| *null));
        let mut merged = Object::new();
        for mut part in parts {
            // The tag of a union that a part belongs to is no union's tag here.
            if part.get("oneOf").is_none() && part.get("anyOf").is_none() {
                part.remove("discriminator");
            }
            self.merge(&mut merged, part, at)?;
        }
        self.merge(&mut merged, own, at)?;
        merged.remove("nullable");
        if nullable {
            merged.insert("nullable".into(), true.into());
        }
        if inherits {
            merged.remove("title");
        }
        Some(merged)
    }

    fn flat_reference(&mut self, reference: &Value, at: &str) -> Option<Object> {
        let Some(reference) = reference.as_str() else {
            self.problems.add(at, "`$ref` is not text");
            return None;
        };
        if let Some(known) = self.flat.get(reference) {
            return known.clone();
        }
        if self.merging.iter().any(|open| open == reference) || self.merging.len() > super::shape::DEEPEST {
            self.problems.add(at, format!("`{reference}` is a part of itself: no value can be that"));
            return None;
        }
        let target = match places::target(self.whole, reference) {
            Ok(Value::Object(target)) => target.clone(),
            Ok(_) => Object::new(),
            Err(problem) => {
                self.problems.add(at, problem);
                return None;
            }
        };
        self.merging.push(reference.to_owned());
        let mut flat = self.flatten(&target, reference);
        self.merging.pop();
        if let Some(flat) = &mut flat {
            for key in ["description", "title", "default", "deprecated"] {
                flat.remove(key);
            }
        }
        self.flat.insert(reference.to_owned(), flat.clone());
        flat
    }

    fn merge(&mut self, into: &mut Object, part: Object, at: &str) -> Option<()> {
        for (key, value) in part {
            let Some(known) = into.get_mut(&key) else {
                if matches!(key.as_str(), "oneOf" | "anyOf")
                    && let Some(other) = ["oneOf", "anyOf"].into_iter().find(|other| into.contains_key(*other))
                {
                    let one = into.remove(other).unwrap_or_default();
                    let product = self.product(&one, &value, at)?;
                    into.remove("discriminator");
                    into.insert("oneOf".into(), product);
                    continue;
                }
                into.insert(key, value);
                continue;
            };
            match key.as_str() {
                "properties" => {
                    if let (Some(known), Value::Object(more)) = (known.as_object_mut(), value) {
                        for (name, property) in more {
                            match known.get_mut(&name) {
                                Some(there) => *there = both(there, property),
                                None => {
                                    known.insert(name, property);
                                }
                            }
                        }
                    }
                }
                "required" => {
                    if let (Some(known), Value::Array(more)) = (known.as_array_mut(), value) {
                        known.extend(more);
                        let mut seen = Vec::new();
                        known.retain(|key| {
                            let new = !seen.contains(key);
                            if new {
                                seen.push(key.clone());
                            }
                            new
                        });
                    }
                }
                "type" => match common_types(known, &value) {
                    Some(types) => *known = types,
                    None => {
                        self.problems.add(
                            at,
                            format!("its parts are of different types, {known} and {value}: no value can be both"),
                        );
                        return None;
                    }
                },
                "enum" => {
                    if let (Some(known), Value::Array(more)) = (known.as_array_mut(), &value) {
                        known.retain(|value| more.contains(value));
                        if known.is_empty() {
                            self.problems.add(at, "its parts have no value of `enum` in common");
                            return None;
                        }
                    }
                }
                "items" => *known = both(known, value),
                "additionalProperties" => {
                    *known = match (&*known, value) {
                        (Value::Bool(_), other) => other,
                        (known, Value::Bool(_)) => known.clone(),
                        (known, other) => both(known, other),
                    };
                }
                "oneOf" | "anyOf" => {
                    let one = known.clone();
                    let product = self.product(&one, &value, at)?;
                    into.remove(&key);
                    into.remove("discriminator");
                    into.insert("oneOf".into(), product);
                }
                "discriminator" => {}
                _ => *known = value,
            }
        }
        Some(())
    }

    /// Each branch of one choice with each of another.
    fn product(&mut self, one: &Value, other: &Value, at: &str) -> Option<Value> {
        let (one, other): (Vec<_>, Vec<_>) = (places::list(Some(one)).collect(), places::list(Some(other)).collect());
        if one == other {
            return Some(Value::Array(one.into_iter().cloned().collect()));
        }
        if one.len().saturating_mul(other.len()) > MOST_BRANCHES {
            self.problems
                .add(at, format!("its choices have {} branches together; write them out", one.len() * other.len()));
            return None;
        }
        let pairs = one.iter().flat_map(|one| other.iter().map(move |other| json!({"allOf": [one, other], AT: at})));
        Some(pairs.collect())
    }
}

fn is_beside(key: &str) -> bool {
    facets::is_annotation(key) || facets::LIMITS.contains(&key) || matches!(key, "type" | "format")
}

/// Whether a schema says that null is, or is not, among its values.
fn says_null(schema: &Object) -> Option<bool> {
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        return Some(true);
    }
    let (types, null) = facets::types(schema);
    if null { Some(true) } else { (!types.is_empty()).then_some(false) }
}

/// The schema with every inner one marked with its place; `const` is an `enum` of one value; null is not a type.
fn marked_inside(schema: &Object, at: &str) -> Object {
    let mut own = schema.clone();
    let (types, null) = facets::types(schema);
    if null {
        own.insert("nullable".into(), true.into());
        match types.as_slice() {
            [] => {
                own.remove("type");
                own.insert("enum".into(), json!([null]));
            }
            [one] => drop(own.insert("type".into(), one.as_str().into())),
            _ => drop(own.insert("type".into(), types.into())),
        }
    }
    if let Some(value) = own.remove("const") {
        own.insert("enum".into(), json!([value]));
    }
    if !own.get("required").is_none_or(Value::is_array) {
        own.remove("required");
    }
    if let Some(properties) = own.get_mut("properties").and_then(Value::as_object_mut) {
        let at = places::below(at, "properties");
        properties
            .iter_mut()
            .for_each(|(key, property)| *property = places::marked(property, &places::below(&at, key)));
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = own.get_mut(key) {
            *inner = places::marked(inner, &places::below(at, key));
        }
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(branches) = own.get_mut(key).and_then(Value::as_array_mut) {
            let branches = branches.iter_mut().enumerate();
            branches.for_each(|(index, branch)| *branch = places::marked(branch, &format!("{at}/{key}/{index}")));
        }
    }
    own
}

/// A schema of the values that have both.
fn both(one: &Value, other: Value) -> Value {
    let plain = |schema: &Value| {
        let mut schema = schema.clone();
        if let Some(object) = schema.as_object_mut() {
            object.retain(|key, _| !facets::is_annotation(key) || key == "nullable");
        }
        schema
    };
    match (one, &other) {
        (Value::Bool(true), _) => other,
        (_, Value::Bool(true)) => one.clone(),
        (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
        _ if plain(one) == plain(&other) => other,
        _ => {
            let at = places::of(&other, "");
            json!({"allOf": [one, other], AT: at})
        }
    }
}

fn common_types(one: &Value, other: &Value) -> Option<Value> {
    let list = |value: &Value| -> Vec<String> {
        match value {
            Value::String(one) => vec![one.clone()],
            other => places::list(Some(other)).filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    };
    let (one, other) = (list(one), list(other));
    let has = |types: &[String], name: &str| types.iter().any(|one| one == name);
    let mut common: Vec<String> = one.iter().filter(|name| has(&other, name)).cloned().collect();
    let integers = has(&one, "integer") && has(&other, "number") || has(&other, "integer") && has(&one, "number");
    if integers && !has(&common, "integer") {
        common.push("integer".into());
    }
    match common.as_slice() {
        [] => None,
        [only] => Some(only.as_str().into()),
        _ => Some(common.into()),
    }
}
