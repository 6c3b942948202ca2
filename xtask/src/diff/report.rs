//! Changes, grouped by what happened: one entry for a cause, with every place that it shows in.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// How much a change asks of those who notice it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Nobody has to do anything.
    Documentation,
    /// There is more than before, or it is used as before.
    Additive,
    /// What worked may not work any more.
    Breaking,
}

impl Level {
    /// The part of the version that follows.
    pub(crate) fn semver(self) -> &'static str {
        match self {
            Self::Documentation => "patch",
            Self::Additive => "minor",
            Self::Breaking => "major",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Documentation => "documentation",
            Self::Additive => "additive",
            Self::Breaking => "breaking",
        }
    }
}

/// One change at one place, as one operation shows it.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// oasdiff's name for it.
    pub(crate) check: String,
    pub(crate) what: String,
    pub(crate) wire: Level,
    pub(crate) rust: Level,
    pub(crate) location: String,
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
    pub(crate) operation: Option<String>,
}

/// Where a change shows.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Place {
    /// Such as `Customer.email`, or an operation.
    pub(crate) location: String,
    /// The JSON pointer in the old document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) old: Option<String>,
    /// The JSON pointer in the new document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) new: Option<String>,
    pub(crate) wire: Level,
    pub(crate) rust: Level,
    /// oasdiff's names for it here: a request and an answer are different checks.
    pub(crate) checks: BTreeSet<String>,
    /// The operations that show it.
    pub(crate) operations: BTreeSet<String>,
}

/// One cause.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) what: String,
    /// For the wire: the highest level of its places.
    pub(crate) wire: Level,
    /// For users of the generated client: the level of each of its places.
    pub(crate) rust: Level,
    /// The part of the client's version that follows.
    pub(crate) semver: &'static str,
    pub(crate) places: Vec<Place>,
}

/// All changes, the gravest first.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The highest level of all; nothing if there is no change.
    pub(crate) level: Option<Level>,
    pub(crate) wire: Option<Level>,
    pub(crate) rust: Option<Level>,
    /// The part of the client's version that follows.
    pub(crate) semver: &'static str,
    pub(crate) changes: Vec<Entry>,
}

type Where = (Option<String>, Option<String>, String);

impl Report {
    pub(crate) fn of(findings: Vec<Finding>) -> Self {
        let mut causes: BTreeMap<String, BTreeMap<Where, Place>> = BTreeMap::new();
        for finding in findings {
            let at = (finding.old.clone(), finding.new.clone(), finding.location.clone());
            let place = causes.entry(finding.what).or_default().entry(at).or_insert_with(|| Place {
                location: finding.location,
                old: finding.old,
                new: finding.new,
                wire: finding.wire,
                rust: finding.rust,
                checks: BTreeSet::new(),
                operations: BTreeSet::new(),
            });
            place.wire = place.wire.max(finding.wire);
            place.rust = place.rust.max(finding.rust);
            place.checks.insert(finding.check);
            place.operations.extend(finding.operation);
        }
        let mut changes: Vec<_> = causes.into_iter().flat_map(|(what, places)| entries(&what, places)).collect();
        changes
            .sort_by(|one, two| (two.rust, two.wire).cmp(&(one.rust, one.wire)).then_with(|| one.what.cmp(&two.what)));
        let wire = changes.iter().map(|entry| entry.wire).max();
        let rust = changes.iter().map(|entry| entry.rust).max();
        Self { level: wire.max(rust), wire, rust, semver: rust.map_or("none", Level::semver), changes }
    }
}

/// A cause whose places have different levels for users of the client is an entry for each level.
fn entries(what: &str, places: BTreeMap<Where, Place>) -> Vec<Entry> {
    let mut by_level: BTreeMap<Level, Vec<Place>> = BTreeMap::new();
    for place in places.into_values() {
        by_level.entry(place.rust).or_default().push(place);
    }
    let entry = |(rust, mut places): (Level, Vec<Place>)| {
        places.sort_by(|one, two| one.location.cmp(&two.location));
        let wire = places.iter().map(|place| place.wire).max().unwrap_or(Level::Documentation);
        Entry { what: what.to_owned(), wire, rust, semver: rust.semver(), places }
    };
    by_level.into_iter().map(entry).collect()
}
