//! `edit`: another content for a record that was refused.

use std::io::Read;
use std::path::Path;
use std::process::Command;

use paid::outbox::{DeadLetter, replace_letter, replace_letter_and_key};

use super::arguments::Edit;
use super::{json, letters};
use crate::out;
use crate::outcome::Outcome;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub(crate) fn edit(edit: &Edit) -> Outcome {
    let folder = edit.place.folder.as_path();
    let letter = letters::find(folder, &edit.key)?;
    if let Some(file) = &edit.file {
        return keep(edit, &read(file)?);
    }
    if !edit.set.is_empty() {
        let mut record = letter.record.get().to_owned();
        for assignment in &edit.set {
            record = json::set(&record, assignment)?;
        }
        return keep(edit, &record);
    }
    let (file, record) = in_editor(&letter)?;
    if record == json::pretty(letter.record.get()) + "\n" {
        out::line("nothing changed")?;
        return Ok(());
    }
    keep(edit, &record).map_err(|error| match file.keep() {
        Ok((_, path)) => format!(
            "{error}\nnothing changed; your text is in {}: correct it and give it with `--file`, or remove it",
            path.display()
        )
        .into(),
        Err(_) => error,
    })
}

fn keep(edit: &Edit, record: &str) -> Outcome {
    let replace = if edit.new_key { replace_letter_and_key } else { replace_letter };
    let letter = replace(&edit.place.folder, &edit.key, record)?;
    let key = out::visible(&letter.key);
    out::line(format_args!("{} {key} changed; `cargo paid outbox resubmit` sends it again", letter.kind))?;
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|error| format!("cannot read standard input: {error}"))?;
        return Ok(text);
    }
    std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()).into())
}

/// What a person makes of the record, and the private file that it is in.
fn in_editor(letter: &DeadLetter) -> Result<(tempfile::NamedTempFile, String)> {
    let file = tempfile::Builder::new().prefix("paid-letter-").suffix(".json").tempfile()?;
    std::fs::write(file.path(), json::pretty(letter.record.get()) + "\n")?;
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".into());
    let shown = editor.display().to_string();
    // As git does: the editor may have arguments.
    let mut call = editor;
    call.push(" \"$@\"");
    let status = Command::new("sh").arg("-c").arg(&call).arg("sh").arg(file.path()).status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("the editor `{shown}` failed ({status}): nothing changed").into()),
        Err(error) => return Err(format!("cannot start the editor `{shown}`: {error}; set EDITOR").into()),
    }
    let record = read(file.path())?;
    Ok((file, record))
}
