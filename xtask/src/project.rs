//! Where things are in this repository.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// The workspace's root folder.
pub(crate) fn root() -> Result<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).context("the xtask folder has no parent")
}
