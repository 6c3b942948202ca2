//! The real case: July's published document against what Paid's newest clients know, entry by entry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::{Level, compare};
use crate::{document, project};

/// What happened, its kind for users of the client, and where.
type Table = BTreeMap<(String, &'static str), BTreeSet<String>>;

fn folder() -> Option<PathBuf> {
    let folder = project::root().unwrap().join("../shared/openapi");
    if !folder.join("paid-v2-next.md").is_file() {
        eprintln!("SKIPPED: there are no documents in {}", folder.display());
        return None;
    }
    Some(folder)
}

/// The page's words in ours.
fn ours(what: &str) -> String {
    match what.strip_prefix("answers ") {
        Some(status) => format!("status {status} added"),
        None => what.to_owned(),
    }
}

/// `A.{b c}` is `A.b` and `A.c`.
fn spelled_out(place: &str) -> Vec<String> {
    match place.split_once(".{") {
        Some((owner, names)) => names.trim_end_matches('}').split(' ').map(|name| format!("{owner}.{name}")).collect(),
        None => vec![place.to_owned()],
    }
}

fn expected(page: &str) -> Table {
    let table = page.split_once("<!-- changes: begin -->").unwrap().1.split_once("<!-- changes: end -->").unwrap().0;
    let mut expected = Table::new();
    for row in table.trim().lines().skip(2) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [what, kind, _, places] = cells[..] else { panic!("{row}") };
        let kind = if kind == "breaking" { "breaking" } else { "additive" };
        let places = places.split('`').skip(1).step_by(2).flat_map(spelled_out);
        expected.entry((ours(what), kind)).or_default().extend(places);
    }
    expected
}

#[test]
fn the_newest_clients_differ_from_july_in_what_their_page_says_and_in_nothing_else() {
    let Some(folder) = folder() else { return };
    let load = |name: &str| document::load(&folder.join(name)).unwrap();
    let (old, new) = (load("paid-v2.json"), load("paid-v2-next.json"));
    let report = compare(&old, &new).unwrap();

    let mut found = Table::new();
    let mut operations = BTreeSet::new();
    for entry in &report.changes {
        for place in &entry.places {
            for (document, pointer) in [(&old, &place.old), (&new, &place.new)] {
                let Some(pointer) = pointer else { continue };
                assert!(document.pointer(&pointer[1..]).is_some(), "{}: {pointer} names nothing", entry.what);
            }
            assert!(!place.operations.is_empty(), "{}: {}", entry.what, place.location);
        }
        let places = entry.places.iter().map(|place| place.location.clone());
        if entry.what == "new operation" {
            operations.extend(places);
        } else {
            found.entry((entry.what.clone(), entry.rust.name())).or_default().extend(places);
        }
    }
    let expected = expected(&std::fs::read_to_string(folder.join("paid-v2-next.md")).unwrap());
    assert!(expected.len() > 10);
    for (entry, places) in &expected {
        assert_eq!(found.get(entry), Some(places), "{entry:?}");
    }
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert_eq!(operations, added(&old, &new));
    assert_eq!(operations.len(), 52);
    assert_eq!((report.rust, report.semver), (Some(Level::Breaking), "major"));
}

fn added(old: &Value, new: &Value) -> BTreeSet<String> {
    let names = |document: &Value| -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        document::for_each_operation(document, |path, method, _, _| {
            names.insert(format!("{} {path}", method.to_uppercase()));
            Ok(())
        })
        .unwrap();
        names
    };
    names(new).difference(&names(old)).cloned().collect()
}

#[test]
fn the_canonical_document_differs_from_the_published_one_in_nothing() {
    let Some(folder) = folder() else { return };
    let published = document::load(&folder.join("paid-v2.json")).unwrap();
    let canonical = document::load(&project::root().unwrap().join("openapi/paid-v2.json")).unwrap();
    let report = compare(&published, &canonical).unwrap();
    assert!(report.changes.is_empty(), "{}", report.markdown());
}
