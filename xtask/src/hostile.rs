//! The steps from a document to a client get documents of every kind, most of them broken: each becomes code, or a refusal
//! with places in the document, and nothing panics. `PAID_FUZZ_MINUTES=60 cargo test --release -p xtask hostile --
//! --nocapture` does it for an hour, with new documents each time.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::codegen::Attempt;
use crate::document;
use crate::project;

/// Numbers that look random and are the same for a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides.max(1)
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.roll(list.len())]
    }
}

/// Documents to begin with.
fn samples() -> Vec<Value> {
    let root = project::root().unwrap();
    let folders = [root.join("xtask/golden/foreign"), root.join("../shared/cases/codegen")];
    let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "yaml"));
    paths.sort();
    paths.iter().map(|path| document::load(path).unwrap()).collect()
}

fn pointers(value: &Value, at: String, into: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                pointers(inner, format!("{at}/{}", document::escape(key)), into);
            }
        }
        Value::Array(list) => {
            for (index, inner) in list.iter().enumerate() {
                pointers(inner, format!("{at}/{index}"), into);
            }
        }
        _ => {}
    }
    into.push(at);
}

fn keys(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            into.extend(object.keys().cloned());
            object.values().for_each(|inner| keys(inner, into));
        }
        Value::Array(list) => list.iter().for_each(|inner| keys(inner, into)),
        _ => {}
    }
}

const NASTY_KEYS: [&str; 24] = [
    "",
    "$ref",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "if",
    "type",
    "enum",
    "const",
    "properties",
    "items",
    "nullable",
    "required",
    "additionalProperties",
    "discriminator",
    "default",
    "format",
    "self",
    "String",
    "a/b~c",
    "\u{1F600}",
    "Unknown",
    "patternProperties",
];

fn nasty_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(-1),
        json!(1e300),
        json!(18_446_744_073_709_551_615_u64),
        json!(""),
        json!("\"\\\r\n*/ \u{202e}"),
        json!("object"),
        json!([]),
        json!({}),
        json!([null]),
        json!({"$ref": "#"}),
        json!({"$ref": "#/components/schemas/Thing"}),
        json!({"$ref": "#/paths"}),
        json!({"$ref": "other.yaml#/A"}),
        json!({"$ref": 3}),
        json!({"type": ["string", "null"], "enum": [1, "a", null]}),
        json!({"allOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "string"}]}),
        json!({"oneOf": [{"type": "object"}, {"type": "object"}]}),
        json!({"type": "array"}),
        json!({"type": "object", "additionalProperties": false, "required": ["x"]}),
        json!({"enum": ["self", "Self", "SELF", "", "-", "1", "Unknown"]}),
    ]
}

/// Changes a document in some places.
fn change(document: &mut Value, others: &[Value], all_keys: &[String], dice: &mut Dice) {
    for _ in 0..=dice.roll(4) {
        let mut places = Vec::new();
        pointers(document, String::new(), &mut places);
        let place = dice.of(&places).clone();
        let nasty = nasty_values();
        let new = match dice.roll(4) {
            0 => {
                let other = dice.of(others).clone();
                let mut places = Vec::new();
                pointers(&other, String::new(), &mut places);
                other.pointer(dice.of::<String>(&places)).cloned().unwrap()
            }
            1 => document.pointer(dice.of::<String>(&places)).cloned().unwrap(),
            _ => dice.of(&nasty).clone(),
        };
        let key = if dice.roll(2) == 0 {
            NASTY_KEYS[dice.roll(NASTY_KEYS.len())].to_owned()
        } else {
            dice.of(all_keys).clone()
        };
        match document.pointer_mut(&place) {
            Some(Value::Object(object)) => match dice.roll(4) {
                0 => drop(object.insert(key, new)),
                1 => {
                    let names: Vec<String> = object.keys().cloned().collect();
                    if !names.is_empty() {
                        let value = object.remove(dice.of::<String>(&names)).unwrap();
                        if dice.roll(2) == 0 {
                            object.insert(key, value);
                        }
                    }
                }
                _ if place.is_empty() => {}
                _ => *document.pointer_mut(&place).unwrap() = new,
            },
            Some(Value::Array(list)) if dice.roll(2) == 0 => list.push(new),
            Some(other) if !place.is_empty() => *other = new,
            _ => {}
        }
    }
}

/// Words of our own workings, which nobody can act on.
const INNER_WORDS: [&str; 7] = [
    "progenitor",
    "is not a Rust name",
    "does not parse",
    "cannot be printed",
    "neither a component nor",
    "cannot parse string",
    "no resource needs",
];

/// What went wrong with a document, if something did.
fn surprise(document: &Value) -> Option<String> {
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| Attempt::of(document.clone())));
    match outcome {
        Err(_) => Some("a panic".into()),
        Ok(Ok(_)) => None,
        Ok(Err(error)) => {
            let text = format!("{error:#}");
            INNER_WORDS.iter().any(|word| text.contains(word)).then_some(text)
        }
    }
}

fn run(seed: u64, samples: &[Value], all_keys: &[String]) -> Option<(Value, String)> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    dice.roll(2);
    let mut document = dice.of(samples).clone();
    change(&mut document, samples, all_keys, &mut dice);
    surprise(&document).map(|problem| (document, problem))
}

#[test]
fn every_document_becomes_a_client_or_a_refusal_with_places() {
    let samples = samples();
    let mut all_keys = Vec::new();
    samples.iter().for_each(|sample| keys(sample, &mut all_keys));
    all_keys.sort();
    all_keys.dedup();
    let minutes = std::env::var("PAID_FUZZ_MINUTES").ok().and_then(|text| text.parse::<u64>().ok());
    let (first, most) = match minutes {
        Some(_) => (std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() << 20, u64::MAX),
        None => (1, 150),
    };
    let end = Instant::now() + Duration::from_secs(60 * minutes.unwrap_or(60));
    let mut surprises = Vec::new();
    let mut tried = 0_u64;
    while tried < most && Instant::now() < end && surprises.len() < 5 {
        let seed = first + tried;
        tried += 1;
        if let Some((document, problem)) = run(seed, &samples, &all_keys) {
            let path = std::env::temp_dir().join(format!("hostile-{seed}.json"));
            std::fs::write(&path, document.to_string()).unwrap();
            surprises.push(format!("seed {seed} ({}): {problem}", path.display()));
        }
    }
    println!("{tried} documents");
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}
