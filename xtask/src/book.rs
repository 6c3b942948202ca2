//! `cargo xtask book`: draws the picture of README, and builds the book in `docs/` with mdBook, into `target/book`.

mod picture;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::project;
use crate::tools::MDBOOK;

const PICTURE: &str = "docs/compile-error.svg";
const PRINTED: &str = "paid-macros/tests/ui/fail/book/mistyped_name.stderr";

/// Draws and builds, and prints where the book is.
pub(crate) fn run() -> Result<()> {
    let root = project::root()?;
    std::fs::write(root.join(PICTURE), drawn(&root)?).context("cannot write the picture")?;
    let program = MDBOOK.path()?.map_err(|why| anyhow::anyhow!(why))?;
    let status = Command::new(program).arg("build").arg(root.join("docs")).status().context("cannot start mdbook")?;
    if !status.success() {
        bail!("mdbook ended with {status}");
    }
    println!("{}", root.join("target/book/index.html").display());
    Ok(())
}

/// What the compiler printed for the first mistake that README shows.
fn drawn(root: &Path) -> Result<String> {
    let printed = std::fs::read_to_string(root.join(PRINTED)).with_context(|| format!("cannot read {PRINTED}"))?;
    let as_a_user_sees_it = printed
        .replace("tests/ui/fail/book/mistyped_name.rs", "src/main.rs")
        .replace("$WORKSPACE/docs/signals.toml", "signals.toml")
        .replace("; did you mean", ";\n       did you mean");
    Ok(picture::svg(&as_a_user_sees_it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_what_the_compiler_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let kept = std::fs::read_to_string(root.join(PICTURE)).unwrap_or_default().replace("\r\n", "\n");
        assert!(kept == drawn(root).unwrap(), "{PICTURE} is stale: `cargo xtask book` draws it");
    }
}
