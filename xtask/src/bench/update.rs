//! The time that taking in a new document needs, beside compiling.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::row::{Bar, Row};
use crate::update::Staging;
use crate::{document, project};

const NAME: &str = "spec update but for its compile check, s";
const BAR: Bar = Bar::AtMost(3.0);

pub(crate) fn rows() -> Result<Vec<Row>> {
    let root = project::root()?;
    let published = root.join("../shared/openapi/paid-v2.json");
    if !published.is_file() {
        return Ok(vec![Row::not_run(NAME, BAR, format!("there is no published document at {}", published.display()))]);
    }
    let new = tempfile::NamedTempFile::new()?;
    std::fs::write(new.path(), grown(document::load(&published)?).to_string())?;
    let copy = Staging::of(&root)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let (all, check) = update(copy.root(), new.path(), &target)?;
    let note = "one new operation and one new required field";
    let checked = "the client and the workspace, with dependencies built where the target folder has them";
    Ok(vec![Row::new(NAME, all - check, BAR, note), Row::new("its compile check, s", check, Bar::None, checked)])
}

/// With one new operation, which has a type of its own, and one new required field.
fn grown(mut document: Value) -> Value {
    let schema = json!({"$ref": "#/components/schemas/ContactNote"});
    document["paths"]["/contacts/{id}/note"] = json!({"get": {
        "operationId": "get-contact-note", "tags": ["contacts"],
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    }});
    document["components"]["schemas"]["ContactNote"] =
        json!({"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}});
    let request = &mut document["components"]["schemas"]["CreateContactRequest"];
    request["properties"]["language"] = json!({"type": "string"});
    if let Some(required) = request["required"].as_array_mut() {
        required.push("language".into());
    }
    document
}

/// The seconds that the command takes in all, and those of its compile check.
fn update(copy: &Path, new: &Path, target: &Path) -> Result<(f64, f64)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.current_dir(copy).args(["spec", "update", "--bump"]).arg(new).env("CARGO_TARGET_DIR", target);
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("cannot start the command")?;
    let (mut lines, mut check, mut written) = (Vec::new(), None, None);
    for line in BufReader::new(child.stderr.take().context("no stderr")?).lines() {
        let line = line?;
        match line.as_str() {
            "check" => check = Some(begun.elapsed()),
            "write" => written = Some(begun.elapsed()),
            _ => {}
        }
        lines.push(line);
    }
    ensure!(child.wait()?.success(), "spec update failed:\n{}", lines.join("\n"));
    let all = begun.elapsed().as_secs_f64();
    let (check, written) = check.zip(written).context("spec update no longer names its steps")?;
    Ok((all, (written - check).as_secs_f64()))
}
