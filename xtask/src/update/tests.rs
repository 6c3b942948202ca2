//! Updates of a copy of this repository, without compiling it. Its name table keeps every name, so that the canonical
//! document counts as published.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::*;

/// Does nothing outside, and fails before one step.
struct Trial {
    fails_at: Option<Step>,
    checked: bool,
}

impl Surroundings for Trial {
    fn before(&mut self, step: Step) -> Result<()> {
        if self.fails_at == Some(step) {
            bail!("fails at {step:?}");
        }
        Ok(())
    }

    fn check(&mut self, _: &Path) -> Result<Vec<String>> {
        self.checked = true;
        Ok(vec![BY_HAND.to_owned()])
    }
}

const BY_HAND: &str = "examples/ai-sdr/src/main.rs:3:9: error[E0061]: this function takes 2 arguments";

/// A checkout to update, and a place for the new document.
struct Checkout {
    copy: Staging,
    elsewhere: tempfile::TempDir,
}

impl Checkout {
    fn new() -> Self {
        let mut copy = Staging::of(&project::root().unwrap()).unwrap();
        let document = document::parse(&copy.read(DOCUMENT).unwrap()).unwrap();
        let names = copy.read(NAMES).unwrap();
        let apart = names.split_once("\napart:").unwrap().1;
        let keep: String = document::schemas(&document).unwrap().keys().map(|name| format!("  - {name}\n")).collect();
        copy.write(NAMES, &format!("rename:\n\nkeep:\n{keep}\napart:{apart}").replace("rename:\n\n", "")).unwrap();
        Self { copy, elsewhere: tempfile::tempdir().unwrap() }
    }

    fn document(&self) -> Value {
        document::parse(&self.copy.read(DOCUMENT).unwrap()).unwrap()
    }

    fn update(&self, new: &Value, bump: bool, fails_at: Option<Step>) -> Result<Option<Page>> {
        let path = self.elsewhere.path().join("new.json");
        std::fs::write(&path, new.to_string()).unwrap();
        let options = Options { source: path.display().to_string(), bump };
        let mut trial = Trial { fails_at, checked: false };
        let outcome = update(self.copy.root(), &options, &mut trial);
        assert!(trial.checked || !matches!(outcome, Ok(Some(_))), "what was not compiled was written");
        outcome
    }

    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = staging::files(self.copy.root()).unwrap();
        files.into_iter().map(|path| (path.clone(), std::fs::read(self.copy.root().join(path)).unwrap())).collect()
    }
}

