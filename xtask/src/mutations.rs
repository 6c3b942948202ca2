//! Our own document with one change each (`xtask/golden/mutations`): what the diff says, and that codegen makes a client
//! of it or says where it cannot.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::codegen::{self, Options};
use crate::{diff, document, project};

/// One change. The file says what the keys mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutation {
    name: String,
    #[serde(rename = "move", default)]
    moves: BTreeMap<String, String>,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    rename: BTreeMap<String, String>,
    #[serde(default)]
    spelled: Option<String>,
    #[serde(default)]
    diff: Vec<Vec<String>>,
    #[serde(default)]
    reports: Option<String>,
}

fn mutations() -> Vec<Mutation> {
    let path = project::root().unwrap().join("xtask/golden/mutations/mutations.yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn ours() -> Value {
    document::load(&project::root().unwrap().join("openapi/paid-v2.json")).unwrap()
}

impl Mutation {
    /// The changed document, as text.
    fn applied(&self, document: &Value) -> String {
        let mut document = document.clone();
        for (from, to) in &self.moves {
            let part = take(&mut document, from);
            put(&mut document, to, part);
        }
        for (at, value) in &self.set {
            put(&mut document, at, value.clone());
        }
        for at in &self.remove {
            take(&mut document, at);
        }
        let mut text = match self.spelled.as_deref() {
            None => document.to_string(),
            Some("reversed") => reversed(&document).to_string(),
            Some("yaml") => serde_saphyr::to_string(&document).unwrap(),
            Some("three-zero") => three_zero(document).to_string(),
            Some(other) => panic!("`spelled: {other}`"),
        };
        for (from, to) in &self.rename {
            text = text.replace(&format!("\"{from}\":"), &format!("\"{to}\":"));
            text = text.replace(&format!("schemas/{from}\""), &format!("schemas/{to}\""));
        }
        text
    }
}

fn parent<'a>(document: &'a mut Value, pointer: &str) -> (&'a mut Value, String) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    if document.pointer(parent).is_none() {
        put(document, parent, json!({}));
    }
    (document.pointer_mut(parent).unwrap(), key)
}

fn put(document: &mut Value, pointer: &str, value: Value) {
    match parent(document, pointer) {
        (Value::Array(list), index) if list.len() == index.parse::<usize>().unwrap() => list.push(value),
        (Value::Array(list), index) => list[index.parse::<usize>().unwrap()] = value,
        (object, key) => object[key] = value,
    }
}

#[track_caller]
fn take(document: &mut Value, pointer: &str) -> Value {
    match parent(document, pointer) {
        (Value::Array(list), index) => list.remove(index.parse().unwrap()),
        (object, key) => object.as_object_mut().unwrap().remove(&key).unwrap_or_else(|| panic!("{pointer}")),
    }
}

/// Objects and sets the other way round.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.iter().rev().map(|(key, inner)| (key.clone(), reversed(inner))).collect(),
        Value::Array(list) => list.iter().rev().map(reversed).collect(),
        other => other.clone(),
    }
}

/// As a 3.0 document would say it.
fn three_zero(mut document: Value) -> Value {
    document["openapi"] = "3.0.3".into();
    document::visit_schemas(&mut document, &mut |schema, _| {
        let types: Vec<Value> = schema["type"].as_array().cloned().unwrap_or_default();
        if let [name, null] = types.as_slice() {
            assert_eq!(null, "null");
            schema["type"] = name.clone();
            schema["nullable"] = true.into();
        }
        let branches = schema["oneOf"].as_array().cloned().unwrap_or_default();
        if let [inner, null] = branches.as_slice()
            && null["type"] == "null"
        {
            *schema = json!({"allOf": [inner], "nullable": true});
        }
    });
    document
}

