//! Holds the docs of public items to saying more than the items' names: all that are written by hand, and nearly all that are
//! generated. `cargo test -p xtask --test docs -- --nocapture` prints those that do not.
#![allow(clippy::unwrap_used)]

mod items;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use items::Documented;

/// Of a hundred generated items, how many may say no more than their name.
const GENERATED: usize = 5;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The library's items: what is generated, and what is written by hand.
fn of_the_library() -> (Vec<Documented>, Vec<Documented>) {
    let items = items::public(&workspace().join("paid-api/src/lib.rs"));
    items.into_iter().partition(|item| item.module == "generated" || item.module.starts_with("generated::"))
}

/// Those that say no more than their name.
fn bare(items: &[Documented]) -> Vec<&Documented> {
    items.iter().filter(|item| !words::says_more(&item.doc, &[&item.owner, &item.name], item.is_part)).collect()
}

fn listed(items: &[&Documented]) -> String {
    let mut by_module: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for item in items {
        let said = item.doc.lines().next().unwrap_or_default();
        let words = words::own_words(&item.doc, &[&item.owner, &item.name]).len();
        by_module.entry(&item.module).or_default().push(format!("  {} [{words}]: {said}", item.path()));
    }
    let lists = by_module.into_iter().map(|(module, lines)| format!("{module}: {}\n{}", lines.len(), lines.join("\n")));
    lists.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_written_by_hand_says_more_than_its_name() {
    let (_, mut items) = of_the_library();
    items.extend(items::public(&workspace().join("paid-macros/src/lib.rs")));
    assert!(items.len() > 500, "only {} items were found", items.len());
    let bare = bare(&items);
    assert!(bare.is_empty(), "{} of {} items say no more than their name:\n{}", bare.len(), items.len(), listed(&bare));
}

#[test]
fn what_is_generated_says_more_than_its_name() {
    let (items, _) = of_the_library();
    assert!(items.len() > 3000, "only {} items were found", items.len());
    let bare = bare(&items);
    let report = format!("{} of {} items say no more than their name:\n{}", bare.len(), items.len(), listed(&bare));
    println!("{report}");
    assert!(bare.len() * 100 <= items.len() * GENERATED, "more than {GENERATED} %: {report}");
}

#[test]
fn every_formula_is_one_that_the_generator_writes() {
    let (items, _) = of_the_library();
    for formula in words::FORMULAS {
        assert!(items.iter().any(|item| item.doc.contains(formula)), "no generated item says: {formula}");
    }
}
