//! The name table (`openapi/names.yaml`): which published component gets which name here.
//! Two components share a name only if the table says that they mean the same and their shapes agree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::words::reserved;

use anyhow::{Context, Result, bail};
use glob::Pattern;
use serde::Deserialize;

/// The checked-in decisions about names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NameTable {
    /// New name to the published names (a `*` matches any text) that mean it.
    #[serde(default)]
    pub(crate) rename: BTreeMap<String, Vec<String>>,
    /// Published names that are good as they are.
    #[serde(default)]
    pub(crate) keep: BTreeSet<String>,
    /// Groups of names with one shape and different meanings.
    #[serde(default)]
    apart: Vec<BTreeSet<String>>,
    /// The same for components that are not published yet: these entries may match nothing.
    #[serde(default)]
    expected: Expected,
}

/// Decisions about components that only Paid's clients know so far.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[serde(default)]
    rename: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    keep: BTreeSet<String>,
    #[serde(default)]
    apart: Vec<BTreeSet<String>>,
}

/// Whether every name needs a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decisions {
    /// To import a document.
    Required,
    /// To try a document: names without a decision are reported and kept.
    Optional,
}

/// The outcome for a whole document.
#[derive(Debug, Default)]
pub(crate) struct Naming {
    /// Published name to its new name.
    pub(crate) renamed: BTreeMap<String, String>,
    /// Acceptable names without a decision.
    pub(crate) undecided: Vec<String>,
    /// What has to be decided before the document is imported.
    pub(crate) open: Vec<String>,
}

impl NameTable {
    /// Reads the table.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read the name table {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in the name table {}", path.display()))
    }

    /// Parses the table.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        serde_saphyr::from_str(text).map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// A table that only renames.
    pub(crate) fn renaming(rename: BTreeMap<String, Vec<String>>) -> Self {
        Self { rename, ..Self::default() }
    }

    /// Decides the name of every published component; collects every problem before it gives up.
    pub(crate) fn decide<'a>(&self, published: impl Iterator<Item = &'a str>, decisions: Decisions) -> Result<Naming> {
        let mut naming = Naming::default();
        let mut problems = Vec::new();
        let mut used = BTreeSet::new();
        let patterns = self.patterns()?;
        for name in published {
            let matches: Vec<_> = patterns.iter().filter(|(_, pattern)| pattern.matches(name)).collect();
            used.extend(matches.iter().map(|(_, pattern)| pattern.as_str()));
            let targets: BTreeSet<_> = matches.iter().map(|(to, _)| *to).collect();
            let mut targets = targets.into_iter();
            match (targets.next(), targets.next()) {
                (Some(to), None) => {
                    naming.renamed.insert(name.to_owned(), to.to_owned());
                }
                (Some(one), Some(two)) => {
                    problems.push(format!("`{name}` matches two entries of `rename`: `{one}` and `{two}`"))
                }
                (None, _) => {
                    if self.keep.contains(name) || self.expected.keep.contains(name) {
                        used.insert(name);
                    } else if let Some(reason) = objection(name) {
                        problems.push(format!("`{name}` {reason}: give it a name under `rename`"));
                    } else {
                        naming.undecided.push(name.to_owned());
                    }
                    naming.renamed.insert(name.to_owned(), name.to_owned());
                }
            }
        }
        let table = self.rename.values().flatten().chain(&self.keep);
        for entry in table.filter(|entry| !used.contains(entry.as_str())) {
            problems.push(format!("`{entry}` matches no component of the document: remove the entry"));
        }
        for name in self.rename.keys().chain(self.expected.rename.keys()) {
            if let Some(reason) = objection(name) {
                problems.push(format!("the new name `{name}` {reason}"));
            }
        }
        if decisions == Decisions::Optional {
            naming.open = problems;
        } else if !problems.is_empty() {
            bail!("names to decide:\n  {}", problems.join("\n  "));
        }
        Ok(naming)
    }

    /// Every pattern of `rename` with the name it gives.
    pub(crate) fn patterns(&self) -> Result<Vec<(&str, Pattern)>> {
        let entries = self.rename.iter().chain(&self.expected.rename);
        let entries = entries.flat_map(|(to, patterns)| patterns.iter().map(move |pattern| (to, pattern)));
        entries
            .map(|(to, pattern)| {
                let parsed = Pattern::new(pattern).with_context(|| format!("`{pattern}` is not a pattern"))?;
                Ok((to.as_str(), parsed))
            })
            .collect()
    }

    /// Whether the table says that this published name is good as it is.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        self.keep.contains(name) || self.expected.keep.contains(name)
    }

    /// Whether the table says that these names of one shape mean different things.
    pub(crate) fn keeps_apart(&self, names: &BTreeSet<String>) -> bool {
        self.apart.iter().chain(&self.expected.apart).any(|group| names.is_subset(group))
    }
}

