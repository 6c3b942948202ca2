//! Where things are in this repository.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The workspace's root folder: the one that the command was called in. What is compiled in would be the checkout that
/// was built last, if several share a target folder.
pub(crate) fn root() -> Result<PathBuf> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = std::env::current_dir().context("there is no current folder")?;
    find(manifest.as_deref(), &here).with_context(|| format!("{} is in no checkout of this repository", here.display()))
}

/// Cargo says at run time whose package runs; a program that was started alone looks upwards.
fn find(manifest: Option<&Path>, here: &Path) -> Option<PathBuf> {
    let from_cargo = manifest.into_iter().flat_map(Path::ancestors);
    from_cargo.chain(here.ancestors()).find(|folder| is_root(folder)).map(Path::to_path_buf)
}

fn is_root(folder: &Path) -> bool {
    folder.join("xtask/Cargo.toml").is_file() && folder.join("openapi").is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("openapi")).unwrap();
        std::fs::create_dir_all(folder.path().join("xtask/src")).unwrap();
        std::fs::write(folder.path().join("xtask/Cargo.toml"), "").unwrap();
        folder
    }

    #[test]
    fn what_cargo_says_comes_first_then_the_current_folder_and_those_above_it() {
        let (one, two) = (checkout(), checkout());
        let (xtask, below) = (one.path().join("xtask"), two.path().join("xtask/src"));
        assert_eq!(find(Some(&xtask), &below).unwrap(), one.path());
        assert_eq!(find(None, &below).unwrap(), two.path());
        assert_eq!(find(Some(Path::new("/")), &below).unwrap(), two.path());
        assert_eq!(find(None, Path::new("/")), None);
    }
}
