//! What can go wrong when account and catalogue are compared.

use std::fmt;

/// Why the account and the catalogue cannot be compared.
#[derive(Debug)]
#[non_exhaustive]
pub enum AccountError {
    /// A request to Paid failed.
    Paid(crate::Error),
    /// An answer of Paid has a shape that this version does not know: where, and what is wrong.
    Unreadable {
        /// Such as `product prod_1`.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// What was emitted cannot be read.
    Emitted(std::io::Error),
    /// The catalogue cannot be read, or says something that cannot be sent: each problem a line.
    Catalogue(String),
}

impl AccountError {
    pub(super) fn unreadable(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Unreadable { place: place.into(), problem: problem.into() }
    }
}

impl fmt::Display for AccountError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paid(error) => write!(formatter, "{error}"),
            Self::Emitted(error) => write!(formatter, "{error}"),
            Self::Unreadable { place, problem } => write!(formatter, "{place}: {problem}"),
            Self::Catalogue(problems) => write!(formatter, "{problems}"),
        }
    }
}

impl std::error::Error for AccountError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Paid(error) => Some(error),
            Self::Emitted(error) => Some(error),
            _ => None,
        }
    }
}

impl From<crate::Error> for AccountError {
    fn from(error: crate::Error) -> Self {
        Self::Paid(error)
    }
}
