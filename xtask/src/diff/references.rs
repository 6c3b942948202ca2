//! A reference that leads nowhere would look like a schema that allows everything, so it is an error.

use anyhow::{Result, bail};
use serde_json::Value;

use crate::document;

/// Names every reference that cannot be followed inside the document.
pub(super) fn check(document: &Value) -> Result<()> {
    let mut lost = Vec::new();
    for part in ["paths", "components"] {
        if let Some(inner) = document.get(part) {
            look(document, inner, &format!("#/{part}"), &mut lost);
        }
    }
    if lost.is_empty() {
        return Ok(());
    }
    bail!("references that lead nowhere (only those inside the document are followed):\n  {}", lost.join("\n  "))
}

fn look(document: &Value, value: &Value, pointer: &str, lost: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            // A property may be called `$ref`, and is an object then.
            if let Some(reference) = object.get("$ref").and_then(Value::as_str)
                && reference.strip_prefix('#').and_then(|path| document.pointer(path)).is_none()
            {
                lost.push(format!("{pointer}: {reference}"));
            }
            let prose = |key: &str| matches!(key, "example" | "examples" | "default" | "enum" | "const");
            for (key, inner) in object.iter().filter(|(key, _)| !prose(key)) {
                look(document, inner, &format!("{pointer}/{}", document::escape(key)), lost);
            }
        }
        Value::Array(list) => {
            for (index, inner) in list.iter().enumerate() {
                look(document, inner, &format!("{pointer}/{index}"), lost);
            }
        }
        _ => {}
    }
}
