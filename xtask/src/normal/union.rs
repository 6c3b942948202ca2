//! Choices: `oneOf` and `anyOf`. Branches of one JSON type become one where that loses nothing; the others are told apart by
//! what can be seen of a value. A choice whose branches cannot be told apart is plain JSON, which is said aloud.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::shape::{Name, Shaper};
use super::{facets, places};
use crate::document::{self, Object};
use crate::simplify::ONE_OF;
use crate::{null, words};

/// A choice whose branches are told apart once everything is known.
#[derive(Debug)]
pub(super) struct Union {
    name: String,
    branches: Vec<Branch>,
    /// The key that tells, if the document says so.
    tag: Option<String>,
    description: Option<Value>,
    at: String,
}

#[derive(Debug, Clone)]
struct Branch {
    used: Value,
    /// The values of the tag.
    values: Vec<String>,
}

impl Union {
    /// A component that is another thing under its own name, since it holds itself.
    pub(super) fn of_one(name: &str, used: Value) -> Self {
        let branches = vec![Branch { used, values: Vec::new() }];
        Self { name: name.to_owned(), branches, tag: None, description: None, at: String::new() }
    }
}

fn is_null(branch: &Value) -> bool {
    branch["type"] == "null"
        || branch.get("const").is_some_and(Value::is_null)
        || branch["enum"].as_array().is_some_and(|values| !values.is_empty() && values.iter().all(Value::is_null))
        || branch
            .as_object()
            .is_some_and(|object| object.len() == 1 && object.get("nullable") == Some(&Value::Bool(true)))
}

impl<'a> Shaper<'a> {
    /// What a choice is where it is used. `None` if the schema is no choice.
    pub(super) fn choice(&mut self, schema: &Object, name: Name<'_>, at: &str) -> Option<Value> {
        let lists: Vec<_> =
            ["oneOf", "anyOf"].into_iter().filter(|key| schema.get(*key).is_some_and(Value::is_array)).collect();
        let key = *lists.first()?;
        if lists.len() > 1 {
            let mut rest = schema.clone();
            let any = rest.remove("anyOf").unwrap_or_default();
            rest.insert("allOf".into(), json!([{"anyOf": any}]));
            return Some(match self.flatten(&rest, at) {
                Some(flat) => self.choice(&flat, name, at).unwrap_or_default(),
                None => json!({}),
            });
        }
        let mut branches: Vec<(Value, String)> = places::list(schema.get(key))
            .enumerate()
            .map(|(index, branch)| (branch.clone(), places::of(branch, &format!("{at}/{key}/{index}"))))
            .collect();
        let all = branches.len();
        branches.retain(|(branch, _)| !is_null(branch));
        let nullable = branches.len() < all;
        let mut rest = schema.clone();
        rest.retain(|key, _| !matches!(key.as_str(), "oneOf" | "anyOf" | "discriminator" | "nullable" | "const"));
        let only_limits = |branch: &Value| {
            branch.as_object().is_some_and(|branch| !branch.is_empty() && facets::is_only_limits(branch))
        };
        if branches.is_empty() || branches.iter().all(|(branch, _)| only_limits(branch)) {
            let rest_alone = self.shape_rest(&rest, name, at);
            return Some(nullable_if(rest_alone, nullable));
        }
        let decides =
            |key: &String| facets::DECISIVE.contains(&key.as_str()) && !matches!(key.as_str(), "type" | "format");
        if rest.keys().any(decides) {
            let mut shared = rest.clone();
            shared.retain(|key, _| !facets::is_annotation(key));
            let shared = places::marked(&Value::Object(shared), at);
            for (branch, at) in &mut branches {
                *branch = json!({"allOf": [shared, branch], places::AT: at, "x-rust-branch": branch.get("$ref")});
            }
        }
        let used = self.of_branches(schema, branches, name, at);
        Some(nullable_if(used, nullable))
    }

