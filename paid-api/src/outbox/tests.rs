//! The outbox without dispatch, in virtual time: damaged files, full disks, and a file of dead letters that cannot be
//! written.

mod damage;
mod failing;
mod rig;
