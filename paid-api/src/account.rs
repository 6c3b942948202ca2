//! The account against the catalogue: what is sold, what the program sends, and what was billed. Feature `account`.
//!
//! `signals.toml` says which signals a program sends and, if you want, the products and prices that bill them. These functions
//! tie it to the account; `cargo paid` is a program around them.
//!
//! | when | what |
//! |---|---|
//! | before the work | [`pull`] takes the account's prices into the file, [`compare`] shows where the account differs, [`push`] makes the account what the file says |
//! | when it hurts | [`why_unbilled`] says why a signal would not be billed, [`connection`] whether the account can be reached |
//! | after the work | [`Reconcile`] compares what was emitted with what Paid has, [`resend`] sends what is missing, [`Auditor`] does both in the background |
//! | beside | [`import`] sends the signals of a file, [`simulation`] computes what they cost under other prices |

mod amounts;
mod auditor;
mod connection;
mod differences;
mod import;
mod observed;
mod prices;
mod pull;
mod push;
mod reconcile;
mod records;
mod remote;
mod resend;
#[cfg(feature = "emulator")]
pub mod simulation;
mod unbilled;

use std::fmt;

pub use auditor::{Audit, Auditor, RunningAuditor};
pub use connection::{Connection, connection};
pub use differences::{Difference, Differences, compare};
pub use import::{Imported, import};
pub use observed::{Observed, ObservedField, observed};
pub use pull::{Pulled, pull};
pub use push::{Pushed, push};
pub use reconcile::{Counted, Discrepancy, Reconcile, Reconciliation, Tally};
pub use records::{FileSignal, FileSignals, read_file};
pub use remote::{Account, AccountPrice, AccountProduct, read};
pub use resend::{Resent, resend};
pub use unbilled::{Question, Reason, Unpriced, unpriced, why_unbilled};

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
    fn unreadable(place: impl Into<String>, problem: impl Into<String>) -> Self {
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