    fn shape_rest(&mut self, rest: &Object, name: Name<'_>, at: &str) -> Value {
        self.shape(&places::marked(&Value::Object(rest.clone()), at), name, at)
    }

    fn of_branches(&mut self, schema: &Object, branches: Vec<(Value, String)>, name: Name<'_>, at: &str) -> Value {
        let tag = schema.get("discriminator").and_then(|tag| tag.get("propertyName")).and_then(Value::as_str);
        let branches = if tag.is_some() { branches } else { self.joined(branches) };
        if let [(only, at)] = branches.as_slice() {
            return self.shape(&only.clone(), name, &at.clone());
        }
        let own = self.claim(name);
        self.made.insert(own.clone(), json!({}));
        let mut nullable = false;
        let mut shaped = Vec::new();
        for (index, (branch, at)) in branches.iter().enumerate() {
            let values = tag.map_or_else(Vec::new, |tag| self.tag_values(schema, tag, branch));
            let title = branch.get("title").and_then(Value::as_str).or(values.first().map(String::as_str));
            let label = title.map_or_else(|| format!("Variant{}", index + 1), |title| words::camel(title, "Variant"));
            let used = self.shape(branch, Name::Hint(&format!("{own}{label}")), at);
            let without = null::without(&used);
            nullable |= without.nullable;
            shaped.push(Branch { used: without.schema, values });
        }
        let tag = tag.filter(|_| shaped.iter().all(|branch| !branch.values.is_empty())).map(str::to_owned);
        let description = schema.get("description").cloned();
        self.unions.push(Union { name: own.clone(), branches: shaped, tag, description, at: at.to_owned() });
        nullable_if(document::reference(&own), nullable)
    }

    /// The values of the tag that name a branch: what the mapping says, or what the branch's own tag may be, or its name.
    fn tag_values(&mut self, schema: &Object, tag: &str, branch: &Value) -> Vec<String> {
        let reference = branch.get("$ref").or_else(|| branch.get("x-rust-branch")).and_then(Value::as_str);
        let name = reference.map(|reference| reference.rsplit('/').next().unwrap_or(reference));
        let mapping = schema.get("discriminator").and_then(|tag| tag.get("mapping"));
        let mapped: Vec<String> = places::object(mapping)
            .filter(|(_, target)| {
                target.as_str().is_some_and(|target| Some(target) == reference || Some(target) == name)
            })
            .map(|(value, _)| value.clone())
            .collect();
        if !mapped.is_empty() {
            return mapped;
        }
        let Some(object) = branch.as_object() else { return Vec::new() };
        let problems = self.problems.0.len();
        let flat = self.flatten(object, "");
        if self.problems.0.len() > problems {
            return Vec::new();
        }
        let property = flat.as_ref().and_then(|flat| flat.get("properties")?.get(tag)).cloned().unwrap_or_default();
        let property = match property.as_object().map(|property| self.flatten(property, "")) {
            Some(Some(property)) => property,
            _ => Object::new(),
        };
        let values: Vec<String> =
            places::list(property.get("enum")).filter_map(Value::as_str).map(str::to_owned).collect();
        if values.is_empty() { name.map(str::to_owned).into_iter().collect() } else { values }
    }

    /// Branches of one JSON type as one, where the one has all their values.
    fn joined(&mut self, branches: Vec<(Value, String)>) -> Vec<(Value, String)> {
        let mut groups: Vec<(&'static str, Vec<(Value, String)>)> = Vec::new();
        for (branch, place) in branches {
            let group = self.group(&branch);
            let known = groups.iter_mut().find(|(name, _)| !group.is_empty() && *name == group);
            match known {
                Some((_, members)) => {
                    if !members.iter().any(|(other, _)| *other == branch) {
                        members.push((branch, place));
                    }
                }
                None => groups.push((group, vec![(branch, place)])),
            }
        }
        groups.into_iter().flat_map(|(group, members)| self.one_of_group(group, members)).collect()
    }

    /// A branch's group, by its type; empty for one of its own.
    fn group(&mut self, branch: &Value) -> &'static str {
        let Some(flat) = self.looked_through(branch) else { return "" };
        let (types, _) = facets::types(&flat);
        match (types.as_slice(), flat.contains_key("properties"), flat.contains_key("additionalProperties")) {
            ([one], ..) if one == "string" => "string",
            ([one], ..) if one == "array" => "array",
            ([one], ..) if one == "boolean" => "boolean",
            ([one], ..) if one == "integer" => "integer",
            ([one], ..) if one == "number" => "number",
            ([one], false, true) if one == "object" => "map",
            ([], ..) if places::list(flat.get("enum")).next().is_some_and(Value::is_string) => "string",
            _ => "",
        }
    }

