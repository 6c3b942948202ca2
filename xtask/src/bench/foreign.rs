//! Other companies' documents: how long their clients take to generate, and to check beside those of other generators.

mod peers;

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use crate::bench::measure;
use crate::bench::row::{Bar, Row};
use crate::{document, project};

/// The largest of the documents that are tried.
const LARGEST: &str = "../shared/openapi/others/lago.yaml";
const ROUNDS: usize = 3;

pub(crate) fn rows() -> Result<Vec<Row>> {
    let root = project::root()?;
    let mut rows = generated(&root)?;
    rows.extend(peers::rows(&root)?);
    Ok(rows)
}

fn generated(root: &Path) -> Result<Vec<Row>> {
    let names = ["codegen of another document, s", "the same, twice the size, times as long"];
    let bars = [Bar::Below(3.0), Bar::AtMost(2.2)];
    let path = root.join(LARGEST);
    if !path.is_file() {
        let why = format!("there is no {LARGEST}");
        return Ok(names.iter().zip(bars).map(|(name, bar)| Row::not_run(*name, bar, why.as_str())).collect());
    }
    let folder = tempfile::tempdir()?;
    let document = document::load(&path)?;
    let twice = twice(&document);
    // Both as JSON, so that the same reader reads them.
    let mut seconds = Vec::new();
    for (name, document) in [("once.json", &document), ("twice.json", &twice)] {
        let file = folder.path().join(name);
        std::fs::write(&file, document.to_string())?;
        seconds.push(best(root, &file, folder.path())?);
    }
    let published = best(root, &path, folder.path())?;
    let note = format!("{:.2} s and {:.2} s as JSON; best of {ROUNDS}", seconds[0], seconds[1]);
    Ok(vec![
        Row::new(names[0], published, bars[0], "202 operations, once built"),
        Row::new(names[1], seconds[1] / seconds[0], bars[1], note),
    ])
}

fn best(root: &Path, document: &Path, folder: &Path) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let mut command = Command::new(std::env::current_exe()?);
        command.current_dir(root).args(["codegen", "--spec"]).arg(document).arg("--out").arg(folder.join("client"));
        best = best.min(measure::command(&command)?.seconds);
    }
    Ok(best)
}

/// The document beside itself, under other names.
fn twice(document: &Value) -> Value {
    let mut twice = document.clone();
    let other = document.to_string().replace("#/components/schemas/", "#/components/schemas/Other");
    let other: Value = serde_json::from_str(&other).unwrap_or_default();
    let parts = [("/components/schemas", "Other"), ("/paths", "/other")];
    for (part, prefix) in parts {
        let more = other.pointer(part).and_then(Value::as_object).into_iter().flatten();
        let more: Vec<_> =
            more.map(|(key, value)| (format!("{prefix}{key}"), renamed(value, part == "/paths"))).collect();
        if let Some(all) = twice.pointer_mut(part).and_then(Value::as_object_mut) {
            all.extend(more);
        }
    }
    twice
}

fn renamed(value: &Value, is_path: bool) -> Value {
    let mut value = value.clone();
    for operation in value.as_object_mut().filter(|_| is_path).into_iter().flat_map(|item| item.values_mut()) {
        if let Some(id) = operation.get("operationId").and_then(Value::as_str).map(|id| format!("other-{id}")) {
            operation["operationId"] = id.into();
        }
    }
    value
}
