//! What is accepted compiles in every edition that a user may have: all cases of `ui/pass` as the modules of one crate an
//! edition.
#![allow(clippy::unwrap_used)]

mod crates;

use std::path::Path;

use crates::{manifest, root};

/// From the first with `async` on.
const EDITIONS: [&str; 3] = ["2018", "2021", "2024"];

/// The cases that do not compile before this edition, with or without an annotation.
const LATER: [(&str, &str, &str); 1] =
    [("future_by_another_name", "2021", "an `async` block borrows what an argument refers to, and not the argument")];

/// The cases that cannot be modules.
const ALONE: [(&str, &str); 1] = [("crate_by_another_path", "it looks for the library at the root of the crate")];

/// The names of the cases, sorted.
fn cases() -> Vec<String> {
    let folder = root().join("paid-macros/tests/ui/pass");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let rust = files.filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    let mut names: Vec<_> = rust.map(|file| file.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn is_of(case: &str, edition: &str) -> bool {
    let is_later = LATER.iter().any(|(name, first, _)| *name == case && *first > edition);
    !is_later && !ALONE.iter().any(|(name, _)| *name == case)
}

/// A crate whose modules are the cases. Warnings are those of a whole program, which a module is not; what is in the prelude
/// since 2021 or 2024 is there.
fn write_crate(folder: &Path, edition: &str) {
    let mut modules = "#![allow(warnings)]\npub mod later_prelude {\n    pub use std::convert::{TryFrom, TryInto};\n    pub use std::future::{Future, IntoFuture};\n    pub use std::iter::FromIterator;\n}\n".to_owned();
    std::fs::create_dir_all(folder).unwrap();
    for case in cases().iter().filter(|case| is_of(case, edition)) {
        modules.push_str(&format!("pub mod {case};\n"));
        let text = std::fs::read_to_string(root().join(format!("paid-macros/tests/ui/pass/{case}.rs"))).unwrap();
        let text = text.replace("#![deny(warnings)]\n", "");
        let inner = text
            .lines()
            .take_while(|line| line.starts_with("#![") || line.starts_with("//!") || line.is_empty())
            .count();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.insert(inner, "use crate::later_prelude::*;");
        std::fs::write(folder.join(format!("{case}.rs")), lines.join("\n")).unwrap();
    }
    std::fs::write(folder.join("lib.rs"), modules).unwrap();
    let manifest = manifest(&format!("paid-macros-edition-{edition}"), edition);
    std::fs::write(folder.join("Cargo.toml"), format!("{manifest}[lib]\npath = \"lib.rs\"\n")).unwrap();
}

#[test]
fn every_accepted_case_compiles_in_every_edition() {
    let folder = crates::folder().join("editions");
    let _ = std::fs::remove_dir_all(&folder);
    EDITIONS.iter().for_each(|edition| write_crate(&folder.join(edition), edition));
    let members = EDITIONS.map(|edition| format!("{edition:?}")).join(", ");
    std::fs::write(folder.join("Cargo.toml"), crates::workspace(&members)).unwrap();
    let output = crates::build(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
