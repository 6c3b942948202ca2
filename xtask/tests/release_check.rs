//! `cargo xtask release-check`, on small workspaces that break one gate each.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// What the command says about a workspace.
struct Outcome {
    succeeded: bool,
    text: String,
}

impl Outcome {
    fn passes(&self) {
        assert!(self.succeeded && self.text.contains(" pass "), "{}", self.text);
    }

    fn fails_with(&self, words: &str) {
        assert!(!self.succeeded && self.text.contains("FAIL"), "{}", self.text);
        assert!(self.text.contains(words), "no {words:?} in:\n{}", self.text);
    }
}

fn run(root: &Path, gate: &str, more: &[&str]) -> Outcome {
    run_with(root, gate, more, &[])
}

fn run_with(root: &Path, gate: &str, more: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["release-check", "--gate", gate, "--root"]).arg(root).args(more).env_remove("CARGO_TARGET_DIR");
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Outcome { succeeded: output.status.success(), text }
}

fn check(changes: &[(&str, &str)], gate: &str) -> Outcome {
    run(small(changes).path(), gate, &[])
}

const MANIFEST: &str = r#"
[workspace]
members = ["base"]

[package]
name = "small"
version = "0.1.0"
edition = "2024"
rust-version = "1.85"
license = "MIT"
description = "Small"
documentation = "https://example.org"

[features]
loud = []

[dependencies]
base = { path = "base", version = "0.1.0" }
"#;

const BASE: &str = r#"
[package]
name = "base"
version = "0.1.0"
edition = "2024"
rust-version = "1.85"
license = "MIT"
description = "Base"
documentation = "https://example.org"
"#;

const LIB: &str = "//! Small.\n\n/// One.\npub fn one() -> u8 {\n    base::one()\n}\n";

const BASE_LIB: &str = "//! Base.\n\n/// One.\npub fn one() -> u8 {\n    1\n}\n";

