//! Cost records and crashes: whatever is killed, damaged or lost, no record is sent twice, and none disappears in silence.
//!
//! A test copies the outbox of a running emitter, which is what a killed process leaves, or runs itself again as a process to
//! be killed. `PAID_KILLS=1000` is the long version.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs)]

mod kills;
mod outages;
mod restarts;
mod rights;
mod server;
mod unwritable;
