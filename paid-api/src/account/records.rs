//! Signals in files: JSON lines, CSV, ledgers, and what the emulator recorded.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use paid_catalog::nearest_of;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{JsonObject, Timestamp};

/// A signal that was read from one line of a file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FileSignal {
    /// The line it is on, from 1.
    pub line: usize,
    /// The signal, as `POST /signals/bulk` takes it. It always has an idempotency key.
    pub signal: JsonObject,
}

/// What could be read from a file line by line, and what could not.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct FileSignals {
    /// The signals, in the order of the file.
    pub signals: Vec<FileSignal>,
    /// Each problem with the line it is on.
    pub problems: Vec<(usize, String)>,
}

/// Reads the signals of a file: CSV if its name ends in `.csv`, else JSON lines, each a signal as `POST /signals/bulk` takes it, a line
/// of a ledger, or a request that the emulator recorded.
///
/// A signal without an idempotency key gets one that is made of what it says: the same file always has the same keys.
///
/// # Errors
///
/// If the file cannot be read. What is wrong in it is a part of the result.
pub fn read_file(path: impl AsRef<Path>) -> std::io::Result<FileSignals> {
    let path = path.as_ref();
    let mut read = FileSignals::default();
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
        csv(File::open(path)?, &mut read);
    } else {
        for (index, line) in BufReader::new(File::open(path)?).lines().enumerate() {
            let line = line?;
            if !line.trim().is_empty() {
                read.json_line(index + 1, &line);
            }
        }
    }
    read.give_keys();
    Ok(read)
}

impl FileSignals {
    fn json_line(&mut self, line: usize, text: &str) {
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => return self.problems.push((line, format!("is no JSON: {error}"))),
        };
        match value {
            Value::Object(signal) if signal.contains_key("eventName") => self.add(line, signal),
            // A line of a ledger.
            Value::Object(mut entry) if entry.contains_key("signal") => {
                if let Some(Value::Object(signal)) = entry.remove("signal") {
                    self.add(line, signal);
                }
            }
            // What Paid answered, and what is missing.
            Value::Object(entry) if entry.contains_key("ingested") || entry.contains_key("missing") => {}
            // What the emulator recorded.
            Value::Object(entry) if entry.contains_key("operation") => self.recorded(line, &entry),
            _ => self.problems.push((line, "is no signal: it has no `eventName`".to_owned())),
        }
    }

    fn recorded(&mut self, line: usize, entry: &JsonObject) {
        if entry.get("operation") != Some(&json!("create-signals")) {
            return;
        }
        let at = entry.get("at").cloned().unwrap_or_default();
        let body = entry.get("body").cloned().unwrap_or_default();
        for signal in body["signals"].as_array().into_iter().flatten() {
            if let Value::Object(signal) = signal {
                let mut signal = signal.clone();
                // A signal without a time happened when it arrived.
                signal.entry("timestamp").or_insert(at.clone());
                self.add(line, signal);
            }
        }
    }

    fn add(&mut self, line: usize, signal: JsonObject) {
        match problem(&signal) {
            Some(problem) => self.problems.push((line, problem)),
            None => self.signals.push(FileSignal { line, signal }),
        }
    }

    /// Rows that say the same are told apart by counting them.
    fn give_keys(&mut self) {
        let mut seen = std::collections::HashMap::<String, u64>::new();
        for FileSignal { signal, .. } in &mut self.signals {
            if signal.get("idempotencyKey").and_then(Value::as_str).is_some_and(|key| !key.trim().is_empty()) {
                continue;
            }
            signal.remove("idempotencyKey");
            let content = Value::Object(signal.clone()).to_string();
            let number = seen.entry(content.clone()).or_default();
            *number += 1;
            let hash = Sha256::digest(format!("{number}\n{content}").as_bytes());
            let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            signal.insert("idempotencyKey".into(), json!(format!("import-{hex}")));
        }
    }
}