#[test]
fn the_diff_says_of_each_change_what_it_is_and_nothing_else() {
    let before = ours();
    let mutations = mutations();
    assert!(mutations.len() >= 40);
    let mut surprises = Vec::new();
    for mutation in &mutations {
        let after = document::parse(&mutation.applied(&before)).unwrap();
        let report = diff::compare(&before, &after).unwrap();
        let found = report.changes.iter().map(|entry| {
            let places: BTreeSet<String> = entry.places.iter().map(|place| place.location.clone()).collect();
            let levels = [entry.what.clone(), entry.wire.name().into(), entry.rust.name().into()];
            (levels, places)
        });
        let expected = mutation.diff.iter().map(|row| {
            let levels = [row[0].clone(), row[1].clone(), row[2].clone()];
            (levels, row[3..].iter().cloned().collect::<BTreeSet<String>>())
        });
        let everywhere = |(levels, places): ([String; 3], BTreeSet<String>)| {
            let all = levels[0].starts_with("security bearerAuth") && places.len() == 106;
            (levels, if all { BTreeSet::new() } else { places })
        };
        let found: BTreeSet<_> = found.map(everywhere).collect();
        let expected: BTreeSet<_> = expected.collect();
        if found != expected {
            surprises.push(format!("{}: expected {expected:#?}, found {found:#?}", mutation.name));
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

/// Writes the client of a changed document into `folder`.
fn generated(mutation: &Mutation, before: &Value, folder: &Path) -> anyhow::Result<()> {
    let spec = folder.join("changed-document");
    std::fs::write(&spec, mutation.applied(before)).unwrap();
    codegen::run(&Options { check: false, spec: Some(spec), out: Some(folder.join("client")), ..Options::default() })
}

/// What went otherwise than the file says.
fn surprise(mutation: &Mutation, outcome: &anyhow::Result<()>) -> Option<String> {
    match (&mutation.reports, outcome) {
        (None, Ok(())) => None,
        (Some(text), Err(error)) if format!("{error:#}").contains(text) => None,
        (_, outcome) => Some(format!("{}: expected {:?}, got {outcome:#?}", mutation.name, mutation.reports)),
    }
}

/// Whether the generator sees a change; the others are only written in another way, or limits that it leaves out.
fn shows(mutation: &Mutation) -> bool {
    mutation.reports.is_some() || mutation.diff.iter().any(|row| row[2] != "documentation")
}

#[test]
fn codegen_makes_a_client_of_each_change_that_it_sees_or_says_where_it_cannot() {
    generates(shows);
}

#[test]
#[ignore = "takes minutes: `cargo test -p xtask mutations -- --ignored`"]
fn codegen_makes_a_client_of_the_other_changes_too() {
    generates(|mutation| !shows(mutation));
}

fn generates(choose: impl Fn(&Mutation) -> bool) {
    let before = ours();
    let mutations: Vec<_> = mutations().into_iter().filter(choose).collect();
    let surprises: Vec<_> = std::thread::scope(|scope| {
        let half = mutations.len().div_ceil(2);
        let workers: Vec<_> = mutations
            .chunks(half)
            .map(|part| {
                let before = &before;
                scope.spawn(move || {
                    let folder = tempfile::tempdir().unwrap();
                    let outcome = |mutation| surprise(mutation, &generated(mutation, before, folder.path()));
                    part.iter().filter_map(outcome).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

/// Compiles what these changes make of the client.
fn compile(choose: impl Fn(&Mutation) -> bool) {
    let before = ours();
    let root = project::root().unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    for mutation in mutations().iter().filter(|mutation| mutation.reports.is_none() && choose(mutation)) {
        let folder = tempfile::tempdir().unwrap();
        generated(mutation, &before, folder.path()).unwrap();
        let client = folder.path().join("client");
        std::fs::copy(root.join("Cargo.lock"), client.join("Cargo.lock")).unwrap();
        let output = std::process::Command::new("cargo")
            .current_dir(&client)
            .args(["check", "--quiet", "--offline"])
            .env("CARGO_TARGET_DIR", &target)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}: {}", mutation.name, String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn clients_of_some_changes_compile() {
    let some = ["a field that is called like a keyword", "a new branch of a tagged union"];
    compile(|mutation| some.contains(&mutation.name.as_str()));
}

#[test]
#[ignore = "compiles sixty clients: `cargo test -p xtask mutations -- --ignored`"]
fn clients_of_all_changes_compile() {
    compile(|_| true);
}
