//! The catalogue that a command is about.

use std::path::{Path, PathBuf};

use paid_catalog::{Catalog, FILE_NAME, Found, VARIABLE};

use crate::options::Catalogue;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What is said of a crate that goes without.
pub(crate) const OPTED_OUT: &str =
    "the crate goes without a catalogue: remove `signals = \"none\"` from Cargo.toml, or PAID_SIGNALS=none, first";

/// Where the catalogue is, or would be.
pub(crate) fn path(catalogue: &Catalogue) -> Result<PathBuf> {
    if let Some(path) = &catalogue.catalogue {
        return Ok(path.clone());
    }
    let here = std::env::current_dir()?;
    let of_crate = here.ancestors().find(|folder| folder.join("Cargo.toml").is_file()).unwrap_or(&here);
    match paid_catalog::find(of_crate, std::env::var(VARIABLE).ok().as_deref()) {
        Found::At(path) => Ok(path),
        Found::Misnamed(why) => Err(why.into()),
        Found::OptedOut => Err(OPTED_OUT.into()),
        Found::Nowhere(_) => Ok(of_crate.join(FILE_NAME)),
    }
}

/// The text of the catalogue; empty if there is no file yet.
pub(crate) fn text(path: &Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(format!("cannot read {}: {error}", path.display()).into()),
    }
}

/// The catalogue, which has to be there.
pub(crate) fn read(path: &Path) -> Result<Catalog> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Catalog::parse(&text).map_err(|problems| {
        let lines: Vec<_> = problems.0.iter().map(|problem| format!("{}:{problem}", path.display())).collect();
        lines.join("\n").into()
    })
}

/// Writes the catalogue whole or not at all.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wrong = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    let file = tempfile::NamedTempFile::new_in(folder).map_err(wrong)?;
    std::fs::write(file.path(), text).map_err(wrong)?;
    let permissions = std::fs::metadata(path).map(|known| known.permissions()).ok();
    if let Some(permissions) = permissions.or_else(readable_by_all) {
        std::fs::set_permissions(file.path(), permissions).map_err(wrong)?;
    }
    file.persist(path).map_err(|error| wrong(error.error))?;
    Ok(())
}

#[cfg(unix)]
fn readable_by_all() -> Option<std::fs::Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all() -> Option<std::fs::Permissions> {
    None
}
