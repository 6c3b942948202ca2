//! The catalogue and the sources that it is for.

use std::path::{Path, PathBuf};

use paid::account::{self, Checked, Sources};
use paid_catalog::VARIABLE;

use crate::catalogue;
use crate::options::Catalogue;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A catalogue, with the sources that send its signals.
pub(super) struct Workspace {
    pub(super) checked: Checked,
    pub(super) sources: Sources,
}

/// Reads the catalogue and the sources of all crates that it is for: those below its folder; or, if it is named, those of the
/// workspace in which the command runs.
pub(super) fn read(wanted: &Catalogue) -> Result<Workspace> {
    let path = catalogue::path(wanted)?;
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let hint = "name it with --catalogue, or make one with `cargo paid init` or `cargo paid signals pull`";
        format!("cannot read {}: {error}; {hint}", path.display())
    })?;
    let shown = relative(&path);
    let checked = Checked::read(&shown, &text).map_err(|problems| named(&shown, &problems.to_string()))?;
    let is_named = wanted.catalogue.is_some() || std::env::var(VARIABLE).is_ok_and(|named| !named.is_empty());
    let root = if is_named { workspace_root()? } else { path.parent().unwrap_or(Path::new(".")).to_owned() };
    let mut sources = account::sources_below(&root, (!is_named).then_some(path.as_path()))
        .map_err(|error| format!("cannot read the sources below {}: {error}", root.display()))?;
    for emission in &mut sources.emissions {
        emission.place.file = relative(&emission.place.file);
    }
    for file in &mut sources.unreadable {
        file.place.file = relative(&file.place.file);
    }
    Ok(Workspace { checked, sources })
}

/// Problems of a catalogue, each with the path in front.
pub(super) fn named(path: &Path, problems: &str) -> String {
    problems.lines().map(|line| format!("{}:{line}", path.display())).collect::<Vec<_>>().join("\n")
}

/// The folder of the workspace around this one, or else the crate's.
fn workspace_root() -> Result<PathBuf> {
    let here = std::env::current_dir()?;
    let manifests = here.ancestors().filter(|folder| folder.join("Cargo.toml").is_file());
    let is_workspace = |folder: &&Path| {
        let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        text.lines().any(|line| line.trim().starts_with("[workspace"))
    };
    let folders: Vec<&Path> = manifests.collect();
    let root = folders.iter().find(|folder| is_workspace(folder)).or(folders.first()).copied();
    let root = root.map_or_else(|| here.clone(), Path::to_owned);
    Ok(root)
}

/// A path as it is seen from here.
fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).map_or_else(|_| path.to_owned(), Path::to_owned)
}
