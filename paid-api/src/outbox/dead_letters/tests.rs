//! Dead letters on a disk: how they are kept, put aside, corrected and given up.

use std::fs;
use std::io::Write;

use super::shelf::{FILE, append_with};
use super::*;
use crate::dispatch::{Folder, Record, Storage};

fn letter(key: &str) -> DeadLetter {
    let record = format!(r#"{{"eventName":"e","customer":{{"externalCustomerId":"c"}},"idempotencyKey":"{key}"}}"#);
    let record = RawValue::from_string(record).unwrap();
    let at = "2026-01-31".parse().unwrap();
    DeadLetter { at, reason: "no".into(), kind: RecordKind::Signal, name: "e".into(), key: key.into(), record }
}

fn folder() -> (tempfile::TempDir, PrivateFolder) {
    let place = tempfile::tempdir().unwrap();
    let folder = PrivateFolder::open(place.path()).unwrap();
    (place, folder)
}

fn keys(place: &tempfile::TempDir) -> Vec<String> {
    dead_letters(place).unwrap().letters.into_iter().map(|letter| letter.key).collect()
}

fn files(folder: &PrivateFolder) -> Vec<String> {
    let mut names = folder.list().unwrap();
    names.retain(|name| name.ends_with(".jsonl"));
    names
}

fn add_bytes(place: &tempfile::TempDir, bytes: &[u8]) {
    fs::File::options().create(true).append(true).open(place.path().join(FILE)).unwrap().write_all(bytes).unwrap();
}

#[test]
fn letters_are_kept_once_a_key_and_survive_a_line_that_was_cut_off() {
    let (place, folder) = folder();
    append(&folder, &[letter("a"), letter("b")]).unwrap();
    add_bytes(&place, b"{\"at\":\"2026-");
    append(&folder, &[letter("a"), letter("c")]).unwrap();
    assert_eq!(keys(&place), ["b", "a", "c"]);
    let discarded = discard(&place, ["a"]).unwrap();
    assert_eq!((discarded.len(), discarded[0].key.as_str()), (1, "a"));
    assert_eq!(keys(&place), ["b", "c"]);
    assert_eq!(dead_letters(&place).unwrap().unreadable, ["{\"at\":\"2026-"]);
    assert_eq!(discard_unreadable(&place).unwrap(), 1);
    assert!(dead_letters(&place).unwrap().unreadable.is_empty());
    assert_eq!(keys(&place), ["b", "c"]);
}

/// In a time that grows with their number, and not with its square: that would be minutes.
#[test]
fn many_letters_are_read_and_discarded() {
    let (place, folder) = folder();
    let letters: Vec<_> = (0..20_000).map(|number| letter(&format!("k-{number}"))).collect();
    append(&folder, &letters).unwrap();
    append(&folder, &letters).unwrap();
    assert_eq!(keys(&place).len(), 20_000);
    assert_eq!(discard(&place, (0..19_999).map(|number| format!("k-{number}"))).unwrap().len(), 19_999);
    assert_eq!(keys(&place), ["k-19999"]);
}

#[test]
fn records_without_a_key_are_not_taken_for_each_other() {
    let (place, folder) = folder();
    let other = DeadLetter { record: RawValue::from_string("{}".into()).unwrap(), ..letter("") };
    append(&folder, &[letter(""), other, letter("")]).unwrap();
    assert_eq!(dead_letters(&place).unwrap().letters.len(), 2);
}

#[test]
fn reading_changes_nothing() {
    let (place, _) = folder();
    assert!(dead_letters(place.path().join("missing")).unwrap().letters.is_empty());
    assert!(discard(place.path().join("missing"), ["k"]).unwrap().is_empty());
    add_bytes(&place, b"{\"at\":");
    assert_eq!(dead_letters(&place).unwrap().unreadable.len(), 1);
    let names: Vec<_> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [FILE]);
}

#[test]
fn a_line_that_is_being_written_is_waited_for() {
    let (place, folder) = folder();
    append(&folder, &[letter("a")]).unwrap();
    let whole = serde_json::to_vec(&letter("b")).unwrap();
    let (head, tail) = whole.split_at(30);
    add_bytes(&place, head);
    let busy = Busy { folder: PrivateFolder::open(place.path()).unwrap(), rest: tail.to_vec() };
    let found = read(&busy).unwrap();
    assert_eq!((found.letters.len(), found.unreadable.len()), (2, 0));
}

