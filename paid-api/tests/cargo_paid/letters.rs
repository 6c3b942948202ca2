//! Dead letters are shown, corrected and given up.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use super::*;

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let many: Vec<String> = (0..2_000).map(|number| format!("k-{number}")).collect();
    let folder = outbox(many.iter().map(|key| letter(key, &record(key))));
    for command in ["list", "export"] {
        let mut child = program(folder.path(), command, &[]);
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        // As `head -1` does.
        let mut out = BufReader::with_capacity(16, child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        drop(out);
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""), "{command}");
    }
    if cfg!(target_os = "linux") {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let said = Said::of(program(folder.path(), "list", &[]).stdout(full).output().unwrap());
        said.ends(1, &["cannot write to standard output"]);
    }
}

#[test]
fn a_table_fits_the_terminal_and_is_whole_elsewhere() {
    let long = "why ".repeat(200);
    let mut refused = letter("0198c0de-0000-7000-8000-000000000001", &record("x"));
    refused["reason"] = Value::from(long.as_str());
    let folder = outbox([refused]);
    for width in [40, 79, 120] {
        let said = program(folder.path(), "list", &[]).env("COLUMNS", width.to_string()).output().unwrap();
        let said = Said::of(said);
        said.ends(0, &["…", "0198c0de-0000-7000-8000-000000000001"]);
        let widest = said.out.lines().filter(|line| line.contains('│')).map(|line| line.chars().count()).max();
        assert!(widest.unwrap() <= width, "{said:?}");
    }
    let said = run(folder.path(), "list", &[]);
    assert_eq!(said.out.lines().filter(|line| line.contains("0198c0de")).count(), 1);
    assert!(said.out.lines().any(|line| line.contains("0198c0de") && line.contains(&long[..150])), "{said:?}");
    run(folder.path(), "show", &["0198c0de-0000-7000-8000-000000000001"]).ends(0, &[long.trim_end()]);
}

#[test]
fn nothing_that_a_terminal_would_obey_is_printed() {
    let evil = "\u{1b}]0;title\u{7}\u{9b}2J\u{202e}evil\r\n\u{200b}";
    let mut of_record = record(evil);
    of_record["eventName"] = Value::from(evil);
    let mut refused = letter(evil, &of_record);
    refused["reason"] = Value::from(evil);
    let folder = outbox([refused]);
    let escaped = r"\u{1b}]0;title\u{7}\u{9b}2J\u{202e}evil\r\n\u{200b}";
    let all = [
        run(folder.path(), "list", &[]),
        run(folder.path(), "list", &["--json"]),
        run(folder.path(), "show", &[evil]),
        run(folder.path(), "show", &["--json", evil]),
        run(folder.path(), "discard", &[evil]),
        run(folder.path(), "show", &["\u{1b}[31mother"]),
        run(folder.path(), "edit", &[evil, "--set", "data.words=8"]),
        run(folder.path(), "discard", &["--yes", evil]),
    ];
    for said in &all {
        let is_safe = |letter: char| {
            letter == '\n'
                || !letter.is_control() && !('\u{202a}'..='\u{202e}').contains(&letter) && letter != '\u{200b}'
        };
        assert!(said.both().chars().all(is_safe), "{said:?}");
    }
    assert!(all[0].out.contains(escaped), "{:?}", all[0]);
    let value: Value = serde_json::from_str(&all[1].out).unwrap();
    assert_eq!(value["dead_letters"][0]["reason"], evil);
    let value: Value = serde_json::from_str(&all[3].out).unwrap();
    assert_eq!(value["record"]["eventName"], evil);
    assert!(keys(folder.path()).is_empty());
}

#[test]
fn json_has_a_fixed_shape() {
    let folder = outbox_of(&["a"]);
    std::fs::write(folder.path().join("dead-letters.1.jsonl"), "torn").unwrap();
    let mut aside = letter("s", &record("s"));
    (aside["tries"], aside["next"]) = (Value::from(3), Value::from("2026-02-01T00:00:00Z"));
    std::fs::write(folder.path().join("set-aside.jsonl"), format!("{aside}\n")).unwrap();
    let brief = |key: &str| {
        json!({
            "at": "2026-01-31T00:00:00Z", "kind": "signal", "name": "email_sent", "customer": "acme", "key": key,
            "reason": "400 Bad Request",
        })
    };
    let mut brief_aside = brief("s");
    (brief_aside["tries"], brief_aside["next"]) = (Value::from(3), Value::from("2026-02-01T00:00:00Z"));
    let said = run(folder.path(), "list", &["--json"]);
    said.ends(0, &["note: 1 line in the files of dead letters cannot be parsed; it stays there"]);
    let pending = json!({ "state": "none", "kind": null, "records": null, "held_by": null });
    let expected = json!({
        "pending": pending,
        "dead_letters": [brief("a")],
        "totals": [{ "name": "email_sent", "customer": "acme", "records": 1 }],
        "set_aside": [brief_aside],
        "unreadable": 1,
    });
    run(folder.path(), "list", &["--totals"]).ends(0, &["email_sent", "acme", "dead letters"]);
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap(), expected);
    run(folder.path(), "list", &[])
        .ends(0, &["1 signal set aside: tried again at growing intervals", "1 dead letter;"]);
    let said = run(folder.path(), "show", &["a", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap(), letter("a", &record("a")));
    run(folder.path(), "discard", &["--unreadable", "--yes"]).ends(0, &["1 unreadable line discarded"]);
    assert_eq!(keys(folder.path()), ["a"]);
}

