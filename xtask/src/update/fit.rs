//! Whether an overlay still fits a document; for each target that matches nothing, the likeliest new one.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::diff;
use crate::document;
use crate::overlay::{Overlay, select};

/// Applies the overlay. What it names and the document does not have is an error, with what may be meant.
pub(crate) fn apply(name: &str, text: &str, document: Value, before: &Value) -> Result<Value> {
    let overlay = Overlay::parse(text).with_context(|| name.to_owned())?;
    let untouched = document.clone();
    let (document, unmatched) = match overlay.run(document) {
        Ok(outcome) => outcome,
        Err(error) => bail!("{name}: {}", with_guesses(&error.to_string(), &untouched)),
    };
    if unmatched.is_empty() {
        return Ok(document);
    }
    let lines = unmatched.into_iter().map(|target| {
        let likeliest = likeliest(target, &untouched, before);
        likeliest.map_or_else(|| target.to_owned(), |guess| format!("{target}\n    likeliest now: {guess}"))
    });
    let lines: Vec<_> = lines.collect();
    bail!("{name}: targets that match nothing (correct or remove these actions):\n  {}", lines.join("\n  "))
}

/// Adds a guess to each line of an error that is a JSON pointer.
fn with_guesses(error: &str, document: &Value) -> String {
    let line = |line: &str| {
        let pointer = line.trim();
        let guess = pointer.strip_prefix('#').and_then(|pointer| {
            let (parent, key) = pointer.rsplit_once('/')?;
            let nearest = nearest(key, document.pointer(parent)?.as_object()?.keys())?;
            Some(format!("{line}\n    likeliest now: #{parent}/{}", document::escape(&nearest)))
        });
        guess.unwrap_or_else(|| line.to_owned())
    };
    error.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// One step of a JSONPath, such as `.name` or `['name']`.
fn steps(target: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let (mut depth, mut quote) = (0, None);
    for (at, letter) in target.char_indices() {
        match (letter, quote) {
            (letter, Some(open)) if letter == open => quote = None,
            (_, Some(_)) => {}
            ('\'' | '"', None) => quote = Some(letter),
            ('[', None) => {
                if depth == 0 && at > start {
                    found.push(&target[start..at]);
                    start = at;
                }
                depth += 1;
            }
            (']', None) => depth -= 1,
            ('.', None) if depth == 0 && at > start && !target[start..at].ends_with('.') => {
                found.push(&target[start..at]);
                start = at;
            }
            _ => {}
        }
    }
    found.push(&target[start..]);
    found
}

/// The target with its first step that leads nowhere replaced by the nearest that leads somewhere.
fn likeliest(target: &str, document: &Value, before: &Value) -> Option<String> {
    let steps = steps(target);
    let mut prefix = String::new();
    for (index, step) in steps.iter().enumerate() {
        let longer = format!("{prefix}{step}");
        if select(document, &longer).ok()?.is_empty() {
            let name = step.trim_matches(|letter| matches!(letter, '.' | '[' | ']' | '\'' | '"'));
            let holders = select(document, &prefix).ok()?;
            let known: Vec<&String> = holders
                .iter()
                .filter_map(|pointer| document.pointer(pointer)?.as_object())
                .flat_map(|o| o.keys())
                .collect();
            let guess = same_shape(&prefix, name, document, before).or_else(|| nearest(name, known.into_iter()))?;
            let step = if plain(&guess) { format!(".{guess}") } else { format!("['{guess}']") };
            return Some(format!("{prefix}{step}{}", steps[index + 1..].concat()));
        }
        prefix = longer;
    }
    None
}

fn plain(name: &str) -> bool {
    name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// A component that was renamed has the shape that it had.
fn same_shape(prefix: &str, name: &str, document: &Value, before: &Value) -> Option<String> {
    if prefix != "$.components.schemas" {
        return None;
    }
    let (old, new) = (document::schemas(before).ok()?, document::schemas(document).ok()?);
    let shape = old.get(name)?;
    let added = new.iter().filter(|(other, _)| !old.contains_key(*other));
    added
        .into_iter()
        .find(|(_, schema)| diff::same_shape((before, shape), (document, schema)))
        .map(|(other, _)| other.clone())
}

fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k String>) -> Option<String> {
    let scored = known.map(|key| (strsim::jaro_winkler(name, key), key));
    let best = scored.max_by(|one, two| one.0.total_cmp(&two.0))?;
    (best.0 > 0.75).then(|| best.1.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn before() -> Value {
        json!({"components": {"schemas": {"Contact": {"type": "object", "properties": {"email": {"type": "string"}}}}}})
    }

    fn error(actions: &str, document: Value) -> String {
        let text = format!("overlay: 1.0.0\ninfo: {{title: t, version: '1'}}\nactions:\n{actions}");
        apply("overlay.yaml", &text, document, &before()).unwrap_err().to_string()
    }

    #[test]
    fn a_path_is_cut_into_its_steps() {
        assert_eq!(
            steps("$.paths['/a.b/{id}'].*.parameters[?@.name=='a']"),
            ["$", ".paths", "['/a.b/{id}']", ".*", ".parameters", "[?@.name=='a']"]
        );
    }

    #[test]
    fn a_field_that_is_called_otherwise_now_is_guessed() {
        let mut now = before();
        now["components"]["schemas"]["Contact"]["properties"] = json!({"emails": {"type": "string"}, "phone": {}});
        let target = "- target: $.components.schemas.Contact.properties.email\n  update: {format: email}\n";
        let error = error(target, now);
        assert!(error.contains("likeliest now: $.components.schemas.Contact.properties.emails"), "{error}");
    }

    #[test]
    fn a_component_that_is_called_otherwise_now_is_found_by_its_shape() {
        let contact = before()["components"]["schemas"]["Contact"].clone();
        let now = json!({"components": {"schemas": {"Person": contact, "Contacts": {"type": "array"}}}});
        let error = error("- target: $.components.schemas.Contact.properties.email\n  update: {format: email}\n", now);
        assert!(error.contains("likeliest now: $.components.schemas.Person.properties.email"), "{error}");
    }

    #[test]
    fn prose_about_a_field_that_is_called_otherwise_now_is_guessed_too() {
        let mut now = before();
        now["components"]["schemas"]["Contact"]["properties"] = json!({"emails": {"type": "string"}});
        let target = "- target: $.components.schemas.Contact\n  update: {properties: {email: {description: x}}}\n";
        let error = error(target, now);
        assert!(error.contains("likeliest now: #/components/schemas/Contact/properties/emails"), "{error}");
    }
}
