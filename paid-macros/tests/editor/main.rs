//! What rust-analyzer shows and completes in the annotations, asked of the program itself. Skips aloud where it is missing:
//! `rustup component add rust-analyzer`. It checks the library first, so the test takes up to some minutes.
#![allow(clippy::unwrap_used)]

mod client;

use std::path::Path;

use client::Editor;

const CATALOGUE: &str = r#"
[signals.meeting_booked]
type = "outcome"
product = "ai-sdr-001"
description = "A prospect accepted a meeting"

[signals.meeting_booked.data]
lead_id = { type = "string", required = true, description = "Your id of the lead" }
minutes = { type = "integer" }
email = { type = "string", pii = "hash" }
"#;

const SOURCE: &str = r#"
pub struct Lead { pub id: String, pub account: String }

#[paid::signal("meeting_booked", customer = lead.account, data(lead_id = lead.id, email = lead.id))]
pub fn book(lead: &Lead) {}

pub fn elsewhere(lead: &Lead) { book(lead) }

#[derive(paid::PaidSignal)]
#[paid(signal = "meeting_booked")]
pub struct MeetingBooked { pub lead_id: String }

#[paid::signal("meeting_booked", cust = lead.account, data(lead_id = lead.id))]
pub fn half_a_key(lead: &Lead) {}

#[paid::signal("meeting_booked", data(lead_id = lead.id, min))]
pub fn half_a_field(lead: &Lead) {}

#[paid::signal("meeting_booked", data(lead_id = lead.acc))]
pub fn half_a_value(lead: &Lead) {}

pub fn work(lead: &Lead) { paid::signal_block!("meeting_booked", prod = "a", data(lead_id = lead.id), {}) }
"#;

fn project() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!(
        "[package]\nname = \"edited\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\npaid-api = {{ path = {:?}, default-features = false, features = [\"emit\"] }}\n",
        root.join("paid-api")
    );
    std::fs::create_dir(folder.path().join("src")).unwrap();
    for (name, text) in [("Cargo.toml", manifest.as_str()), ("signals.toml", CATALOGUE), ("src/lib.rs", SOURCE)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    std::fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    folder
}

#[test]
fn an_editor_shows_and_completes_what_stable_macros_allow() {
    let folder = project();
    let Some(mut editor) = Editor::open(folder.path(), SOURCE) else {
        eprintln!("skipped: no rust-analyzer here (`rustup component add rust-analyzer`)");
        return;
    };
    let mut places = vec!["signal(\"meeting_|booked"];
    if editor.knows_the_standard_library() {
        places.push("signal = \"meeting_|booked");
    } else {
        eprintln!(
            "skipped: derives, which an editor only expands with the sources of `core` (`rustup component add rust-src`)"
        );
    }
    // The event name, in an annotation and in a derive.
    for place in places {
        let shown = editor.hover(place);
        for expected in [
            "Signal `meeting_booked`: A prospect accepted a meeting (signals.toml)",
            "An outcome, billed by product ai-sdr-001.",
            "`lead_id`: string, required, Your id of the lead",
            "`email`: string, sent as a keyed hash",
        ] {
            assert!(shown.contains(expected), "{expected} is not in what {place} shows:\n{shown}");
        }
        assert!(shown.len() < 1_000, "the editor's pages about tokens of ours come along:\n{shown}");
    }
    // The function that emits it, wherever it is called.
    assert!(editor.hover("{ bo|ok(lead) }").contains("Signal `meeting_booked`: A prospect accepted a meeting"));
    // Keys, fields and values.
    assert!(editor.hover("cust|omer = lead").contains("your own id of the customer whose work it is"));
    assert!(
        editor.hover("data(lead|_id = lead.id, email").contains("`lead_id`: string, required, Your id of the lead")
    );
    assert_eq!(editor.definition("customer = lead.acc|ount"), vec![1], "the field of the struct");
    assert!(editor.completions("cust| = lead").contains(&"customer".to_owned()));
    assert!(editor.completions("prod| = \"a\"").contains(&"product".to_owned()), "in a block");
    assert_eq!(editor.completions("min|))"), ["email", "lead_id", "minutes"]);
    assert!(editor.completions("lead.acc|))").contains(&"account".to_owned()));
    // What cannot be: an editor completes nothing in a text. Once it does, the documentation is out of date.
    assert_eq!(editor.completions("\"meeting_|booked\", cust"), Vec::<String>::new());
}
