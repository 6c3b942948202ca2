//! Holds the catalogue against the sources, and against the account: each finding of a named rule, with its place and its fix.

mod account;
mod names;
mod sending;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use paid_catalog::{Catalog, Level, Places, Spot, UNUSED_ALLOWANCE};

use super::error::AccountError;
use super::remote::Account;
use super::sources::{Place, Sources};

pub use account::{Ordered, ordered};

/// The rule of a file that cannot be read, which no catalogue turns off.
pub const UNREADABLE_SOURCE: &str = "unreadable_source";

/// Something that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The name of the rule: one of [`paid_catalog::RULES`], or [`UNREADABLE_SOURCE`].
    pub rule: &'static str,
    /// What the catalogue makes of it.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
    /// In the sources, or in the catalogue.
    pub place: Place,
    /// The signal that it is about, if it is about one of the catalogue.
    pub signal: Option<String>,
}

/// A catalogue to check, with its text, which has the places.
#[derive(Debug, Clone)]
pub struct Checked {
    catalog: Catalog,
    places: Places,
    file: PathBuf,
    shown: String,
}

impl Checked {
    /// Reads the text of a catalogue. `file` is its path, as findings show it.
    ///
    /// # Errors
    ///
    /// Every mistake in the text, with its place.
    pub fn read(file: &Path, text: &str) -> Result<Self, AccountError> {
        let catalog = Catalog::parse(text).map_err(|problems| AccountError::Catalogue(problems.to_string()))?;
        let shown =
            file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned());
        Ok(Self { catalog, places: Places::of(text), file: file.to_owned(), shown })
    }

    /// What the file says, once it has been read.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The findings: of the catalogue against the sources and, if it is given, against the account. `today` is a day such as
    /// `2026-11-26`. What only tests send is left out. Ordered by place.
    pub fn findings(&self, sources: &Sources, today: &str, account: Option<(&Account, &Ordered)>) -> Vec<Finding> {
        let mut raw = self.about_names();
        raw.extend(self.about_sending(sources, today));
        if let Some((account, ordered)) = account {
            raw.extend(self.about_account(account, ordered));
        }
        let unused = self.unused_allowances(&raw);
        raw.extend(unused);
        let mut findings: Vec<Finding> = raw
            .into_iter()
            .map(|finding| self.judged(finding))
            .filter(|finding| finding.level != Level::Allow)
            .collect();
        findings.extend(sources.unreadable.iter().map(|file| Finding {
            rule: UNREADABLE_SOURCE,
            level: if file.is_in_tests { Level::Warn } else { Level::Deny },
            message: format!("this file cannot be read as Rust: {}", file.problem),
            fix: "correct it, or exclude it by .gitignore or .ignore; what it sends may be missing here".to_owned(),
            place: file.place.clone(),
            signal: None,
        }));
        findings.sort_by(|one, other| (&one.place, one.rule).cmp(&(&other.place, other.rule)));
        findings
    }

    /// A finding whose level is not decided yet.
    fn found(&self, rule: &'static str, signal: Option<&str>, place: Place, message: String, fix: String) -> Finding {
        let signal = signal.filter(|name| self.catalog.signal(name).is_some()).map(str::to_owned);
        Finding { rule, level: Level::Allow, message, fix, place, signal }
    }

    fn judged(&self, finding: Finding) -> Finding {
        let signal = finding.signal.as_deref().and_then(|name| self.catalog.signal(name));
        Finding { level: self.catalog.level(finding.rule, signal), ..finding }
    }

    /// Allowances without which nothing would be found.
    fn unused_allowances(&self, raw: &[Finding]) -> Vec<Finding> {
        let needed: BTreeSet<(&str, &str)> = raw
            .iter()
            .filter(|finding| self.catalog.lints.level(finding.rule) != Level::Allow)
            .filter_map(|finding| Some((finding.signal.as_deref()?, finding.rule)))
            .collect();
        let mut unused = Vec::new();
        for (name, signal) in &self.catalog.signals {
            for rule in signal.allow.iter().filter(|rule| *rule != UNUSED_ALLOWANCE) {
                if !needed.contains(&(name.as_str(), rule.as_str())) {
                    let spot = self.places.allowances.get(&(name.clone(), rule.clone())).copied();
                    let message = format!("`allow` of `{name}` names `{rule}`, which finds nothing there");
                    let fix = format!("remove {rule:?} from `allow`");
                    unused.push(self.found(UNUSED_ALLOWANCE, Some(name), self.at(spot), message, fix));
                }
            }
        }
        unused
    }

    fn at(&self, spot: Option<Spot>) -> Place {
        let Spot { line, column, length } = spot.unwrap_or(Spot { line: 1, column: 1, length: 1 });
        Place { file: self.file.clone(), line, column, length }
    }

    fn at_signal(&self, name: &str) -> Place {
        self.at(self.places.signals.get(name).copied())
    }
}

#[cfg(test)]
mod tests;
