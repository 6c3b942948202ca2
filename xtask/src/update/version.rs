//! The version that follows from a change, as cargo reads versions: before 1.0, the second number is the major one.

use anyhow::{Context, Result};

use crate::diff::Level;

/// From one version to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bump {
    pub(crate) old: String,
    pub(crate) new: String,
}

/// The workspace's version, and the one that follows.
pub(crate) fn following(manifest: &str, level: Option<Level>) -> Result<Bump> {
    let manifest: toml::Table = manifest.parse().context("Cargo.toml")?;
    let old = manifest.get("workspace").and_then(|part| part.get("package")?.get("version")?.as_str());
    let old = old.context("Cargo.toml: the workspace has no version")?.to_owned();
    let new = level.map_or_else(|| Ok(old.clone()), |level| next(&old, level))?;
    Ok(Bump { old, new })
}

fn next(version: &str, level: Level) -> Result<String> {
    let numbers: Vec<u64> = version.split('.').map(str::parse).collect::<Result<_, _>>().context("version")?;
    let [major, minor, patch] = numbers[..] else { anyhow::bail!("version {version} has not three numbers") };
    Ok(match (level, major) {
        (Level::Breaking, 0) => format!("0.{}.0", minor + 1),
        (Level::Breaking, _) => format!("{}.0.0", major + 1),
        (Level::Additive, 1..) => format!("{major}.{}.0", minor + 1),
        (Level::Additive | Level::Documentation, _) => format!("{major}.{minor}.{}", patch + 1),
    })
}

impl Bump {
    /// The root manifest: the workspace's version, and what its own crates ask of each other.
    pub(crate) fn applied(&self, manifest: &str) -> String {
        let line = |line: &str| {
            let is_ours = line.starts_with("version = ") || line.contains("path = ");
            if !is_ours {
                return line.to_owned();
            }
            // `=` where a crate is made for exactly one version of another.
            ["", "="].iter().fold(line.to_owned(), |line, exactly| {
                let asked = |version: &str| format!("version = \"{exactly}{version}\"");
                line.replace(&asked(&self.old), &asked(&self.new))
            })
        };
        manifest.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    /// A page that shows how to depend on the library, by the first two numbers.
    pub(crate) fn applied_to_page(&self, page: &str) -> String {
        let short =
            |version: &str| version.rsplit_once('.').map_or_else(|| version.to_owned(), |(short, _)| short.to_owned());
        let (old, new) = (format!("\"{}\"", short(&self.old)), format!("\"{}\"", short(&self.new)));
        let line = |line: &str| {
            if line.starts_with("paid-api = ") { line.replacen(&old, &new, 1) } else { line.to_owned() }
        };
        page.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    /// The lock file: packages without a source are the workspace's own.
    pub(crate) fn applied_to_lock(&self, lock: &str) -> String {
        let version = format!("version = \"{}\"", self.old);
        let package = |package: &str| {
            let own = !package.contains("\nsource = ");
            if own { package.replacen(&version, &format!("version = \"{}\"", self.new), 1) } else { package.to_owned() }
        };
        lock.split("[[package]]").map(package).collect::<Vec<_>>().join("[[package]]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_version_follows_from_the_level() {
        for (version, level, expected) in [
            ("0.1.0", Level::Breaking, "0.2.0"),
            ("0.1.0", Level::Additive, "0.1.1"),
            ("0.1.0", Level::Documentation, "0.1.1"),
            ("1.2.3", Level::Breaking, "2.0.0"),
            ("1.2.3", Level::Additive, "1.3.0"),
            ("1.2.3", Level::Documentation, "1.2.4"),
        ] {
            assert_eq!(next(version, level).unwrap(), expected);
        }
    }

    #[test]
    fn only_our_own_crates_get_it() {
        let manifest = "[workspace.package]\nversion = \"0.1.0\"\n[workspace.dependencies]\npaid-api = { path = \"paid-api\", version = \"0.1.0\" }\npaid-macros = { path = \"paid-macros\", version = \"=0.1.0\" }\nother = { version = \"0.1.0\" }\n";
        let bump = following(manifest, Some(Level::Breaking)).unwrap();
        assert_eq!(bump.applied(manifest), manifest.replacen("0.1.0", "0.2.0", 3));
        let lock = "v = 4\n[[package]]\nname = \"a\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"b\"\nversion = \"0.1.0\"\nsource = \"r\"\n";
        let page = "paid-api = \"0.1\" # \"0.1\"\npaid-api = { version = \"0.1\" }\nother = \"0.1\"";
        assert_eq!(
            bump.applied_to_page(page),
            "paid-api = \"0.2\" # \"0.1\"\npaid-api = { version = \"0.2\" }\nother = \"0.1\""
        );
        assert_eq!(bump.applied_to_lock(lock), lock.replacen("0.1.0", "0.2.0", 1));
    }
}
