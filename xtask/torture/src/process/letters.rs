//! Dead letters that are sent again or discarded while the process runs.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use paid::fuzzing::simulation::{self, Folder};
use paid::outbox::Resubmitted;
use tokio::time::Instant;

use super::Process;
use super::deeds::SLACK;
use super::line::Line;
use crate::server::number_of;

impl Process {
    fn folder(&self) -> Option<Arc<dyn Folder>> {
        self.setup.outbox?;
        (self.disk.folder())().ok()
    }

    pub(super) fn resubmit(&self, within: Duration) {
        let (Some(emitter), Some(folder)) = (self.emitter(), self.folder()) else { return };
        let resubmission = match &emitter {
            Line::Signals(emitter) => simulation::resubmit(emitter, folder),
            Line::Costs(emitter) => emitter.resubmit(),
            Line::Spans(_) => return,
        };
        self.paid.allow(&self.letters());
        self.model.resubmits();
        let waits = self.model.open_apart("a resubmission".to_owned());
        let process = self.clone();
        let begun = Instant::now();
        self.spawn(async move {
            let outcome = resubmission.timeout(within).await;
            drop(emitter);
            if !process.world.is_dead() {
                let took = begun.elapsed();
                process
                    .model
                    .claim("a resubmission ends in time", took <= within + SLACK, || format!("it took {took:?}"));
                process.resubmitted(&outcome);
            }
            process.model.close(waits);
        });
    }

    fn resubmitted(&self, outcome: &io::Result<Resubmitted>) {
        self.world.note(0x84_0000, || format!("resubmitted: {outcome:?}"));
        let Ok(outcome) = outcome else { return };
        let letters = self.letters();
        let refused = outcome.refused.iter().map(|(letter, _)| letter);
        for letter in refused.chain(&outcome.unanswered) {
            let number = number_of(&letter.key);
            let holds = letters.contains(&number) || self.model.is_discarded(number) || self.paid.has(number);
            let holds = holds || self.paid.has_lied(number) || self.model.is_damaged();
            self.model.claim("what is not resubmitted stays a dead letter", holds, || format!("signal {number}"));
        }
    }

    /// Discards the dead letters whose number leaves this rest.
    pub(super) fn discard(&self, rest: u32) {
        let Some(folder) = self.folder() else { return };
        let before = self.letters();
        let chosen: BTreeSet<u32> = before.iter().copied().filter(|number| number % 3 == rest).collect();
        self.model.discard(&chosen);
        let Ok(read) = simulation::letters(&*folder) else { return };
        let keys =
            read.letters.into_iter().map(|letter| letter.key).filter(|key| chosen.contains(&number_of(key))).collect();
        let discarded = simulation::discard(&*folder, &keys);
        self.world.note(0x85_0000 + chosen.len() as u64, || format!("discarded: {discarded:?}"));
        if discarded.is_ok() && !self.model.is_damaged() && !self.world.is_dead() {
            let after = self.letters();
            let holds = after.iter().all(|letter| !chosen.contains(letter));
            self.model.claim("what is discarded is no dead letter", holds, || format!("{chosen:?} of {after:?}"));
            let holds = before.difference(&chosen).all(|letter| after.contains(letter));
            self.model.claim("what is not discarded stays a dead letter", holds, || format!("{before:?}, {after:?}"));
        }
    }
}
