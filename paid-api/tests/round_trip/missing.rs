//! What happens if an answer lacks one of the fields that the document requires.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::calls;
use super::derive::{Example, Mode, alternatives};

/// The paths of all fields of a value.
fn fields(value: &Value, pointer: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                fields(inner, &pointer, found);
                found.insert(pointer);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                fields(inner, &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn without(value: &Value, pointer: &str) -> Value {
    let mut value = value.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    value.pointer_mut(parent).and_then(Value::as_object_mut).unwrap().remove(&key);
    value
}

/// The share of answers' fields without which everything else is still read, in percent, and the fields without which
/// it is not.
fn measured(document: &Value) -> (f64, Vec<String>) {
    let mut outcome: BTreeMap<String, bool> = BTreeMap::new();
    for (name, decodes) in calls::ANSWERS {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        for branch in 0..alternatives(document, &schema) {
            let full = Example { document, mode: Mode::Everything, branch }.value(&schema);
            decodes(&full).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut paths = BTreeSet::new();
            fields(&full, "", &mut paths);
            for path in paths {
                let is_read = decodes(&without(&full, &path)).is_ok();
                *outcome.entry(format!("{name}{path}")).or_insert(true) &= is_read;
            }
        }
    }
    let lost: Vec<_> = outcome.iter().filter(|(_, is_read)| !**is_read).map(|(path, _)| path.clone()).collect();
    #[allow(clippy::cast_precision_loss)]
    let share = 100.0 * (outcome.len() - lost.len()) as f64 / outcome.len() as f64;
    println!("{} fields of {} answers, {share:.1} % not needed", outcome.len(), calls::ANSWERS.len());
    (share, lost)
}

#[test]
fn nine_of_ten_fields_may_be_missing() {
    let document: Value = serde_json::from_str(super::DOCUMENT).unwrap();
    let (share, lost) = measured(&document);
    assert!(share >= 90.0, "{share:.1} %, without these, an answer is not read:\n{}", lost.join("\n"));
}
