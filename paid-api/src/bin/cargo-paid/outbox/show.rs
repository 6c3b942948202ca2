//! `show` and `export`: dead letters, whole.

use std::io::{self, IsTerminal, Write};

use super::arguments::{Export, Show};
use super::json;
use super::letters::{self, what};
use crate::out;
use crate::outcome::Outcome;

pub(crate) fn show(show: &Show) -> Outcome {
    let letter = letters::find(&show.place.folder, &show.key)?;
    if show.json {
        let line = serde_json::to_string(&letter)?;
        out::line(out::safe_json(&json::pretty(&line)))?;
        return Ok(());
    }
    let visible = out::visible;
    out::line(format_args!("{} {}", letter.kind, visible(&letter.key)))?;
    for (name, value) in
        [("refused at", letter.at.to_string()), ("what", what(&letter)), ("why", visible(&letter.reason))]
    {
        out::line(format_args!("{name:<12}{value}"))?;
    }
    out::line(out::safe_json(&json::pretty(letter.record.get())))?;
    Ok(())
}

pub(crate) fn export(export: &Export) -> Outcome {
    let letters = letters::choose(&export.place.folder, &[], &export.filter)?;
    let mut text = String::new();
    for letter in &letters {
        text.push_str(&serde_json::to_string(letter)?);
        text.push('\n');
    }
    match &export.output {
        Some(path) => {
            let failed = |error: io::Error| format!("cannot create {}: {error}", path.display());
            let mut file = private().open(path).map_err(failed)?;
            file.write_all(text.as_bytes()).map_err(failed)?;
            out::line(format_args!("{} written to {}", letters::counted(&letters), path.display()))?;
        }
        None if io::stdout().is_terminal() => out::bytes(out::safe_json(&text).as_bytes())?,
        None => out::bytes(text.as_bytes())?,
    }
    Ok(())
}

/// A new file that only its owner can read: it holds customers' data.
fn private() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
