//! Programs of others that a command calls. They are installed on demand below `target/tools`, and no crate depends on them.

pub(crate) mod program;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::project;

/// A program on the registry.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

/// Lists what a library offers.
pub(crate) const PUBLIC_API: Tool = Tool { name: "cargo-public-api", version: "0.52.0" };
/// Finds what breaks users of a library.
pub(crate) const SEMVER: Tool = Tool { name: "cargo-semver-checks", version: "0.51.0" };
/// Holds dependencies against `deny.toml`.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };

/// Builds the book.
pub(crate) const MDBOOK: Tool = Tool { name: "mdbook", version: "0.5.4" };

impl Tool {
    /// Where this version of the program is; if it is nowhere, it is installed. The inner error says why it cannot be.
    pub(crate) fn path(&self) -> Result<Result<PathBuf, String>> {
        let folder = project::root()?.join("target/tools").join(format!("{}-{}", self.name, self.version));
        let installed = folder.join("bin").join(self.name);
        if installed.is_file() {
            return Ok(Ok(installed));
        }
        if let Some(path) = in_path(self.name).filter(|path| self.is_version_of(path)) {
            return Ok(Ok(path));
        }
        eprintln!("  {} is installed below target/tools, once", self.name);
        let mut install = Command::new("cargo");
        install.args(["install", "--quiet", "--locked", "--debug", "--root"]).arg(&folder);
        let ran = program::run(install.arg(format!("{}@{}", self.name, self.version)))?;
        Ok(if ran.succeeded {
            Ok(installed)
        } else {
            Err(format!("cannot install {}: {}", self.name, ran.first_error()))
        })
    }

    /// Whether the program says that it is this version.
    fn is_version_of(&self, path: &Path) -> bool {
        let said = program::run(Command::new(path).arg("--version"));
        let is_it = |word: &str| word.trim_start_matches('v') == self.version;
        said.is_ok_and(|said| said.succeeded && said.output.split_whitespace().any(is_it))
    }
}

fn in_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}
