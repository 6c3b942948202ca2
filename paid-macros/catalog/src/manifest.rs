//! What a crate's `Cargo.toml` says about its catalogue, below `[package.metadata.paid]`, and how it calls the library.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::nearest_of;

type Table<'a> = DeTable<'a>;

/// What a crate says about its catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It has to have one.
    Required,
    /// It has none, on purpose.
    None,
}

impl Wish {
    /// What `Cargo.toml` and the variable write.
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word {
            "required" => Some(Self::Required),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// The key of the wish.
const KEY: &str = "signals";
const PACKAGE: &str = "paid-api";
/// What the package is called in a crate that gives it no other name.
const LIBRARY: &str = "paid";

/// The wish of the crate, or else of its workspace.
pub(crate) fn wish(crate_folder: &Path, workspace: Option<&Path>) -> Result<Option<Wish>, String> {
    let own = in_manifest(crate_folder, |manifest| wish_in(manifest, "package")).transpose()?.flatten();
    match (own, workspace) {
        (None, Some(root)) => Ok(in_manifest(root, |manifest| wish_in(manifest, "workspace")).transpose()?.flatten()),
        (own, _) => Ok(own),
    }
}

fn wish_in(manifest: &Table<'_>, part: &str) -> Result<Option<Wish>, String> {
    let Some(paid) = table(manifest, part).and_then(|part| table(table(part, "metadata")?, "paid")) else {
        return Ok(None);
    };
    let place = format!("[{part}.metadata.paid] of Cargo.toml");
    let known = |key: &str| [KEY].contains(&key);
    if let Some((key, _)) = paid.iter().find(|(key, _)| !known(key.get_ref())) {
        let key = key.get_ref();
        let hint = nearest_of(key, [KEY].into_iter())
            .map_or_else(|| format!("it has `{KEY}`"), |near| format!("did you mean {near}?"));
        return Err(format!("{place} has no `{key}`; {hint}"));
    }
    let Some(written) = paid.get(KEY) else { return Ok(None) };
    let wish = written.get_ref().as_str().and_then(Wish::of);
    wish.map(Some).ok_or_else(|| format!("`{KEY}` in {place} must be \"required\" or \"none\""))
}

/// What the crate in a folder calls the library, if it gives it another name, and only one.
pub(crate) fn other_name(crate_folder: &Path, workspace: Option<&Path>) -> Option<String> {
    let of_workspace = |manifest: &Table<'_>| table(manifest, "workspace").map(|table| names_in(table, &[]));
    let inherited = workspace.and_then(|root| in_manifest(root, of_workspace)).flatten().unwrap_or_default();
    let mut names = in_manifest(crate_folder, |manifest| names_of(manifest, &inherited))?;
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [name] if name != LIBRARY => names.pop(),
        _ => None,
    }
}

/// The names in all dependencies of a package, also of some targets only.
fn names_of(manifest: &Table<'_>, inherited: &[String]) -> Vec<String> {
    let targets = table(manifest, "target").into_iter().flatten();
    let of_targets = targets.filter_map(|(_, target)| target.get_ref().as_table());
    let mut names: Vec<String> =
        std::iter::once(manifest).chain(of_targets).flat_map(|part| names_in(part, inherited)).collect();
    let is_itself = table(manifest, "package").and_then(|package| text(package, "name")) == Some(PACKAGE);
    names.extend(is_itself.then(|| LIBRARY.to_owned()));
    names
}

fn names_in(part: &Table<'_>, inherited: &[String]) -> Vec<String> {
    let lists = ["dependencies", "dev-dependencies", "build-dependencies"];
    let entries = lists.into_iter().filter_map(|list| table(part, list)).flatten();
    let name = |(key, value): (&toml::Spanned<std::borrow::Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| {
        let key = key.get_ref().as_ref();
        let value = value.get_ref().as_table();
        let package = value.and_then(|value| text(value, "package"));
        let own = if key == PACKAGE { LIBRARY.to_owned() } else { key.replace('-', "_") };
        let is_of_workspace = value.and_then(|value| value.get("workspace")).is_some();
        let is_ours = match package {
            Some(package) => package == PACKAGE,
            None => key == PACKAGE || is_of_workspace && inherited.contains(&own),
        };
        is_ours.then_some(own)
    };
    entries.filter_map(name).collect()
}

fn table<'t, 'i>(table: &'t Table<'i>, key: &str) -> Option<&'t Table<'i>> {
    table.get(key)?.get_ref().as_table()
}

fn text<'t>(table: &'t Table<'_>, key: &str) -> Option<&'t str> {
    table.get(key)?.get_ref().as_str()
}

/// Looks into the manifest of a folder. One that cannot be read says nothing here: cargo complains of it.
fn in_manifest<T>(folder: &Path, look: impl FnOnce(&Table<'_>) -> T) -> Option<T> {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let manifest = DeTable::parse(&text).ok()?;
    Some(look(manifest.get_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(manifest: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        folder
    }

    #[test]
    fn the_crates_wish_comes_before_the_workspaces() {
        let root = folder_with("[workspace.metadata.paid]\nsignals = \"required\"\n");
        let silent = folder_with("[package]\nname = \"a\"\n");
        let without = folder_with("[package.metadata.paid]\nsignals = \"none\"\n");
        assert_eq!(wish(silent.path(), None), Ok(None));
        assert_eq!(wish(silent.path(), Some(root.path())), Ok(Some(Wish::Required)));
        assert_eq!(wish(without.path(), Some(root.path())), Ok(Some(Wish::None)));
    }

    #[test]
    fn a_wish_that_is_none_of_the_two_is_an_error() {
        let said = |manifest: &str| wish(folder_with(manifest).path(), None).unwrap_err();
        let wrong = said("[package.metadata.paid]\nsignals = \"requird\"\n");
        assert_eq!(wrong, "`signals` in [package.metadata.paid] of Cargo.toml must be \"required\" or \"none\"");
        let wrong = said("[package.metadata.paid]\nsignal = \"required\"\n");
        assert_eq!(wrong, "[package.metadata.paid] of Cargo.toml has no `signal`; did you mean `signals`?");
    }

    #[test]
    fn another_name_of_the_library_is_found_where_it_is_the_only_one() {
        let name = |manifest: &str| other_name(folder_with(manifest).path(), None);
        assert_eq!(name("[dependencies]\npaid-api = \"0.1\"\n"), None);
        assert_eq!(name("[dependencies]\npaid = \"1\"\n"), None);
        let renamed = "[dependencies]\npay-day = { package = \"paid-api\", version = \"0.1\" }\n";
        assert_eq!(name(renamed).as_deref(), Some("pay_day"));
        let of_a_target =
            "[target.'cfg(unix)'.dev-dependencies]\npaid2 = { package = \"paid-api\", version = \"0.1\" }\n";
        assert_eq!(name(of_a_target).as_deref(), Some("paid2"));
        assert_eq!(name(&format!("{renamed}[dev-dependencies]\npaid-api = \"0.2\"\n")), None);
        assert_eq!(name(&format!("[package]\nname = \"paid-api\"\n{renamed}")), None);
    }

    #[test]
    fn another_name_is_found_in_the_workspace() {
        let root = folder_with("[workspace.dependencies]\npaid2 = { package = \"paid-api\", version = \"0.1\" }\n");
        let crate_of_it = folder_with("[dependencies]\npaid2 = { workspace = true }\n");
        assert_eq!(other_name(crate_of_it.path(), Some(root.path())).as_deref(), Some("paid2"));
    }
}