/// What keeps a signal from being sent, or from being billed as it is meant.
fn problem(signal: &JsonObject) -> Option<String> {
    let text = |key: &str| signal.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    if text("eventName").is_none() {
        return Some("`eventName` is missing or empty".to_owned());
    }
    let customer = signal.get("customer").and_then(Value::as_object);
    let names_somebody = customer.is_some_and(|customer| {
        ["externalCustomerId", "customerId"]
            .iter()
            .any(|key| customer.get(*key).is_some_and(|id| id.as_str().is_some_and(|id| !id.is_empty())))
    });
    if !names_somebody {
        return Some("`customer` has neither `externalCustomerId` nor `customerId`".to_owned());
    }
    if signal.get("attribution").and_then(Value::as_object).is_none_or(Map::is_empty) {
        return Some("`attribution` names no product, so nothing would bill it".to_owned());
    }
    match text("timestamp") {
        None => Some("`timestamp` is missing: without it, the signal would be billed now".to_owned()),
        Some(time) if time.parse::<Timestamp>().is_err() => Some(format!("`timestamp` is {time:?}, which is no time")),
        Some(_) => None,
    }
}

/// What a column of a CSV file is.
enum Column {
    /// A field of the signal: the object that it stands in, if it stands in one, and its name.
    Field(Option<&'static str>, &'static str),
    /// A field of the data, and how its text is read.
    Data(String, Reading),
}

enum Reading {
    Text,
    Number,
    Boolean,
    Json,
}

const COLUMNS: [(&str, Option<&str>, &str); 13] = [
    ("event_name", None, "eventName"),
    ("eventName", None, "eventName"),
    ("customer", Some("customer"), "externalCustomerId"),
    ("externalCustomerId", Some("customer"), "externalCustomerId"),
    ("customerId", Some("customer"), "customerId"),
    ("product", Some("attribution"), "externalProductId"),
    ("externalProductId", Some("attribution"), "externalProductId"),
    ("productId", Some("attribution"), "productId"),
    ("unit", Some("customerUnit"), "externalCustomerUnitId"),
    ("timestamp", None, "timestamp"),
    ("idempotency_key", None, "idempotencyKey"),
    ("idempotencyKey", None, "idempotencyKey"),
    ("externalCustomerUnitId", Some("customerUnit"), "externalCustomerUnitId"),
];

fn csv(file: File, read: &mut FileSignals) {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(BufReader::new(file));
    let columns = match reader.headers().map(|headers| headers.iter().map(column).collect::<Result<Vec<_>, _>>()) {
        Ok(Ok(columns)) => columns,
        Ok(Err(problem)) => return read.problems.push((1, problem)),
        Err(error) => return read.problems.push((1, error.to_string())),
    };
    for row in reader.records() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let line = error.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
                read.problems.push((line, error.to_string()));
                continue;
            }
        };
        let line = row.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        match signal(&columns, &row) {
            Ok(signal) => read.add(line, signal),
            Err(problem) => read.problems.push((line, problem)),
        }
    }
}

fn column(header: &str) -> Result<Column, String> {
    let header = header.trim().trim_start_matches('\u{feff}');
    if let Some((_, inside, name)) = COLUMNS.iter().find(|(known, ..)| *known == header) {
        return Ok(Column::Field(*inside, name));
    }
    if header == "quantity" {
        return Ok(Column::Data(header.to_owned(), Reading::Number));
    }
    if let Some(field) = header.strip_prefix("data.") {
        let (name, reading) = match field.rsplit_once(':') {
            Some((name, "number")) => (name, Reading::Number),
            Some((name, "boolean")) => (name, Reading::Boolean),
            Some((name, "json")) => (name, Reading::Json),
            Some((name, "text")) => (name, Reading::Text),
            Some((_, other)) => {
                return Err(format!("the column {header} ends in :{other}; write :text, :number, :boolean or :json"));
            }
            None => (field, Reading::Text),
        };
        return Ok(Column::Data(name.to_owned(), reading));
    }
    let near = nearest_of(header, COLUMNS.iter().map(|(known, ..)| *known));
    let near = near.map_or_else(String::new, |near| format!("did you mean {near}? "));
    Err(format!("the column {header:?} is unknown; {near}Fields of the data are called data.NAME, or data.NAME:number"))
}