    fn looked_through(&mut self, branch: &Value) -> Option<Object> {
        let problems = self.problems.0.len();
        let flat = self.flatten(branch.as_object()?, "");
        (self.problems.0.len() == problems).then_some(flat).flatten()
    }

    fn one_of_group(&mut self, group: &str, members: Vec<(Value, String)>) -> Vec<(Value, String)> {
        let [_, _, ..] = members.as_slice() else { return members };
        let place = members[0].1.clone();
        let flat: Vec<Object> = members.iter().filter_map(|(branch, _)| self.looked_through(branch)).collect();
        let mut joined = match group {
            "string" | "integer" | "number" | "boolean" => {
                let values: Vec<Value> = flat.iter().flat_map(|flat| places::list(flat.get("enum")).cloned()).collect();
                let format =
                    flat[0].get("format").filter(|format| flat.iter().all(|flat| flat.get("format") == Some(format)));
                let mut joined = json!({"type": group});
                if let Some(format) = format {
                    joined["format"] = format.clone();
                }
                if !values.is_empty() && group != "boolean" {
                    // Enums are open: the other texts are values that it does not know.
                    joined["enum"] = values.into();
                }
                joined
            }
            "array" => {
                let items: Vec<_> =
                    flat.iter().map(|flat| flat.get("items").cloned().unwrap_or_else(|| json!({}))).collect();
                json!({"type": "array", "items": {"oneOf": items, places::AT: place}})
            }
            "map" => {
                let values = flat.iter().map(|flat| flat["additionalProperties"].clone());
                let values: Vec<_> = values.map(|values| if values.is_object() { values } else { json!({}) }).collect();
                json!({"type": "object", "additionalProperties": {"oneOf": values, places::AT: place}})
            }
            _ => return members,
        };
        if flat.iter().any(|flat| flat.get("nullable") == Some(&true.into())) {
            joined["nullable"] = true.into();
        }
        vec![(places::marked(&joined, &place), place)]
    }
}

fn nullable_if(used: Value, nullable: bool) -> Value {
    let mut used = used;
    if nullable && !used.as_object().is_some_and(Object::is_empty) && !null::without(&used).nullable {
        if used.get("$ref").is_some() {
            let reference = used["$ref"].clone();
            if let Some(object) = used.as_object_mut() {
                object.remove("$ref");
                object.insert("oneOf".into(), json!([{"$ref": reference}, {"type": "null"}]));
            }
        } else {
            null::allow(&mut used);
        }
    }
    used
}

/// What can be seen of a branch.
#[derive(Debug, Clone, Default)]
struct Seen {
    is: String,
    /// Keys that it has, each with JSON types and values, of which none means any.
    required: BTreeMap<String, (Vec<String>, Vec<String>)>,
    /// Keys that it may have, in the same way.
    optional: BTreeMap<String, (Vec<String>, Vec<String>)>,
    is_map: bool,
    /// What the rule asks for.
    rule: BTreeMap<String, (Vec<String>, Vec<String>)>,
}