/// One new operation, with a type of its own, and one new required field.
fn grown(document: &Value) -> Value {
    let mut new = document.clone();
    let answer = |schema: &str| json!({"description": "", "content": {"application/json": {"schema": document::reference(schema)}}});
    new["paths"]["/contacts/{id}/note"] = json!({"get": {
        "operationId": "get-contact-note", "tags": ["contacts"],
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
        "responses": {"200": answer("ContactNote"), "404": answer("ErrorResponse")}
    }});
    new["components"]["schemas"]["ContactNote"] =
        json!({"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}});
    let request = &mut new["components"]["schemas"]["CreateContactRequest"];
    request["properties"]["language"] = json!({"type": "string"});
    request["required"] = json!(["customerId", "email", "language"]);
    new
}

#[test]
fn an_update_is_one_command_that_asks_for_review() {
    let checkout = Checkout::new();
    let page = checkout.update(&grown(&checkout.document()), true, None).unwrap().unwrap();
    let read = |path: &str| checkout.copy.read(path).unwrap();

    let changelog = read(CHANGELOG);
    assert!(changelog.contains("| new operation | additive | `GET /contacts/{id}/note` |"), "{changelog}");
    assert!(changelog.contains("| new property, required | breaking | `CreateContactRequest.language` |"));
    assert!(changelog.find("### Paid's document").unwrap() < changelog.find("### Changed").unwrap());
    assert_eq!(page.client.semver, "major");
    let (old, new) = (&page.version.old, &page.version.new);
    let manifest = read("Cargo.toml");
    assert!(
        manifest.contains(&format!("version = \"{new}\"")) && !manifest.contains(&format!("\", version = \"{old}\""))
    );
    assert!(read("Cargo.lock").contains(&format!("name = \"paid-api\"\nversion = \"{new}\"")));

    let names = read(NAMES);
    assert!(names.contains("review, then remove this line.\n  - ContactNote\n"), "{names}");
    let code = read("paid-api/src/generated/contacts.rs");
    assert!(code.contains("pub struct ContactNote") && code.contains("language: impl Into<String>"), "{code}");

    let markdown = page.markdown();
    for text in
        ["| new operation | additive | additive | minor |", "`ContactNote` is called as it is published", BY_HAND, new]
    {
        assert!(markdown.contains(text), "{markdown}");
    }
    let mut written: Vec<_> = page.written.iter().map(|path| path.display().to_string()).collect();
    written.retain(|path| !path.contains("src/generated") && !path.contains("round_trip/"));
    assert_eq!(written, [CHANGELOG, "Cargo.lock", "Cargo.toml", "README.md", NAMES, DOCUMENT]);
}

#[test]
fn a_step_that_fails_leaves_every_file_as_it_was() {
    let checkout = Checkout::new();
    let before = checkout.files();
    let new = grown(&checkout.document());
    for step in STEPS {
        let error = checkout.update(&new, true, Some(step)).unwrap_err();
        assert!(error.to_string().contains(&format!("{step:?}")), "{error}");
        assert!(checkout.files() == before, "{step:?} left something behind");
    }
}

#[test]
fn the_document_that_is_here_changes_nothing() {
    let checkout = Checkout::new();
    let before = checkout.files();
    assert!(checkout.update(&checkout.document(), true, None).unwrap().is_none());
    assert!(checkout.files() == before);
}

/// The same document, with a component that is called otherwise.
fn renamed(document: &Value) -> Value {
    let text = document.to_string();
    let text = text
        .replace("\"CreditCurrency\":", "\"CreditUnit\":")
        .replace("schemas/CreditCurrency\"", "schemas/CreditUnit\"");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_component_that_is_only_called_otherwise_changes_nothing_for_users() {
    let checkout = Checkout::new();
    let page = checkout.update(&renamed(&checkout.document()), true, None).unwrap();
    // The document with the names that users know is the same one, so only the table changes.
    assert!(page.is_some_and(|page| page.client.changes.is_empty() && page.written == [PathBuf::from(NAMES)]));
    assert!(checkout.copy.read(NAMES).unwrap().contains("  CreditCurrency: [CreditUnit]\n"));
}

#[test]
fn a_field_that_the_client_reads_leniently_may_be_missing_before_and_after() {
    let checkout = Checkout::new();
    let mut new = checkout.document();
    let required = new["components"]["schemas"]["Contact"]["required"].as_array_mut().unwrap();
    required.retain(|name| name != "roles");
    let page = checkout.update(&new, true, None).unwrap().unwrap();
    assert_eq!((page.wire.wire, page.client.semver), (Some(diff::Level::Breaking), "patch"));
    assert!(
        page.written.iter().all(|path| !path.starts_with("paid-api/src/generated") || path.ends_with("document.json"))
    );
}

#[test]
fn a_target_that_is_gone_is_reported_with_the_likeliest_new_one() {
    let checkout = Checkout::new();
    let before = checkout.files();
    let mut new = renamed(&checkout.document());
    new["components"]["schemas"]["CreditUnit"]["properties"]["decimals"] = json!({"type": "integer"});
    let error = format!("{:#}", checkout.update(&new, false, None).unwrap_err());
    assert!(error.contains("likeliest now: $.components.schemas.Credit"), "{error}");
    assert!(checkout.files() == before);
}

#[test]
fn what_the_overlay_says_of_the_new_document_is_no_part_of_the_old_one() {
    let mut checkout = Checkout::new();
    let mut new = checkout.document();
    let contact = &mut new["components"]["schemas"]["Contact"]["properties"];
    contact["nickname"] = json!({"type": "string"});
    let overlay = checkout.copy.read(OVERLAY).unwrap();
    let more = "  - target: $.components.schemas.Contact\n    update: {properties: {nickname: {description: As friends say.}}}\n";
    checkout.copy.write(OVERLAY, &format!("{}\n{more}", overlay.trim_end())).unwrap();
    let page = checkout.update(&new, true, None).unwrap().unwrap();
    assert_eq!(page.client.semver, "minor");
    assert!(
        checkout.copy.read(CHANGELOG).unwrap().contains("| new property, optional | additive | `Contact.nickname` |")
    );
}

#[test]
fn an_operation_that_is_gone_is_not_made_anew_by_what_the_overlay_says_of_it() {
    let checkout = Checkout::new();
    let mut new = checkout.document();
    new["paths"]["/contacts/{id}"].as_object_mut().unwrap().remove("delete").unwrap();
    let error = format!("{:#}", checkout.update(&new, false, None).unwrap_err());
    assert!(
        error.contains(
            "describes what the document does not have (correct or remove):\n  #/paths/~1contacts~1{id}/delete"
        ),
        "{error}"
    );
}

#[test]
fn a_document_that_catches_up_with_the_supplement_shortens_it() {
    let mut checkout = Checkout::new();
    let document = checkout.document();
    let grown = grown(&document);
    let note = &grown["paths"]["/contacts/{id}/note"];
    // After what is in the repository's own, if it has one.
    let header = "overlay: 1.0.0\ninfo: {title: What clients know, version: '1'}\nactions:\n".to_owned();
    let there = checkout.copy.find(SUPPLEMENT).unwrap().unwrap_or(header);
    let supplement = format!(
        "{there}
  - target: $.paths
    description: 'Source: a client.'
    update: {{'/contacts/{{id}}/note': {note}}}
  - target: $.components.schemas
    update: {{ContactNote: {}}}
  - target: $.components.schemas.CreateContactRequest.properties
    update: {{language: {{type: integer}}}}
  - target: $.components.schemas.Contact.properties
    update: {{nickname: {{type: string, x-source: a client}}}}
",
        grown["components"]["schemas"]["ContactNote"]
    );
    checkout.copy.write(SUPPLEMENT, &supplement).unwrap();
    let page = checkout.update(&grown, false, None).unwrap().unwrap();
    let left = checkout.copy.read(SUPPLEMENT).unwrap();
    assert!(left.starts_with(there.trim_end()), "{left}");
    let left = &left[there.trim_end().len()..];
    assert!(!left.contains("ContactNote") && left.contains("language") && left.contains("nickname"), "{left}");
    let markdown = page.markdown();
    assert!(
        markdown.contains("`/contacts/{id}/note` of `$.paths`: published as it was known, and dropped"),
        "{markdown}"
    );
    assert!(
        markdown
            .contains("`language` of `$.components.schemas.CreateContactRequest.properties`: published, but different")
    );
    // To users the operation is not new.
    assert!(!checkout.copy.read(CHANGELOG).unwrap().contains("| new operation |"));
    assert!(page.wire.changes.iter().any(|change| change.what == "new operation"));
}

#[test]
fn the_names_that_the_newest_clients_need_are_proposed() {
    let root = project::root().unwrap();
    let path = root.join("../shared/openapi/paid-v2-next.json");
    if !path.is_file() {
        eprintln!("SKIPPED: there is no document at {}", path.display());
        return;
    }
    let mut copy = Staging::of(&root).unwrap();
    // As if nobody had decided on them yet.
    let names = copy.read(NAMES).unwrap();
    let undecided = names.split_once("\nexpected:").map_or(names.as_str(), |(before, _)| before);
    copy.write(NAMES, undecided).unwrap();
    let mut published = document::load(&path).unwrap();
    document::visit_schemas(&mut published, &mut |schema, _| {
        schema.as_object_mut().unwrap().remove("x-source");
    });
    let (canonical, proposals) = imported(&mut copy, &published, &json!({"components": {"schemas": {}}})).unwrap();
    let names = document::schemas(&canonical).unwrap().keys();
    assert_eq!(names.filter_map(|name| crate::names::objection(name)).next(), None);
    assert!(proposals.len() > 50);
}

/// A checkout as it is, and a document beside the repository, if it is there.
fn with_published(name: &str) -> Option<(Checkout, Value)> {
    let root = project::root().unwrap();
    let path = root.join("../shared/openapi").join(name);
    if !path.is_file() {
        eprintln!("SKIPPED: there is no document at {}", path.display());
        return None;
    }
    let checkout = Checkout { copy: Staging::of(&root).unwrap(), elsewhere: tempfile::tempdir().unwrap() };
    Some((checkout, document::load(&path).unwrap()))
}

#[test]
fn what_is_split_off_keeps_what_was_said_of_it() {
    let Some((checkout, mut published)) = with_published("paid-v2.json") else { return };
    let component = "PricingInputDiscriminatorMappingUsagePerUnitBillingFrequency";
    let values = published["components"]["schemas"][component]["enum"].as_array_mut().unwrap();
    values.push("daily".into());
    let page = checkout.update(&published, false, None).unwrap().unwrap();
    let wire: Vec<_> = page.wire.changes.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(wire, ["new value daily"]);
    // No correction is lost: users see what Paid changed, and the types that they find in another place.
    let mut client: Vec<_> = page.client.changes.iter().map(|change| change.what.as_str()).collect();
    client.retain(|what| !what.starts_with("a type of its own, "));
    assert_eq!(client, ["new value daily"]);
    assert_eq!((page.client.changes.len(), page.client.semver), (3, "major"));
    assert!(page.caught_up.iter().all(|part| part.state == supplement::State::Missing), "{}", page.markdown());
}

/// What Paid's clients know, published: everything that the supplement says is in the document then.
#[test]
fn the_document_that_the_clients_know_catches_up_with_the_whole_supplement() {
    let Some((checkout, mut published)) = with_published("paid-v2-next.json") else { return };
    document::visit_schemas(&mut published, &mut |schema, _| {
        schema.as_object_mut().unwrap().remove("x-source");
    });
    let root = project::root().unwrap();
    let page = checkout.update(&published, true, None).unwrap().unwrap();
    assert!(page.client.changes.is_empty(), "{}", page.client.markdown());
    assert!(page.proposals.is_empty(), "{:?}", page.proposals);
    let (there, left) =
        (std::fs::read_to_string(root.join(SUPPLEMENT)).unwrap(), checkout.copy.read(SUPPLEMENT).unwrap());
    assert!(left.lines().count() < there.lines().count() / 10, "{left}");
}

#[cfg(feature = "url")]
#[test]
fn a_url_is_taken_in_like_a_file() {
    use std::io::{Read, Write};

    let checkout = Checkout::new();
    let body = grown(&checkout.document()).to_string();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let source = format!("http://{}/openapi.json", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).unwrap();
    });
    let mut trial = Trial { fails_at: None, checked: false };
    let page = update(checkout.copy.root(), &Options { source, bump: false }, &mut trial).unwrap().unwrap();
    server.join().unwrap();
    assert_eq!(page.wire.changes.len(), 2);
    assert!(checkout.copy.read(NAMES).unwrap().contains("  - ContactNote\n"));
}
