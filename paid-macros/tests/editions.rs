//! What is accepted compiles in every edition that a user may have: all cases of `ui/pass` as the modules of one crate an
//! edition. They are built where trybuild builds, with its flags, so that what they depend on is built once.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// From the first with `async` on.
const EDITIONS: [&str; 3] = ["2018", "2021", "2024"];

/// The cases that do not compile before this edition, with or without an annotation.
const LATER: [(&str, &str, &str); 1] =
    [("future_by_another_name", "2021", "an `async` block borrows what an argument refers to, and not the argument")];

/// The cases that cannot be modules.
const ALONE: [(&str, &str); 1] = [("crate_by_another_path", "it looks for the library at the root of the crate")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

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
    std::fs::write(folder.join("Cargo.toml"), manifest(edition)).unwrap();
}

/// With every dependency that trybuild's crate has: with others, what they share would be built anew.
fn manifest(edition: &str) -> String {
    const SHARED: [&str; 12] = [
        "chrono",
        "futures-util",
        "heck",
        "paid-catalog",
        "prettyplease",
        "proc-macro2",
        "proptest",
        "quote",
        "serde",
        "serde_json",
        "tempfile",
        "uuid",
    ];
    let shared: String = SHARED.iter().map(|name| format!("{name}.workspace = true\n")).collect();
    let (api, macros) = (root().join("paid-api"), root().join("paid-macros"));
    format!(
        "[package]\nname = \"paid-macros-edition-{edition}\"\nversion = \"0.0.0\"\nedition = \"{edition}\"\n\n\
         [lib]\npath = \"lib.rs\"\n\n[dependencies]\n\
         paid-api = {{ path = {api:?}, default-features = false, features = [\"emit\", \"trace\"] }}\n\
         paid-macros = {{ path = {macros:?}, default-features = false }}\n\
         async-trait = \"0.1\"\n\
         syn = {{ version = \"3\", default-features = false, features = [\"clone-impls\", \"derive\", \"full\", \"parsing\", \"printing\", \"proc-macro\"] }}\n\
         {shared}"
    )
}

/// The workspace's table of dependencies, for the crates.
fn shared_dependencies() -> String {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let begins = manifest.find("[workspace.dependencies]").unwrap();
    let table = &manifest[begins..];
    let ends = table[1..].find("\n[").map_or(table.len(), |end| end + 2);
    table[..ends].replace("path = \"", &format!("path = \"{}/", root().display()))
}

/// The compiler's own target, which trybuild names.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn build(folder: &Path) -> std::process::Output {
    let rustflags = r#"["--cfg","trybuild","--verbose","-A","dead_code"]"#;
    let host = host();
    Command::new(env!("CARGO"))
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", root().join("target/tests/trybuild"))
        .env("CARGO_INCREMENTAL", "0")
        .env_remove("RUSTFLAGS")
        .env_remove("PAID_SIGNALS")
        .args(["build", "--offline", "--workspace", "--target", &host])
        .arg(format!("--config=build.rustflags={rustflags}"))
        .arg(format!("--config=target.{host}.rustflags={rustflags}"))
        .output()
        .unwrap()
}

#[test]
fn every_accepted_case_compiles_in_every_edition() {
    let folder = root().join("target/tests/editions");
    let _ = std::fs::remove_dir_all(&folder);
    EDITIONS.iter().for_each(|edition| write_crate(&folder.join(edition), edition));
    let members = EDITIONS.map(|edition| format!("{edition:?}")).join(", ");
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n{}", shared_dependencies());
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let output = build(&folder);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