/// A workspace of two small packages that passes every gate; `changes` replace files, or add them.
fn small(changes: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files =
        [("Cargo.toml", MANIFEST), ("base/Cargo.toml", BASE), ("src/lib.rs", LIB), ("base/src/lib.rs", BASE_LIB)];
    for (path, text) in files.iter().chain(changes) {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn git(root: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let output = Command::new("git").current_dir(root).args(identity).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_workspace_in_order_passes_what_needs_no_other_program() {
    let folder = small(&[]);
    for gate in ["packed", "features", "docs"] {
        run(folder.path(), gate, &[]).passes();
    }
}

#[test]
fn a_gate_that_could_not_look_passes_for_nobody_who_releases() {
    let folder = small(&[]);
    let (lenient, strict) = (run(folder.path(), "msrv", &[]), run(folder.path(), "msrv", &["--all-must-run"]));
    if lenient.text.contains("is not installed") {
        assert!(lenient.succeeded && lenient.text.contains("not run"), "{}", lenient.text);
        assert!(!strict.succeeded && strict.text.contains("could not run, and `--all-must-run`"), "{}", strict.text);
    } else {
        lenient.passes();
        strict.passes();
    }
}

#[test]
fn a_package_that_needs_a_file_beside_it_is_found() {
    let lib = format!("{LIB}\n/// Not packed.\npub const PAGE: &str = include_str!(\"../../{}\");\n", "page.md");
    let outer = tempfile::tempdir().unwrap();
    std::fs::write(outer.path().join("page.md"), "# Page").unwrap();
    let inner = small(&[("src/lib.rs", &lib)]);
    let root = outer.path().join("small");
    std::fs::rename(inner.path(), &root).unwrap();
    run(&root, "packed", &[]).fails_with("page.md");
}

#[test]
fn a_package_that_says_nothing_about_itself_is_found() {
    let manifest = MANIFEST.replace("description = \"Small\"\n", "").replace("license = \"MIT\"\n", "");
    check(&[("Cargo.toml", &manifest)], "packed").fails_with("manifest has no");
}

#[test]
fn links_that_the_registry_cannot_follow_are_said() {
    let readme = "# Small\n\n[The book](docs/book.md), [the site](https://example.org), [above](#small)\n";
    let manifest = |more: &str| {
        MANIFEST.replace("license = \"MIT\"\n", &format!("license = \"MIT\"\nreadme = \"README.md\"\n{more}"))
    };
    let outcome = |more: &str| check(&[("Cargo.toml", &manifest(more)), ("README.md", readme)], "packed");
    let (without, with) = (outcome(""), outcome("repository = \"https://example.org/small\"\n"));
    without.passes();
    assert!(without.text.replace(['│', '\n'], " ").contains("1 relative links"), "{}", without.text);
    with.passes();
    assert!(!with.text.contains("relative"), "{}", with.text);
}

#[test]
fn the_template_is_built_against_the_packed_files() {
    let manifest = MANIFEST.to_owned() + "\n[workspace.metadata.release-check]\nuser = \"template\"\n";
    let user = "[package]\nname = \"{{project-name}}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nsmall = \"0.1\"\n";
    let with = |code: &str| {
        let files = [("Cargo.toml", manifest.as_str()), ("template/Cargo.toml", user), ("template/src/main.rs", code)];
        check(&files, "packed")
    };
    with("fn main() {\n    assert_eq!(small::one(), 1);\n}\n").passes();
    with("fn main() {\n    assert_eq!(small::two(), 1);\n}\n").fails_with("from the packed files");
}

#[test]
fn a_feature_that_does_not_compile_alone_is_found() {
    let lib = format!("{LIB}\n/// Loud.\n#[cfg(feature = \"loud\")]\npub fn loud() -> u8 {{\n    two()\n}}\n");
    check(&[("src/lib.rs", &lib)], "features").fails_with("small with only \"loud\"");
}

#[test]
fn a_listed_set_of_features_that_does_not_compile_is_found() {
    let manifest = MANIFEST.replace("loud = []", "loud = []\nfast = []")
        + "\n[package.metadata.release-check]\nfeature-sets = [\"loud,fast\"]\n";
    let lib = format!("{LIB}\n#[cfg(all(feature = \"loud\", feature = \"fast\"))]\ncompile_error!(\"not both\");\n");
    check(&[("Cargo.toml", &manifest), ("src/lib.rs", &lib)], "features").fails_with("loud,fast");
}

#[test]
fn a_broken_link_in_the_docs_is_found() {
    let lib = LIB.replace("/// One.", "/// See [`two`].");
    check(&[("src/lib.rs", &lib)], "docs").fails_with("unresolved link");
}

#[test]
fn a_function_of_a_newer_standard_library_is_found() {
    let lib = LIB.replace("base::one()", "base::one().cast_signed().cast_unsigned()");
    check(&[("src/lib.rs", &lib)], "msrv").fails_with("small");
}

#[test]
fn a_dependency_that_needs_a_newer_compiler_is_found() {
    let base = BASE.replace("1.85", "1.90");
    check(&[("base/Cargo.toml", &base)], "msrv").fails_with("small promises Rust 1.85, and base 0.1.0 needs 1.90");
}

/// A registry on disk, with two versions of a crate.
fn with_a_registry(requirement: &str) -> TempDir {
    let crate_of =
        |version: &str| format!("[package]\nname = \"other\"\nversion = \"{version}\"\nedition = \"2024\"\n");
    // Cargo does not pack packages that need each other while a folder stands in for the registry.
    let manifest = MANIFEST.replace("base = { path = \"base\", version = \"0.1.0\" }", "")
        + &format!("other = \"{requirement}\"\n");
    let replaced = "[source.crates-io]\nreplace-with = \"here\"\n[source.here]\ndirectory = \"vendor\"\n";
    let checksum = "{\"files\":{}}";
    small(&[
        ("Cargo.toml", &manifest),
        ("src/lib.rs", &LIB.replace("base::one()", "other::two()")),
        ("base/Cargo.toml", &format!("{BASE}publish = false\n")),
        (".cargo/config.toml", replaced),
        ("vendor/other-1.0.0/Cargo.toml", &crate_of("1.0.0")),
        ("vendor/other-1.0.0/.cargo-checksum.json", checksum),
        ("vendor/other-1.0.0/src/lib.rs", ""),
        ("vendor/other-1.1.0/Cargo.toml", &crate_of("1.1.0")),
        ("vendor/other-1.1.0/.cargo-checksum.json", checksum),
        ("vendor/other-1.1.0/src/lib.rs", "/// Two.\npub fn two() -> u8 {\n    2\n}\n"),
    ])
}

#[test]
fn a_lowest_version_that_is_not_enough_is_found() {
    run(with_a_registry("1").path(), "minimal", &[]).fails_with("with the lowest versions");
    run(with_a_registry("1.1").path(), "minimal", &[]).passes();
}

#[test]
fn without_a_tag_there_is_nothing_to_break() {
    let folder = small(&[]);
    git(folder.path(), &["init", "--quiet"]);
    let outcome = run(folder.path(), "semver", &[]);
    assert!(outcome.succeeded && outcome.text.contains("pass") && outcome.text.contains("no tag"), "{}", outcome.text);
}

#[test]
fn without_a_repository_nobody_knows_what_was_released() {
    check(&[], "semver").fails_with("git cannot list the tags");
}

#[test]
fn a_workspace_without_rules_for_licences_is_found() {
    check(&[], "licences").fails_with("no deny.toml");
}

#[test]
#[ignore = "installs cargo-public-api below target/tools"]
fn a_change_of_the_public_api_is_found() {
    let folder = small(&[]);
    run(folder.path(), "public-api", &[]).fails_with("there is no listing");
    run(folder.path(), "public-api", &["--update"]).passes();
    run(folder.path(), "public-api", &[]).passes();
    std::fs::write(folder.path().join("src/lib.rs"), LIB.replace("pub fn one", "pub fn first")).unwrap();
    run(folder.path(), "public-api", &[]).fails_with("1 items are new, 1 are gone");
}

#[test]
#[ignore = "installs cargo-semver-checks below target/tools"]
fn what_breaks_since_the_last_tag_is_found() {
    let folder = small(&[(".gitignore", "target\n")]);
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["add", "--all"]);
    git(folder.path(), &["commit", "--quiet", "--message", "first"]);
    git(folder.path(), &["tag", "v0.1.0"]);
    run(folder.path(), "semver", &[]).passes();
    std::fs::write(folder.path().join("src/lib.rs"), LIB.replace("pub fn one", "pub fn first")).unwrap();
    run(folder.path(), "semver", &[]).fails_with("since v0.1.0");
}

#[test]
#[ignore = "installs cargo-deny below target/tools"]
fn a_licence_that_is_not_allowed_is_found() {
    let rules = "[licenses]\nallow = [\"MIT\"]\n";
    check(&[("deny.toml", rules)], "licences").passes();
    let base = BASE.replace("license = \"MIT\"", "license = \"GPL-3.0-only\"");
    check(&[("deny.toml", rules), ("base/Cargo.toml", &base)], "licences").fails_with("cargo-deny");
}

#[test]
#[ignore = "installs cargo-deny below target/tools"]
fn a_dependency_with_a_published_advisory_is_found() {
    let advised = |patched: &str| {
        let folder = with_a_registry("1.1");
        let database = folder.path().join("database");
        let advisory = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\npackage = \"other\"\ndate = \"2026-01-01\"\n\n[versions]\npatched = [{patched}]\n```\n\n# It counts wrongly\n\nTwo is three.\n"
        );
        std::fs::create_dir_all(database.join("crates/other")).unwrap();
        std::fs::write(database.join("crates/other/RUSTSEC-2026-0001.md"), advisory).unwrap();
        git(&database, &["init", "--quiet", "--initial-branch", "main"]);
        git(&database, &["add", "--all"]);
        git(&database, &["commit", "--quiet", "--message", "one"]);
        let server = "https://advisories.example.org/database";
        let clones = folder.path().join("clones");
        let rules = format!("[advisories]\nyanked = \"allow\"\ndb-path = {clones:?}\ndb-urls = [\"{server}\"]\n");
        std::fs::write(folder.path().join("deny.toml"), rules).unwrap();
        // Git takes the folder instead of the server.
        let stands_in = format!("url.file://{}.insteadOf", database.display());
        let config = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", &stands_in), ("GIT_CONFIG_VALUE_0", server)];
        run_with(folder.path(), "advisories", &[], &config)
    };
    advised("\">= 1.1.0\"").passes();
    advised("").fails_with("RUSTSEC-2026-0001");
}
