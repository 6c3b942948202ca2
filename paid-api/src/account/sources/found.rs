//! What is found in sources.

use std::path::PathBuf;

/// A place that sends a signal: an annotation, a derive, or a call that creates one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Emission {
    /// The event name; `None` if the program computes it.
    pub name: Option<String>,
    /// What sends it, as it is written in a program: such as `#[paid::signal]`.
    pub by: &'static str,
    /// The product that the place names.
    pub product: Named,
    /// Whether the place gives it an idempotency key; `None` if a later statement may.
    pub has_key: Option<bool>,
    /// Whether only tests are compiled with it.
    pub is_in_tests: bool,
    /// Where the name stands.
    pub place: Place,
}

/// A product that a place names, or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// It names none: the product is the catalogue's, or the scope's.
    Not,
    /// By this external id.
    As(String),
    /// Only the running program knows it.
    Computed,
}

/// Where something stands in the sources, as `file:line`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The path, as it was found.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// How many characters it has.
    pub length: usize,
}

/// A file that could not be read, or is no Rust.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// Where the call stands that cannot be read.
    pub place: Place,
    /// What is wrong.
    pub problem: String,
    /// Whether only tests are compiled with it.
    pub is_in_tests: bool,
}