impl Shaper<'_> {
    pub(super) fn tell_unions_apart(&mut self) {
        let unions = std::mem::take(&mut self.unions);
        let index: BTreeMap<String, usize> =
            unions.iter().enumerate().map(|(at, union)| (union.name.clone(), at)).collect();
        let mut plain = BTreeSet::new();
        for union in &unions {
            let component = match self.told_apart(union, &unions, &index) {
                Some(component) => component,
                None => {
                    self.notes.push(format!(
                        "plain JSON: {}: the branches of this choice cannot be told apart by a required key or its values",
                        union.at
                    ));
                    plain.insert(union.name.clone());
                    continue;
                }
            };
            self.made.insert(union.name.clone(), component);
        }
        for name in &plain {
            self.made.remove(name);
        }
        self.plain = plain;
    }

    fn told_apart(&self, union: &Union, unions: &[Union], index: &BTreeMap<String, usize>) -> Option<Value> {
        let mut branches = Vec::new();
        spread(union, unions, index, &mut BTreeSet::new(), &mut branches);
        let mut seen = Vec::new();
        for branch in &branches {
            seen.push(match &union.tag {
                Some(tag) => Seen {
                    is: "object".to_owned(),
                    rule: [(tag.clone(), (Vec::new(), branch.values.clone()))].into(),
                    ..Seen::default()
                },
                None => self.seen(&branch.used)?,
            });
        }
        if union.tag.is_none() {
            for at in 0..seen.len() {
                for other in at + 1..seen.len() {
                    let (head, tail) = seen.split_at_mut(other);
                    tell(&mut head[at], &mut tail[0])?;
                }
            }
        }
        let mut all: Vec<(Branch, Seen)> = branches.into_iter().zip(seen).collect();
        // What asks for more is asked first, and whole numbers before others.
        all.sort_by_key(|(_, seen)| (seen.is == "number", usize::MAX - seen.rule.len(), seen.is_map));
        let mut taken = BTreeSet::from(["Unknown".to_owned()]);
        let names: Vec<String> =
            all.iter().map(|(branch, seen)| words::unique(variant(&branch.used, &seen.is), "", &mut taken)).collect();
        let marks: Vec<Value> = all
            .iter()
            .zip(names)
            .map(|((_, seen), name)| {
                let keys: Vec<_> = seen.rule.iter().map(|(key, (kinds, values))| json!([key, kinds, values])).collect();
                json!({"name": name, "rule": {"is": seen.is, "keys": keys}})
            })
            .collect();
        let used: Vec<Value> = all.into_iter().map(|(branch, _)| branch.used).collect();
        let mut component = json!({"oneOf": used, ONE_OF: marks});
        if let Some(text) = &union.description {
            component["description"] = text.clone();
        }
        Some(component)
    }

    /// `None` if it may be anything.
    fn seen(&self, used: &Value) -> Option<Seen> {
        let kinds = self.kinds(used, 0);
        let [is] = kinds.as_slice() else { return None };
        let mut seen = Seen { is: is.clone(), ..Seen::default() };
        let component = document::referenced(used).and_then(|name| self.made.get(name));
        if is == "object" {
            let Some(component) = component else {
                seen.is_map = true;
                return Some(seen);
            };
            seen.is_map = component.get("additionalProperties").is_some();
            let required: Vec<&str> = places::list(component.get("required")).filter_map(Value::as_str).collect();
            for (key, property) in places::object(component.get("properties")) {
                let facts = (self.kinds(property, 0), self.values(property));
                let is_required = required.contains(&key.as_str());
                let keys = if is_required { &mut seen.required } else { &mut seen.optional };
                keys.insert(key.clone(), facts);
            }
            for key in seen.required.keys() {
                seen.rule.insert(key.clone(), Default::default());
            }
        }
        Some(seen)
    }

    /// The JSON types of a value; none means any.
    fn kinds(&self, used: &Value, depth: usize) -> Vec<String> {
        let without = null::without(used);
        let mut kinds: Vec<String> = match document::referenced(&without.schema) {
            Some(name) => match self.made.get(name) {
                Some(made) if made.get("properties").is_some() => vec!["object".into()],
                Some(made) if made.get("enum").is_some() => vec![made["type"].as_str().unwrap_or("string").into()],
                Some(made) if depth < 8 && made.get("oneOf").is_some() => {
                    let branches = places::list(made.get("oneOf"));
                    let all: Vec<_> = branches.map(|branch| self.kinds(branch, depth + 1)).collect();
                    if all.iter().any(Vec::is_empty) { Vec::new() } else { all.concat() }
                }
                _ => Vec::new(),
            },
            None => without.schema["type"].as_str().map(str::to_owned).into_iter().collect(),
        };
        if without.nullable && !kinds.is_empty() {
            kinds.push("null".into());
        }
        kinds.sort();
        kinds.dedup();
        kinds
    }

    fn values(&self, used: &Value) -> Vec<String> {
        let without = null::without(used);
        let component = document::referenced(&without.schema).and_then(|name| self.made.get(name));
        let values = places::list(component.and_then(|component| component.get("enum")));
        if without.nullable {
            return Vec::new();
        }
        values.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect()
    }
}

