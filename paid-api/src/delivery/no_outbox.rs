//! In the place of the outbox when feature `outbox` is off: there is none.

use tokio::sync::oneshot;

use super::chunk::Record;
use super::courier::Rejected;

/// Never there.
#[derive(Clone, Copy)]
pub(super) enum Outbox {}

pub(super) struct Frame {
    pub(super) number: u64,
    pub(super) since: u64,
    pub(super) records: Vec<Record>,
    pub(super) lost: u32,
}

#[allow(dead_code)]
pub(super) enum News {
    Stored(Vec<u64>),
    Loaded { frames: Vec<Frame>, next: u64 },
    Lost(u64),
    Buried(u64),
    Failing(String),
    Working,
}

impl Outbox {
    pub(super) fn add(self, _: u64, _: u64, _: Vec<Record>) {
        match self {}
    }

    pub(super) fn hurry(self) {
        match self {}
    }

    pub(super) fn done(self, _: u64) {
        match self {}
    }

    pub(super) fn bury(self, _: Vec<Rejected>) {
        match self {}
    }

    pub(super) fn load(self, _: u64, _: u64, _: usize, _: usize) {
        match self {}
    }

    pub(super) fn end(self) -> oneshot::Receiver<()> {
        match self {}
    }
}
