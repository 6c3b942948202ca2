//! `cargo xtask spec diff` and `spec update` as a user calls them; two checkouts that share a target folder.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn xtask(here: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).current_dir(here).env_remove("CARGO_MANIFEST_DIR").output().unwrap()
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

const BEFORE: &str = "openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /notes:
    get: {operationId: list-notes, tags: [notes], responses: {'200': {description: '', content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}}}
components: {schemas: {Note: {type: object, properties: {text: {type: string}}, required: [text]}}}
";

/// The codes and the first lines of a diff from `BEFORE` to a document that has one text replaced.
fn diff(replaced: (&str, &str), arguments: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.yaml"), folder.path().join("new.yaml"));
    assert!(BEFORE.contains(replaced.0));
    std::fs::write(&old, BEFORE).unwrap();
    std::fs::write(&new, BEFORE.replace(replaced.0, replaced.1)).unwrap();
    let paths = [old.to_str().unwrap(), new.to_str().unwrap()];
    let output = xtask(&root(), &[&["spec", "diff"], &paths[..], arguments].concat());
    (output.status.code().unwrap(), shown(&output))
}

#[test]
fn a_diff_exits_with_the_level_of_what_changed() {
    let nothing = ("title: T", "title: Other");
    let additive = ("{text: {type: string}}", "{text: {type: string}, by: {type: string}}");
    let breaking = ("required: [text]", "required: []");
    assert_eq!(diff(nothing, &[]).0, 0);
    assert_eq!(diff(additive, &[]).0, 1);
    assert_eq!(diff(breaking, &[]).0, 2);
    assert_eq!(diff(additive, &["--fail-on", "breaking"]).0, 0);
    assert_eq!(diff(breaking, &["--fail-on", "breaking"]).0, 2);
    assert_eq!(diff(("openapi: 3.1.0", "openapi: 3.0.3"), &[]).0, 0);
    assert_eq!(diff(("openapi: 3.1.0", "swagger: '2.0'"), &[]).0, 3);
    assert_eq!(diff(("paths:", "roads:"), &[]).0, 3);
    assert_eq!(diff(nothing, &["--format", "paper"]).0, 3);
}

#[test]
fn a_reference_that_leads_nowhere_is_an_error_with_its_pointer() {
    let (code, text) = diff(("schemas: {Note:", "schemas: {Notice:"), &[]);
    assert_eq!(code, 3);
    let pointer = "#/paths/~1notes/get/responses/200/content/application~1json/schema: #/components/schemas/Note";
    assert!(text.contains(pointer), "{text}");
}

#[test]
fn a_diff_names_check_place_pointer_and_operation_in_every_format() {
    let breaking = ("required: [text]", "required: []");
    let text = diff(breaking, &[]).1;
    for part in [
        "required -> optional [wire: breaking, Rust: breaking, semver: major]",
        "response-property-became-optional",
        "Note.text",
        "#/components/schemas/Note/properties/text",
        "in GET /notes",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    let markdown = diff(breaking, &["--format", "markdown"]).1;
    assert!(markdown.contains("| required -> optional | breaking | breaking | major | `Note.text` |"), "{markdown}");
    let json: serde_json::Value = serde_json::from_str(&diff(breaking, &["--format", "json"]).1).unwrap();
    let place = &json["changes"][0]["places"][0];
    assert_eq!(place["old"], "#/components/schemas/Note/properties/text");
    assert_eq!(place["operations"], serde_json::json!(["GET /notes"]));
    assert_eq!((json["level"].as_str(), json["semver"].as_str()), (Some("breaking"), Some("major")));
}

/// What `spec import` needs of a checkout.
fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("openapi")).unwrap();
    std::fs::create_dir_all(folder.path().join("xtask/src")).unwrap();
    std::fs::write(folder.path().join("xtask/Cargo.toml"), "").unwrap();
    std::fs::write(folder.path().join("openapi/names.yaml"), "keep: [Note]\n").unwrap();
    std::fs::write(folder.path().join("new.yaml"), BEFORE).unwrap();
    folder
}

#[test]
fn one_program_works_on_the_checkout_that_it_is_called_in() {
    let (one, two) = (checkout(), checkout());
    let imported = |checkout: &tempfile::TempDir| checkout.path().join("openapi/paid-v2.json").is_file();
    let document = two.path().join("new.yaml");
    let output = xtask(&two.path().join("xtask/src"), &["spec", "import", document.to_str().unwrap()]);
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!((imported(&one), imported(&two)), (false, true));

    // As cargo runs it: it says whose package it is, wherever it is called.
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["spec", "import"]).arg(document).current_dir(two.path());
    assert!(command.env("CARGO_MANIFEST_DIR", one.path().join("xtask")).status().unwrap().success());
    assert!(imported(&one));
}

/// The repository's files that git knows, or would.
fn copied() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").current_dir(root()).args(listed).output().unwrap();
    for path in String::from_utf8(output.stdout).unwrap().split('\0').filter(|path| root().join(path).is_file()) {
        let to = folder.path().join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(root().join(path), to).unwrap();
    }
    folder
}

#[test]
#[ignore = "compiles the client: `cargo test -p xtask --test update -- --ignored`"]
fn an_update_from_julys_document_compiles() {
    let july = root().join("../shared/openapi/paid-v2.json");
    if !july.is_file() {
        eprintln!("SKIPPED: there is no published document at {}", july.display());
        return;
    }
    let text = std::fs::read_to_string(july).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let request = &mut document["components"]["schemas"]["CreateContactRequest"];
    request["properties"]["language"] = serde_json::json!({"type": "string"});
    request["required"].as_array_mut().unwrap().push("language".into());
    let mut operation = document["paths"]["/contacts/{id}"]["get"].clone();
    operation["operationId"] = "get-contact-copy".into();
    document["paths"]["/contacts/{id}/copy"] = serde_json::json!({"get": operation});

    let checkout = copied();
    let new = checkout.path().join("new.json");
    std::fs::write(&new, document.to_string()).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["spec", "update", "--bump"]).arg(&new).current_dir(checkout.path());
    let output = command.env_remove("CARGO_MANIFEST_DIR").env("CARGO_TARGET_DIR", target).output().unwrap();
    assert!(output.status.success(), "{}", shown(&output));
    assert!(shown(&output).contains("semver: major"), "{}", shown(&output));
}
