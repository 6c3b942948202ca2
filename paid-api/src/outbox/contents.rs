//! Which kind of records an outbox holds. Cost records sent as signals would be lost, and so would signals sent as cost
//! records: a file in the folder tells them apart.

use std::io;

use super::{aside, dead_letters, store};
use crate::dispatch::Folder;
use crate::error::ConfigError;
use crate::report::RecordKind;

pub(super) const FILE: &str = "contents";

fn word(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Cost => "costs",
        RecordKind::Signal | RecordKind::Span => "signals",
    }
}

/// What the folder says.
enum Said {
    Kind(RecordKind),
    /// It is not an outbox yet.
    Nothing,
    /// It is an outbox, but its file is missing or damaged.
    Noise,
}

fn said(folder: &dyn Folder) -> io::Result<Said> {
    match folder.read(FILE) {
        Ok(text) => {
            let text = String::from_utf8_lossy(&text);
            let known = [RecordKind::Signal, RecordKind::Cost].into_iter().find(|kind| word(*kind) == text.trim());
            Ok(known.map_or(Said::Noise, Said::Kind))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let is_outbox = store::exists(folder) || folder.length(dead_letters::FILE).is_ok();
            Ok(if is_outbox { Said::Noise } else { Said::Nothing })
        }
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(Said::Noise),
        Err(error) => Err(error),
    }
}

/// The kind of records in a folder; `None` if it is not an outbox yet.
///
/// # Errors
///
/// If the folder is an outbox, but does not say which kind of records it holds.
pub(super) fn found(folder: &dyn Folder) -> Result<Option<RecordKind>, ConfigError> {
    match said(folder).map_err(|error| unusable(folder, &error))? {
        Said::Kind(kind) => Ok(Some(kind)),
        Said::Nothing => Ok(None),
        Said::Noise => {
            let shown = folder.path().display();
            let problem =
                format!("cannot tell what the outbox {shown} holds: write `signals` or `costs` into its file `{FILE}`");
            Err(ConfigError::new(problem))
        }
    }
}

/// Whether the folder may be opened as an outbox of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is one.
    Sure,
    /// It is empty.
    New,
    /// Its file is missing or damaged: the records themselves must tell.
    Unsure,
}

/// Fails if the folder is an outbox of another kind.
pub(super) fn claim(folder: &dyn Folder, kind: RecordKind) -> Result<Claim, ConfigError> {
    let shown = folder.path().display();
    match (kind, said(folder).map_err(|error| unusable(folder, &error))?) {
        (RecordKind::Signal, Said::Kind(RecordKind::Cost)) => Err(ConfigError::new(format!(
            "{shown} is an outbox of cost records: open it with `CostEmitter`, and use another folder for signals"
        ))),
        (RecordKind::Cost, Said::Kind(RecordKind::Signal)) => {
            Err(ConfigError::new(format!("{shown} is an outbox of signals: use another folder for cost records")))
        }
        (_, Said::Kind(_)) => Ok(Claim::Sure),
        (_, Said::Nothing) => Ok(Claim::New),
        (_, Said::Noise) => Ok(Claim::Unsure),
    }
}

/// Makes a folder an outbox of this kind.
pub(super) fn write(folder: &dyn Folder, kind: RecordKind) -> Result<(), ConfigError> {
    let text = format!("{}\n", word(kind));
    let write = || folder.replace(FILE, text.as_bytes());
    // A folder in its place makes way.
    let written = write().or_else(|error| aside::away(folder, FILE).and_then(|()| write()).map_err(|_| error));
    written.map_err(|error| unusable(folder, &error))
}

fn unusable(folder: &dyn Folder, error: &io::Error) -> ConfigError {
    ConfigError::new(format!("cannot use {} as an outbox: {error}", folder.path().display()))
}
