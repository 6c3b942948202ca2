//! One broken rule: where, which, and what to read about it.

use std::fmt;
use std::path::{Path, PathBuf};

/// The rules that a program can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// Every module stands on one floor.
    Listing,
    /// A room uses what stands below it.
    Climb,
    /// Rooms of one floor use each other only as the plan says.
    Sideways,
    /// What is used can be read from the source.
    Unfollowed,
    /// Rooms do not use each other in circles.
    Circle,
    /// Files of a room import each other only in small circles.
    LargeCircle,
    /// Hand-written files are short.
    LongFile,
    /// A module's file has the module's name.
    PathAttribute,
    /// Conditions on features become fewer.
    Features,
}

impl Rule {
    const fn name(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Climb => "climb",
            Self::Sideways => "sideways",
            Self::Unfollowed => "unfollowed",
            Self::Circle => "circle",
            Self::LargeCircle => "large circle",
            Self::LongFile => "long file",
            Self::PathAttribute => "path attribute",
            Self::Features => "features",
        }
    }
}

/// A broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Violation {
    pub(super) file: PathBuf,
    line: usize,
    pub(super) rule: Rule,
    text: String,
}

impl Violation {
    pub(super) fn new(file: impl AsRef<Path>, line: usize, rule: Rule, text: String) -> Self {
        Self { file: file.as_ref().to_owned(), line, rule, text }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}: {}", self.file.display(), self.line, self.rule.name(), self.text)
    }
}
