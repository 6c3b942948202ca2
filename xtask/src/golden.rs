//! Golden tests: what each step of the pipeline makes of the small documents in `xtask/golden/`.
//! `UPDATE_GOLDEN=1 cargo test -p xtask golden` writes the expected files anew; review them as a diff.

use std::path::{Path, PathBuf};

use crate::names::{Decisions, NameTable};
use crate::overlay::Overlay;
use crate::reshape::{self, Target};
use crate::sync::{self, Tree};
use crate::{document, downlevel, facts, generate, import, simplify};

/// Every step of a case, as files.
fn steps(folder: &Path) -> Tree {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let mut tree = Tree::new();
    let mut keep = |step: &str, document: &serde_json::Value| {
        tree.insert(PathBuf::from("expected").join(step), document::to_canonical_json(document));
    };
    let names = NameTable::parse(&read("names.yaml")).unwrap();
    let published = document::parse(&read("document.yaml")).unwrap();
    let (canonical, _) = import::canonicalise(published, &names, Decisions::Required).unwrap();
    keep("1-canonical.json", &canonical);
    let overlaid = Overlay::parse(&read("overlay.yaml")).unwrap().apply(canonical).unwrap();
    keep("2-overlaid.json", &overlaid);
    let simple = simplify::simplify(overlaid).unwrap();
    keep("3-simple.json", &simple);
    let facts = facts::read(&simple).unwrap();
    let lowered = downlevel::downlevel(facts.schemas());
    keep("4-lowered.json", &lowered.document);
    let raw = generate::generate(&lowered).unwrap();
    for (name, text) in reshape::reshape(&raw, &facts, Target::StandAlone).unwrap() {
        tree.insert(Path::new("expected/5-code").join(name), text);
    }
    tree
}

fn check(case: &str) {
    let folder = crate::project::root().unwrap().join("xtask/golden").join(case);
    let tree = steps(&folder);
    let owned = ["expected", "expected/5-code", "expected/5-code/generated"];
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        sync::write(&folder, &tree, &owned).unwrap();
    }
    let difference = sync::diff(&folder, &tree, &owned).unwrap();
    assert!(difference.is_empty(), "golden/{case} (UPDATE_GOLDEN=1 writes it anew):\n{difference}");
}

#[test]
fn clients() {
    check("clients");
}

#[test]
fn lists() {
    check("lists");
}

#[test]
fn money() {
    check("money");
}

#[test]
fn unions() {
    check("unions");
}

#[test]
fn updates() {
    check("updates");
}