#[test]
fn letters_are_chosen_by_name_customer_and_time() {
    let mut other = record("b");
    (other["eventName"], other["customer"]) = (Value::from("call"), json!({ "customerId": "cus-1" }));
    let mut late = letter("c", &record("c"));
    late["at"] = Value::from("2026-02-02T00:00:00Z");
    let folder = outbox([letter("a", &record("a")), letter("b", &other), late]);
    for (filter, expected) in [
        (["--name", "call"], vec!["b"]),
        (["--customer", "acme"], vec!["a", "c"]),
        (["--customer", "cus-1"], vec!["b"]),
        (["--since", "2026-02-01"], vec!["c"]),
        (["--limit", "2"], vec!["b", "c"]),
        (["--limit", "0"], vec!["a", "b", "c"]),
        (["--name", "none"], vec![]),
    ] {
        let said = run(folder.path(), "list", &["--json", filter[0], filter[1]]);
        let value: Value = serde_json::from_str(&said.out).unwrap();
        let found: Vec<&str> =
            value["dead_letters"].as_array().unwrap().iter().map(|letter| letter["key"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    run(folder.path(), "list", &["--since", "soon"]).ends(2, &["RFC 3339"]);
    run(folder.path(), "discard", &["--yes", "--name", "call"]).ends(0, &["1 signal discarded for good"]);
    assert_eq!(keys(folder.path()), ["a", "c"]);
}

#[test]
fn letters_are_discarded_only_when_that_is_said() {
    let folder = outbox_of(&["a", "b", "c"]);
    run(folder.path(), "discard", &[]).ends(1, &["say which dead letters"]);
    run(folder.path(), "discard", &["a"]).ends(1, &["1 signal would be discarded for good: add `--yes`"]);
    run(folder.path(), "discard", &["--yes", "a", "missing"]).ends(1, &["no dead letter with the key missing"]);
    assert_eq!(keys(folder.path()), ["a", "b", "c"]);
    run(folder.path(), "discard", &["--yes", "a"]).ends(0, &["email_sent a: 400", "1 signal discarded for good"]);
    assert_eq!(keys(folder.path()), ["b", "c"]);
    run(folder.path(), "discard", &["--yes", "--all"]).ends(0, &["2 signals discarded for good"]);
    run(folder.path(), "discard", &["--yes", "--all"]).ends(0, &["nothing to discard"]);
}

#[test]
fn a_value_is_set_and_checked() {
    let folder = outbox_of(&["a"]);
    run(folder.path(), "edit", &["missing", "--set", "a=1"]).ends(1, &["no dead letter with the key missing"]);
    run(folder.path(), "edit", &["a", "--set", "customer.externalCustomerId=7"]).ends(1, &["must be text, in quotes"]);
    run(folder.path(), "edit", &["a", "--set", "idempotencyKey=b"]).ends(1, &["must stay \"a\""]);
    run(folder.path(), "edit", &["a", "--set", "eventName=email", "--set", "data.price=1.10"]).ends(0, &["a changed"]);
    let letter = paid::outbox::dead_letter(folder.path(), "a").unwrap().unwrap();
    assert_eq!(letter.name, "email");
    assert!(letter.record.get().contains(r#""price":1.10"#), "{}", letter.record);
    run(folder.path(), "edit", &["a", "--new-key", "--set", "idempotencyKey=b"]).ends(0, &["signal b changed"]);
    assert_eq!(keys(folder.path()), ["b"]);

    let mut child = program(folder.path(), "edit", &["b", "--file", "-"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(record("b").to_string().as_bytes()).unwrap();
    Said::of(child.wait_with_output().unwrap()).ends(0, &["signal b changed"]);
    assert_eq!(paid::outbox::dead_letter(folder.path(), "b").unwrap().unwrap().name, "email_sent");
}

#[cfg(unix)]
#[test]
fn a_record_is_corrected_in_an_editor() {
    use std::os::unix::fs::PermissionsExt;
    let folder = outbox_of(&["a"]);
    let place = tempfile::tempdir().unwrap();
    let edit = |script: &str| {
        let editor = place.path().join("an editor");
        std::fs::write(&editor, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o700)).unwrap();
        let mut program = program(folder.path(), "edit", &["a"]);
        program.env("EDITOR", format!("'{}' --wait", editor.display())).env("TMPDIR", place.path());
        Said::of(program.output().unwrap())
    };
    let left = || std::fs::read_dir(place.path()).unwrap().count() - 1;
    edit("true").ends(0, &["nothing changed"]);
    edit("exit 3").ends(1, &["failed", "nothing changed"]);
    assert_eq!(left(), 0, "no copy of customers' data is left");
    edit(r#"test "$1" = --wait && test "$(stat -c %a "$2")" = 600 && sed -i s/email_sent/mail/ "$2""#)
        .ends(0, &["signal a changed"]);
    assert_eq!(paid::outbox::dead_letter(folder.path(), "a").unwrap().unwrap().name, "mail");
    edit(r#"echo '{ "eventName": "half' > "$2""#).ends(1, &["not a JSON object", "your text is in", "--file"]);
    assert_eq!(left(), 1, "what a person wrote is kept");
    let mut program = program(folder.path(), "edit", &["a"]);
    Said::of(program.env("VISUAL", "/nonexistent/editor").output().unwrap()).ends(1, &["/nonexistent/editor"]);
    assert_eq!(keys(folder.path()), ["a"]);
}
