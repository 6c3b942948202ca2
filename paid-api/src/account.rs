//! The account against the catalogue: what is sold, what the program sends, and what was billed. Feature `account`.
//!
//! `signals.toml` says which signals a program sends and, if you want, the products and prices that bill them. These functions
//! tie it to the account; `cargo paid` is a program around them.
//!
//! | when | what |
//! |---|---|
//! | before the work | [`pull()`] takes the account's prices into the file, [`compare`] shows where the account differs, [`push()`] makes the account what the file says |
//! | when it hurts | [`why_unbilled`] says why a signal would not be billed, [`connection()`] whether the account can be reached |
//! | after the work | [`Reconcile`] compares what was emitted with what Paid has, [`resend()`] sends what is missing, [`Auditor`] does both in the background, [`billed()`] says what bills the signals |
//! | beside | [`import()`] sends the signals of a file, [`simulation`] computes what they cost under other prices |

mod amounts;
mod auditor;
mod billed;
mod changes;
mod check;
mod connection;
mod differences;
mod error;
mod import;
mod infer;
mod observed;
mod prices;
mod pull;
mod push;
mod reconcile;
mod records;
mod remote;
mod resend;
mod seed;
#[cfg(feature = "emulator")]
pub mod simulation;
mod sources;
mod unbilled;

pub use paid_catalog::Catalog;

pub use auditor::{Audit, Auditor, RunningAuditor};
pub use billed::{Billed, InvoiceLine, billed};
pub use changes::{Change, changes};
pub use check::{Checked, Finding, Ordered, UNREADABLE_SOURCE, ordered};
pub use connection::{Connection, connection};
pub use differences::{Difference, Differences, compare};
pub use error::AccountError;
pub use import::{Imported, import};
pub use infer::{Inferred, Proposal, accept, infer};
pub use observed::{Observed, ObservedField, observed};
pub use pull::{Pulled, pull};
pub use push::{Pushed, push};
pub use reconcile::{Counted, Discrepancy, Reconcile, Reconciliation, Tally};
pub use records::{FileSignal, FileSignals, read_file};
pub use remote::{Account, AccountPrice, AccountProduct, read};
pub use resend::{Resent, resend};
pub use seed::seed;
pub use sources::{Emission, Named, Place, Sources, Unreadable, sources_below};
pub use unbilled::{Question, Reason, why_unbilled};