fn signal(columns: &[Column], row: &csv::StringRecord) -> Result<JsonObject, String> {
    let mut signal = JsonObject::new();
    let mut data = JsonObject::new();
    for (column, text) in columns.iter().zip(row).filter(|(_, text)| !text.is_empty()) {
        match column {
            Column::Field(None, name) => {
                signal.insert((*name).to_owned(), json!(text));
            }
            Column::Field(Some(inside), name) => {
                let object = signal.entry(*inside).or_insert_with(|| json!({}));
                object[*name] = json!(text);
            }
            Column::Data(name, reading) => {
                let wrong = |what: &str| format!("{name} is {text:?}, which is no {what}");
                let value = match reading {
                    Reading::Text => json!(text),
                    Reading::Number => {
                        serde_json::from_str::<serde_json::Number>(text).map_err(|_| wrong("number"))?.into()
                    }
                    Reading::Boolean => text.parse::<bool>().map_err(|_| wrong("boolean (true or false)"))?.into(),
                    Reading::Json => serde_json::from_str(text).map_err(|_| wrong("JSON"))?,
                };
                data.insert(name.clone(), value);
            }
        }
    }
    if !data.is_empty() {
        signal.insert("data".into(), data.into());
    }
    Ok(signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> FileSignals {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read_file(path).unwrap()
    }

    #[test]
    fn a_row_of_csv_is_a_signal_and_its_texts_stay_texts() {
        let text = "event_name,customer,product,timestamp,data.zip,data.words:number,quantity\n\
                    email_sent,acme,p,2026-01-31T00:00:00Z,00789,7,2.50\n\
                    email_sent,acme,p,2026-01-31T00:00:00Z,00789,7,2.50\n\
                    email_sent,acme,p,yesterday,00789,x,1\n\
                    email_sent,,p,2026-01-31,1,1,1\n";
        let read = read("x.csv", text);
        assert_eq!(read.signals.len(), 2, "{read:?}");
        assert_eq!(read.signals[0].signal["data"], json!({ "zip": "00789", "words": 7, "quantity": 2.5 }));
        assert_ne!(read.signals[0].signal["idempotencyKey"], read.signals[1].signal["idempotencyKey"]);
        let problems: Vec<_> = read.problems.iter().map(|(line, problem)| format!("{line}: {problem}")).collect();
        assert_eq!(
            problems,
            [
                "4: words is \"x\", which is no number",
                "5: `customer` has neither `externalCustomerId` nor `customerId`",
            ]
        );
    }

    #[test]
    fn the_same_file_has_the_same_keys() {
        let line = r#"{"eventName":"e","customer":{"customerId":"c"},"attribution":{"productId":"p"},"timestamp":"2026-01-31T00:00:00Z"}"#;
        let text = format!("{line}\n\n{line}\n");
        let (one, two) = (read("x.jsonl", &text), read("y.jsonl", &text));
        assert_eq!(one, two);
        assert_eq!(one.signals.iter().map(|signal| signal.line).collect::<Vec<_>>(), [1, 3]);
        assert!(one.signals[0].signal["idempotencyKey"].as_str().unwrap().starts_with("import-"));
    }

    #[test]
    fn ledgers_and_recordings_are_read() {
        let signal =
            r#"{"eventName":"e","customer":{"customerId":"c"},"attribution":{"productId":"p"},"idempotencyKey":"k"}"#;
        let text = format!(
            "{{\"request\":\"1\",\"at\":\"2026-01-31T00:00:00Z\",\"ingested\":1,\"duplicates\":0}}\n\
             {{\"at\":\"2026-01-31T00:00:00Z\",\"method\":\"POST\",\"operation\":\"create-signals\",\"body\":{{\"signals\":[{signal}]}}}}\n\
             {{\"at\":\"2026-01-31T00:00:00Z\",\"method\":\"GET\",\"operation\":\"list-orders\"}}\n[]\n"
        );
        let read = read("x.jsonl", &text);
        assert_eq!(read.signals[0].signal["timestamp"], "2026-01-31T00:00:00Z");
        assert_eq!((read.signals.len(), read.problems.len()), (1, 1));
    }

    #[test]
    fn an_unknown_column_is_named_with_the_one_that_was_meant() {
        let read = read("x.csv", "event_nmae,customer\na,b\n");
        assert!(read.problems[0].1.contains("\"event_nmae\" is unknown; did you mean `event_name`"), "{read:?}");
        let read = self::read("x.csv", "data.x:integer\n1\n");
        assert!(read.problems[0].1.contains(":number"), "{read:?}");
    }
}
