//! Annotated functions and derived structs: what is emitted, when, and for whom.
#![allow(clippy::unwrap_used, missing_docs)]

mod blocks;
mod derived;
mod drops;
mod functions;
mod hygiene;
mod outcome_table;
mod outcomes;
mod payloads;
mod scopes;
mod streams;
mod uninstalled;
mod units;
