//! What the log says: every failure is in it once, by itself or in a number.

use std::collections::BTreeMap;

use paid::DeliveryError;

use super::Model;
use crate::observe;
use crate::story::{Hook, Overflow};

/// The failures of a process, and where its lines begin.
#[derive(Default)]
pub(super) struct Heard {
    from: usize,
    /// How many records each text is about.
    texts: BTreeMap<String, u64>,
    records: u64,
    /// The names of spans that no hook was told of.
    missed: Vec<String>,
}

impl Heard {
    /// A process starts.
    pub(super) fn begin() -> Self {
        Self { from: observe::lines(), ..Self::default() }
    }

    pub(super) fn hear(&mut self, failure: &DeliveryError) {
        let records = match failure {
            DeliveryError::NotDelivered { records, .. } | DeliveryError::InOutbox { records, .. } => *records as u64,
            DeliveryError::PartlyRefused { failed, .. } => *failed,
            _ => 1,
        };
        self.texts.insert(failure.to_string(), records);
        self.records += records;
    }

    /// A span was not accepted, and no hook hears of it.
    pub(super) fn miss(&mut self, span: u32) {
        self.missed.push(format!("`e{span}`"));
        self.records += 1;
    }

    /// How many records the log is about.
    fn logged(&self) -> u64 {
        observe::lines_from(self.from).iter().map(|line| self.records_in(line)).sum()
    }

    fn records_in(&self, line: &str) -> u64 {
        const MORE: &str = " more since this was last logged)";
        const REST: &str = " more not delivered since this was last logged";
        let number = |text: &str| text.parse::<u64>().ok();
        if let Some(rest) = line.strip_suffix(REST) {
            return rest.split(' ').next().and_then(number).unwrap_or_default();
        }
        let (text, more) = line
            .strip_suffix(MORE)
            .and_then(|line| line.rsplit_once(" (and "))
            .and_then(|(text, more)| Some((text, number(more)?)))
            .unwrap_or((line, 0));
        let is_missed = || self.missed.iter().any(|name| text.contains(name));
        match self.texts.get(text) {
            Some(records) => records + more,
            None => {
                if is_missed() {
                    1 + more
                } else {
                    0
                }
            }
        }
    }
}

impl Model {
    /// The handle is gone: nothing more will be logged.
    pub(crate) fn check_log(&self) {
        let state = self.lock();
        let (logged, heard) = (state.heard.logged(), state.heard.records);
        // The hook does not hear of what made way for its own, nor of dead letters that are refused again.
        let may_be_more =
            state.has_resubmitted || state.setup.hook == Hook::Emits && state.setup.overflow == Overflow::DropOldest;
        drop(state);
        let holds = logged == heard || (may_be_more && logged > heard);
        self.claim("each failure reaches the log once", holds, || format!("{logged} of {heard} records"));
    }
}
