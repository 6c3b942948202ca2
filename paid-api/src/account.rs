//! The account against the catalogue: what is sold, what the program sends, and what was billed. Feature `account`.
//!
//! `signals.toml` says which signals a program sends and, if you want, the products and prices that bill them. These functions
//! compare it with the account: [`pull`] takes the account's prices into the file, [`compare`] shows where the account differs,
//! and [`push`] makes the account what the file says. `cargo paid` is a program around them.

mod amounts;
mod changes;
mod check;
mod differences;
mod error;
mod infer;
mod observed;
mod prices;
mod pull;
mod push;
mod remote;
mod sources;

pub use changes::{Change, changes};
pub use check::{Checked, Finding, Ordered, UNREADABLE_SOURCE, ordered};
pub use differences::{Difference, Differences, compare};
pub use error::AccountError;
pub use infer::{Inferred, Proposal, accept, infer};
pub use observed::{Observed, ObservedField, observed};
pub use pull::{Pulled, pull};
pub use push::{Pushed, push};
pub use remote::{Account, AccountPrice, AccountProduct, read};
pub use sources::{Emission, Named, Place, Sources, Unreadable, sources_below};
