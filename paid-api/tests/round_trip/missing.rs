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

/// What is left of an answer without one of its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    Nothing,
    /// All but an item of a list, which is reported in its place.
    AllButAnItem,
    Everything,
}

/// What is left without each field of each answer.
fn measured(document: &Value) -> BTreeMap<String, Left> {
    let mut outcome: BTreeMap<String, Left> = BTreeMap::new();
    for (name, decodes) in calls::ANSWERS {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        for branch in 0..alternatives(document, &schema) {
            let full = Example { document, mode: Mode::Everything, branch }.value(&schema);
            assert_eq!(decodes(&full), Ok(true), "{name}");
            let mut paths = BTreeSet::new();
            fields(&full, "", &mut paths);
            for path in paths {
                let left = match decodes(&without(&full, &path)) {
                    Ok(true) => Left::Everything,
                    Ok(false) => Left::AllButAnItem,
                    Err(_) => Left::Nothing,
                };
                let known = outcome.entry(format!("{name}{path}")).or_insert(left);
                *known = left.min(*known);
            }
        }
    }
    outcome
}

#[test]
#[allow(clippy::cast_precision_loss)]
fn nine_of_ten_fields_may_be_missing() {
    let document: Value = serde_json::from_str(super::DOCUMENT).unwrap();
    let outcome = measured(&document);
    let share =
        |least: Left| 100.0 * outcome.values().filter(|left| **left >= least).count() as f64 / outcome.len() as f64;
    let (read, whole) = (share(Left::AllButAnItem), share(Left::Everything));
    println!(
        "{} fields of {} answers: read without {read:.1} %, whole without {whole:.1} %",
        outcome.len(),
        calls::ANSWERS.len()
    );
    let lost: Vec<_> =
        outcome.iter().filter(|(_, left)| **left == Left::Nothing).map(|(path, _)| path.as_str()).collect();
    assert!(read >= 90.0, "{read:.1} %; without these, an answer is not read:\n{}", lost.join("\n"));
}
