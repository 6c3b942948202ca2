//! A reference that leads nowhere would look like a schema that allows everything, so it is an error.

use anyhow::{Result, bail};
use serde_json::Value;

use crate::document;

/// Fails with every reference that leads nowhere, and every `schema` that is neither an object nor a boolean.
pub(super) fn check(document: &Value) -> Result<()> {
    let mut found = Found { document, lost: Vec::new(), odd: Vec::new() };
    for part in ["paths", "components"] {
        if let Some(inner) = document.get(part) {
            found.look(inner, &format!("#/{part}"), part == "paths");
        }
    }
    if !found.odd.is_empty() {
        bail!("no schemas:\n  {}", found.odd.join("\n  "));
    }
    if !found.lost.is_empty() {
        let lost = found.lost.join("\n  ");
        bail!("references that lead nowhere (only those inside the document are followed):\n  {lost}");
    }
    Ok(())
}

/// Keywords whose objects have names of the document's own: what is called `enum` there is no keyword.
const NAMES: [&str; 18] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "schemas",
    "responses",
    "parameters",
    "requestBodies",
    "headers",
    "content",
    "callbacks",
    "links",
    "pathItems",
    "mapping",
    "scopes",
    "dependentRequired",
    "variables",
];

/// Whether the keys of what stands here are names of the document's own.
pub(super) fn has_names(key: &str, value: &Value) -> bool {
    value.is_object() && NAMES.contains(&key)
}

struct Found<'a> {
    document: &'a Value,
    lost: Vec<String>,
    odd: Vec<String>,
}

impl Found<'_> {
    /// Looks at a value; `named` if its keys are names.
    fn look(&mut self, value: &Value, pointer: &str, named: bool) {
        match value {
            Value::Object(object) => {
                if let Some(reference) = object.get("$ref").and_then(Value::as_str).filter(|_| !named)
                    && document::follow(self.document, reference).is_none()
                {
                    self.lost.push(format!("{pointer}: {reference}"));
                }
                // A parameter, a header, a media type.
                let list = pointer.rsplit('/').nth(1).unwrap_or_default();
                let holds_schema = matches!(list, "parameters" | "headers" | "content");
                for (key, inner) in object {
                    let pointer = format!("{pointer}/{}", document::escape(key));
                    if named {
                        self.look(inner, &pointer, false);
                    } else if !is_prose(key) {
                        if key == "schema" && holds_schema && !(inner.is_object() || inner.is_boolean()) {
                            self.odd.push(pointer.clone());
                        }
                        self.look(inner, &pointer, has_names(key, inner));
                    }
                }
            }
            Value::Array(list) => {
                for (index, inner) in list.iter().enumerate() {
                    self.look(inner, &format!("{pointer}/{index}"), false);
                }
            }
            _ => {}
        }
    }
}

/// What holds values and no schemas.
fn is_prose(key: &str) -> bool {
    matches!(key, "example" | "examples" | "default" | "enum" | "const") || key.starts_with("x-")
}