/// The branches, with those of a union that is a branch itself in its place.
fn spread(
    union: &Union,
    unions: &[Union],
    index: &BTreeMap<String, usize>,
    open: &mut BTreeSet<String>,
    into: &mut Vec<Branch>,
) {
    if !open.insert(union.name.clone()) {
        return;
    }
    for branch in &union.branches {
        let inner = document::referenced(&branch.used).and_then(|name| index.get(name));
        match inner.and_then(|at| unions.get(*at)) {
            Some(inner) if union.tag.is_none() || inner.tag == union.tag => spread(inner, unions, index, open, into),
            _ => into.push(branch.clone()),
        }
    }
}

fn disjoint(one: &[String], other: &[String]) -> bool {
    !one.is_empty() && !other.is_empty() && !one.iter().any(|value| other.contains(value))
}

fn kinds_differ(one: &[String], other: &[String]) -> bool {
    let number = |kinds: &[String]| kinds.iter().any(|kind| kind == "number" || kind == "integer");
    disjoint(one, other) && !(number(one) && number(other))
}

/// Finds what tells two branches apart, and has their rules ask for it.
fn tell(one: &mut Seen, other: &mut Seen) -> Option<()> {
    if one.is != other.is {
        return Some(());
    }
    if one.is != "object" {
        return None;
    }
    let keys: Vec<String> = one.required.keys().chain(other.required.keys()).cloned().collect();
    let facts = |seen: &Seen, key: &str| seen.required.get(key).or_else(|| seen.optional.get(key)).cloned();
    for key in &keys {
        let (Some(first), Some(second)) = (facts(one, key), facts(other, key)) else { continue };
        let (by_value, by_kind) = (disjoint(&first.1, &second.1), kinds_differ(&first.0, &second.0));
        if !by_value && !by_kind {
            continue;
        }
        for (seen, facts) in [(&mut *one, first), (&mut *other, second)] {
            if seen.required.contains_key(key) {
                let rule = seen.rule.entry(key.clone()).or_default();
                if by_value {
                    rule.1 = facts.1;
                } else {
                    rule.0 = facts.0;
                }
            }
        }
        return Some(());
    }
    let has = |seen: &Seen, key: &String| seen.required.contains_key(key) || seen.optional.contains_key(key);
    let lacks = one.required.keys().any(|key| !has(other, key)) || other.required.keys().any(|key| !has(one, key));
    lacks.then_some(())
}

/// The variant of a branch.
fn variant(used: &Value, is: &str) -> String {
    if let Some(name) = document::referenced(used) {
        return name.to_owned();
    }
    match (is, used.get("format").and_then(Value::as_str)) {
        ("string", Some("date-time")) => "Time",
        ("string", _) => "Text",
        ("integer", _) => "Integer",
        ("number", _) => "Number",
        ("boolean", _) => "Boolean",
        ("array", _) => "List",
        _ => "Map",
    }
    .to_owned()
}
