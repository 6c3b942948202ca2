//! Which kind of records an outbox holds. Cost records sent as signals would be lost, and so would signals sent as cost
//! records: a file in the folder tells them apart.

use std::io;

use super::{dead_letters, store};
use crate::dispatch::Folder;
use crate::error::ConfigError;
use crate::report::RecordKind;

const FILE: &str = "contents";

fn word(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Cost => "costs",
        RecordKind::Signal | RecordKind::Span => "signals",
    }
}

/// The kind of records in a folder; `None` if it is not an outbox yet.
///
/// # Errors
///
/// If the folder is an outbox, but does not say which kind of records it holds.
pub(super) fn found(folder: &dyn Folder) -> Result<Option<RecordKind>, ConfigError> {
    let shown = folder.path().display();
    let ask = || {
        let problem =
            format!("cannot tell what the outbox {shown} holds: write `signals` or `costs` into its file `{FILE}`");
        Err(ConfigError::new(problem))
    };
    match folder.read(FILE) {
        Ok(text) => {
            let text = String::from_utf8_lossy(&text);
            let known = [RecordKind::Signal, RecordKind::Cost].into_iter().find(|kind| word(*kind) == text.trim());
            known.map_or_else(ask, |kind| Ok(Some(kind)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if store::exists(folder) || folder.length(dead_letters::FILE).is_ok() { ask() } else { Ok(None) }
        }
        Err(error) => Err(ConfigError::new(format!("cannot use {shown} as an outbox: {error}"))),
    }
}

/// Makes a folder an outbox of this kind. Fails if it is an outbox of another kind.
pub(super) fn claim(folder: &dyn Folder, kind: RecordKind) -> Result<(), ConfigError> {
    let shown = folder.path().display();
    match (kind, found(folder)?) {
        (RecordKind::Signal, Some(RecordKind::Cost)) => Err(ConfigError::new(format!(
            "{shown} is an outbox of cost records: open it with `CostEmitter`, and use another folder for signals"
        ))),
        (RecordKind::Cost, Some(RecordKind::Signal)) => {
            Err(ConfigError::new(format!("{shown} is an outbox of signals: use another folder for cost records")))
        }
        (_, Some(_)) => Ok(()),
        (kind, None) => folder
            .replace(FILE, format!("{}\n", word(kind)).as_bytes())
            .map_err(|error| ConfigError::new(format!("cannot use {shown} as an outbox: {error}"))),
    }
}
