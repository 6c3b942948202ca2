//! What a user of stock progenitor gets: its default (builder) output, with as few changes to the document as possible.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use progenitor::{GenerationSettings, Generator, InterfaceStyle};
use serde_json::{Value, json};

use crate::document;

/// The document, and a description of where it came from.
pub(crate) fn published(root: &Path) -> (PathBuf, &'static str) {
    let given = std::env::var_os("PAID_PUBLISHED_DOCUMENT").map(PathBuf::from);
    let path = given.unwrap_or_else(|| root.join("../shared/openapi/paid-v2-next.json"));
    if path.is_file() {
        (path, "the document of what Paid's clients know")
    } else {
        (root.join("openapi/paid-v2.json"), "the canonical document, as that of Paid's clients is not here")
    }
}

/// Makes only the changes that progenitor requires: version 3.0.3, `nullable` instead of null types, and words for values
/// such as `×`.
fn lower(mut document: Value) -> Value {
    document["openapi"] = "3.0.3".into();
    document::visit_schemas(&mut document, &mut |schema, _| {
        let Some(object) = schema.as_object_mut() else { return };
        if let Some(types) = object.get("type").and_then(Value::as_array).cloned() {
            let kept = types.iter().find(|name| **name != "null").cloned().unwrap_or_default();
            object.insert("type".into(), kept);
            object.insert("nullable".into(), true.into());
        }
        let branches = object.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
        if branches.iter().any(|branch| branch["type"] == "null") {
            let kept: Vec<_> = branches.into_iter().filter(|branch| branch["type"] != "null").collect();
            object.remove("oneOf");
            object.insert("allOf".into(), kept.into());
            object.insert("nullable".into(), true.into());
        }
        if object.contains_key("$ref") && object.len() > 1 {
            let reference = object.remove("$ref");
            object.insert("allOf".into(), json!([{"$ref": reference}]));
        }
        for (index, value) in object.get_mut("enum").and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
            if value.as_str().is_some_and(|text| !text.contains(char::is_alphanumeric)) {
                *value = format!("value{index}").into();
            }
        }
        for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
            if let Some(Value::Number(limit)) = object.get(exclusive).cloned() {
                object.insert(bound.into(), Value::Number(limit));
                object.insert(exclusive.into(), true.into());
            }
        }
    });
    document
}

/// Writes the crate `stock` to a folder; returns its number of lines.
pub(crate) fn write(document: Value, folder: &Path) -> Result<usize> {
    let document: openapiv3::OpenAPI =
        serde_json::from_value(lower(document)).context("the lowered document is not OpenAPI 3.0.3")?;
    let mut settings = GenerationSettings::default();
    settings.with_interface(InterfaceStyle::Builder);
    let tokens =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(&document)))
            .map_err(|_| anyhow!("stock progenitor panics on this document"))??;
    let text = prettyplease::unparse(&syn::parse2(tokens)?);
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(folder.join("src/lib.rs"), &text)?;
    std::fs::write(folder.join("Cargo.toml"), MANIFEST)?;
    Ok(text.lines().count())
}

const MANIFEST: &str = r#"[package]
name = "stock"
version = "0.0.0"
edition = "2021"

[workspace]

[dependencies]
bytes = "1"
chrono = { version = "0.4", default-features = false, features = ["serde"] }
futures-core = "0.3"
progenitor-client = "0.15"
regress = "0.12"
reqwest = { version = "0.13", default-features = false, features = ["json", "query", "stream"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
serde_urlencoded = "0.7"
uuid = { version = "1", features = ["serde"] }
"#;