/// Why this name is not one that a person would choose.
pub(crate) fn objection(name: &str) -> Option<&'static str> {
    if name.len() > 40 {
        return Some("is longer than 40 characters");
    }
    if ["Discriminator", "Items", "Mapping", "GetParameters", "PostParameters", "PatchParameters"]
        .iter()
        .any(|word| name.contains(word))
    {
        return Some("names its place in the document, not what it is");
    }
    if reserved::is_type(name) {
        return Some("is a name of Rust's, or of the library's");
    }
    if name.ends_with(|last: char| last.is_ascii_digit()) {
        return Some("ends in a digit");
    }
    if !name.starts_with(|first: char| first.is_ascii_uppercase()) {
        return Some("is not in upper camel case");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(table: &str, names: &[&str]) -> Result<Naming> {
        NameTable::parse(table).unwrap().decide(names.iter().copied(), Decisions::Required)
    }

    #[test]
    fn a_pattern_names_every_component_it_matches() {
        let naming = decide("rename: {Frequency: ['*BillingFrequency']}", &["ABillingFrequency", "BBillingFrequency"]);
        let naming = naming.unwrap();
        assert!(naming.renamed.values().all(|name| name == "Frequency"));
    }

    #[test]
    fn a_pattern_that_is_malformed_is_an_error_that_names_it() {
        let error = format!("{:#}", decide("rename: {A: ['X[']}", &["X"]).unwrap_err());
        assert!(error.contains("`X[` is not a pattern"), "{error}");
    }

    #[test]
    fn a_bad_name_that_nobody_decided_on_is_an_error_that_names_it() {
        let error = decide("keep: []", &["OrderLinesItems"]).unwrap_err().to_string();
        assert!(error.contains("`OrderLinesItems` names its place in the document"), "{error}");
    }

    #[test]
    fn a_good_name_that_nobody_decided_on_is_reported_and_kept() {
        let naming = decide("keep: []", &["Payment"]).unwrap();
        assert_eq!(naming.undecided, ["Payment"]);
        assert_eq!(naming.renamed["Payment"], "Payment");
    }

    #[test]
    fn a_component_that_is_not_published_yet_has_its_name_already() {
        let table = "expected: {rename: {Unit: [CustomerUnitItems]}, keep: [Payment]}";
        assert_eq!(decide(table, &[]).unwrap().renamed.len(), 0);
        let naming = decide(table, &["CustomerUnitItems", "Payment"]).unwrap();
        assert_eq!((naming.renamed["CustomerUnitItems"].as_str(), naming.undecided.len()), ("Unit", 0));
    }

    #[test]
    fn two_entries_for_one_name_and_an_entry_for_none_are_errors() {
        let error = decide("rename: {A: ['X*'], B: ['*Y'], C: [Gone]}", &["XY"]).unwrap_err().to_string();
        assert!(error.contains("`XY` matches two entries"), "{error}");
        assert!(error.contains("`Gone` matches no component"), "{error}");
    }
}