#[test]
fn hostile_lines_are_counted_and_stay_as_they_are() {
    let (place, folder) = folder();
    let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    let mut hostile = b"\xff\xfe not text\n".to_vec();
    hostile.extend_from_slice(br#"{"at":"2026-01-31","reason":"","kind":"span","name":"","key":"k","record":{}}"#);
    hostile.extend_from_slice(format!("\n{deep}\n{}\n", "x".repeat(3_000_000)).as_bytes());
    let unknown =
        br#"{"note" : 1.10, "at":"2026-01-31", "reason":"","kind":"signal","name":"","key":"line\nbreak","record":{}}"#;
    hostile.extend_from_slice(unknown);
    hostile.push(b'\n');
    let nested = format!(
        r#"{{"at":"2026-01-31","reason":"","kind":"signal","name":"","key":"deep","record":{deep}}}{}"#,
        "\r\n\n  \n"
    );
    hostile.extend_from_slice(nested.as_bytes());
    add_bytes(&place, &hostile);
    append(&folder, &[letter("a")]).unwrap();
    let found = dead_letters(&place).unwrap();
    assert_eq!((found.letters.len(), found.unreadable.len()), (3, 4));
    assert_eq!(discard(&place, ["a"]).unwrap().len(), 1);
    let left = fs::read(place.path().join(FILE)).unwrap();
    assert_eq!(left, hostile.strip_suffix(b"\n  \n").unwrap());
    assert_eq!(discard(&place, ["line\nbreak", "deep"]).unwrap().len(), 2);
}

#[test]
fn a_record_of_several_lines_becomes_a_letter_of_one() {
    let record = Record::new(RecordKind::Signal, "e", "k", 0, b"{\n  \"eventName\": \"a b\",\n \"n\": 1.10 }");
    let letter =
        DeadLetter::of(Rejected { chunk: 0, record, reason: "no".into() }, "2026-01-31".parse().unwrap()).unwrap();
    assert_eq!(letter.record.get(), r#"{"eventName":"a b","n":1.10}"#);
    let record = Record::new(RecordKind::Signal, "e", "k", 0, b"no\njson");
    let letter =
        DeadLetter::of(Rejected { chunk: 0, record, reason: "no".into() }, "2026-01-31".parse().unwrap()).unwrap();
    assert_eq!(letter.record.get(), r#""no\njson""#);
}

#[test]
fn a_large_file_is_compacted_and_then_put_aside_and_no_letter_is_lost() {
    let (place, folder) = folder();
    let large = 4_000;
    // The same letters again and again: the file stays small.
    for _ in 0..30 {
        append_with(&folder, &[letter("a"), letter("b")], large).unwrap();
    }
    assert_eq!(files(&folder), [FILE]);
    assert!(folder.length(FILE).unwrap() <= large);
    let all: Vec<String> = (0..100).map(|number| format!("k-{number:03}")).collect();
    for key in &all {
        append_with(&folder, &[letter(key)], large).unwrap();
    }
    assert!(files(&folder).len() > 3, "{:?}", files(&folder));
    for file in files(&folder) {
        assert!(folder.length(&file).unwrap() <= large, "{file}");
    }
    let expected: Vec<String> = ["a".to_owned(), "b".to_owned()].into_iter().chain(all.clone()).collect();
    assert_eq!(keys(&place), expected);
    // A later letter of a key hides one that was put aside.
    append_with(&folder, &[letter("a")], large).unwrap();
    assert_eq!(keys(&place).last().unwrap(), "a");
    assert_eq!(discard(&place, ["a"]).unwrap().len(), 1);
    assert_eq!(keys(&place), expected[1..]);
    let before = files(&folder).len();
    assert_eq!(discard(&place, all[..60].iter().cloned()).unwrap().len(), 60);
    assert!(files(&folder).len() < before, "files without letters are removed");
    assert_eq!(keys(&place).len(), 41);
}

/// A disk that is full in the middle of a line, and a writer that has the lock and writes the rest of its line.
#[derive(Debug)]
struct Busy {
    folder: PrivateFolder,
    rest: Vec<u8>,
}

impl Folder for Busy {
    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        self.folder.read(file)
    }

    fn length(&self, file: &str) -> io::Result<u64> {
        self.folder.length(file)
    }

    fn replace(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn append(&self, file: &str, text: &[u8], sync: bool) -> io::Result<()> {
        self.folder.append(file, &text[..text.len() / 2], sync)?;
        Err(io::ErrorKind::StorageFull.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.folder.rename(from, to)
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        self.folder.remove(file)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.folder.list()
    }

    fn lock(&self, file: &str) -> io::Result<Box<dyn Send>> {
        self.folder.append(FILE, &self.rest, true)?;
        self.folder.lock(file)
    }

    fn open(&self, file: &str) -> io::Result<Box<dyn Storage>> {
        self.folder.open(file)
    }
}

#[test]
fn attempts_on_a_full_disk_leave_no_half_lines() {
    let (place, folder) = folder();
    append(&folder, &[letter("a")]).unwrap();
    let before = folder.read(FILE).unwrap();
    let full = Busy { folder: PrivateFolder::open(place.path()).unwrap(), rest: Vec::new() };
    for _ in 0..3 {
        let said = append(&full, &[letter("b"), letter("c")]).unwrap_err().to_string();
        assert!(said.contains(FILE) && said.contains("free some space"), "{said}");
        assert_eq!(folder.read(FILE).unwrap(), before);
    }
    append(&folder, &[letter("b")]).unwrap();
    assert_eq!(keys(&place), ["a", "b"]);
    assert!(rewrite(&full, |_| Fate::Drop).is_err());
    assert_eq!(keys(&place), ["a", "b"]);
}

#[test]
fn a_letter_is_corrected_in_its_place_and_checked_first() {
    let (place, folder) = folder();
    add_bytes(&place, b"\xff\n");
    append(&folder, &[letter("a"), letter("b")]).unwrap();
    let good = "{\n \"eventName\": \"new\",\n \"customer\": {\"externalCustomerId\": \"acme\"},\n \
                \"idempotencyKey\": \"a\", \"data\": {\"amount\": 1.10}}";
    for (from, to, problem) in [
        (good, "[]", "not a JSON object"),
        (good, "{", "not a JSON object"),
        ("\"new\"", "\" \"", "`eventName` is missing or empty"),
        ("\"new\"", "7", "`eventName` must be text"),
        ("customer\"", "custom\"", "`customer` is missing"),
        ("{\"externalCustomerId\": \"acme\"}", "{}", "must have one id"),
        ("\"acme\"", "7", "`externalCustomerId` must be text"),
        ("\"acme\"", "\"acme\", \"customerId\": \"x\"", "must have one id"),
        ("{\"amount\": 1.10}", "[]", "`data` must be an object"),
        ("\"data\"", "\"timestamp\": \"soon\", \"data\"", "`timestamp` must be a time"),
        ("\"a\"", "\"c\"", "must stay \"a\""),
    ] {
        let error = replace_letter(&place, "a", &good.replace(from, to)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains(problem), "{to}: {error}");
    }
    let changed = replace_letter(&place, "a", good).unwrap();
    assert_eq!((changed.name.as_str(), changed.reason.as_str()), ("new", "no"));
    assert_eq!(keys(&place), ["a", "b"]);
    let read = dead_letter(&place, "a").unwrap().unwrap();
    assert_eq!(read.name, "new");
    assert!(read.record.get().ends_with(r#""data":{"amount":1.10}}"#), "{}", read.record);
    replace_letter_and_key(&place, "a", &good.replace("\"a\"", "\"c\"")).unwrap();
    assert_eq!(keys(&place), ["c", "b"]);
    assert_eq!(replace_letter(&place, "a", good).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(fs::read(place.path().join(FILE)).unwrap().starts_with(b"\xff\n"));
}

#[test]
fn a_cost_record_is_checked_as_one() {
    let (place, folder) = folder();
    append(&folder, &[DeadLetter { kind: RecordKind::Cost, ..letter("a") }]).unwrap();
    let amount = r#"{"type":"cost","amount":0.10,"currency":"USD","customer":{"customerId":"c"}}"#;
    let usage = r#"{"type":"usage","vendor":"v","model":"m","usage":{},"customer":{"customerId":"c"}}"#;
    for good in [amount, usage] {
        assert_eq!(replace_letter(&place, "a", good).unwrap().record.get(), good);
    }
    for (bad, problem) in [
        (amount.replace("0.10", "\"0.10\""), "`amount` must be a number"),
        (amount.replace("USD", ""), "`currency` is missing or empty"),
        (amount.replace("\"cost\"", "\"other\""), "`type` must be"),
        (usage.replace("usage\":{}", "used\":{}"), "`usage` is missing"),
        (usage.replace("customer\"", "custom\""), "`customer` is missing"),
    ] {
        let error = replace_letter(&place, "a", &bad).unwrap_err().to_string();
        assert!(error.contains(problem), "{bad}: {error}");
    }
}

#[test]
fn what_is_in_the_way_is_named() {
    let (place, folder) = folder();
    fs::create_dir(place.path().join(FILE)).unwrap();
    let path = place.path().canonicalize().unwrap().join(FILE);
    for error in [
        append(&folder, &[letter("a")]).unwrap_err(),
        dead_letters(&place).map(drop).unwrap_err(),
        discard(&place, ["a"]).map(drop).unwrap_err(),
    ] {
        let said = error.to_string();
        assert!(said.contains(&path.display().to_string()) && said.contains("move the folder away"), "{said}");
    }
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let said = dead_letters(&file).unwrap_err().to_string();
    assert!(said.contains("an outbox is a folder"), "{said}");
}
