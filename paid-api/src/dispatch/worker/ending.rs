//! The end of delivery: what is on disk stays in the outbox, everything else is lost, and both are said.

use super::Worker;
use crate::dispatch::cargo::Cargo;
use crate::dispatch::courier::lose;
use crate::dispatch::disk::Ended;
use crate::dispatch::record::Item;
use crate::report::{DeliveryError, log};

impl<C: Cargo> Worker<C> {
    /// Leaves undelivered records in the outbox; without one, reports them as lost.
    pub(super) async fn wind_up(mut self) {
        while self.take() {}
        // Couriers notice the end themselves.
        while self.requests > 0
            && let Some(event) = self.events.recv().await
        {
            self.hear(event);
        }
        let aside = self.take_aside();
        self.show_aside();
        match self.disk.take() {
            Some(disk) => {
                // If its thread is gone, nobody knows what is there.
                let ended = disk.end().await.unwrap_or_default();
                // It may have read more in the meantime.
                while let Ok(event) = self.events.try_recv() {
                    self.hear(event);
                }
                let left = self.take_left(aside);
                self.leave(left, &ended);
            }
            None => {
                let left = self.take_left(aside);
                if !left.is_empty() {
                    lose(&self.shared, left, None);
                }
            }
        }
        self.queue.end();
        self.publish();
    }

    /// What is in memory and not delivered.
    fn take_left(&mut self, mut left: Vec<Item>) -> Vec<Item> {
        left.append(&mut self.lanes.drain());
        left.append(&mut self.left);
        left
    }

    /// What the disk has stays there. What it could not write is lost.
    fn leave(&mut self, left: Vec<Item>, ended: &Ended) {
        let (kept, lost): (Vec<_>, Vec<_>) = left.into_iter().partition(|item| ended.has(item.chunk));
        if !lost.is_empty() {
            lose(&self.shared, lost, None);
        }
        let (kept_spilled, lost_spilled): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.spilled).into_iter().partition(|(chunk, _)| ended.has(*chunk));
        let lost: usize = lost_spilled.iter().map(|(_, spilled)| spilled.records).sum();
        if lost > 0 {
            let failure = DeliveryError::not_delivered(C::KIND, lost, None);
            self.shared.counts.dropped.add(lost as u64);
            self.shared.lost_at_end.add(lost as u64);
            self.shared.counts.spilled.subtract(lost as u64);
            self.shared.reporter.report(&failure);
            for receipt in lost_spilled.into_iter().flat_map(|(_, spilled)| spilled.receipts.into_values()) {
                receipt.send(Err(failure.clone()));
            }
        }
        let records = usize::try_from(self.shared.counts.read().queued()).unwrap_or(usize::MAX);
        if records > 0 {
            log(&format_args!(
                "{} stayed in the outbox and will be sent when it is opened again",
                C::KIND.counted(records)
            ));
        }
        let spilled = kept_spilled.into_iter().flat_map(|(_, spilled)| spilled.receipts.into_values());
        for receipt in kept.into_iter().filter_map(|item| item.receipt).chain(spilled) {
            receipt.send(Err(DeliveryError::InOutbox { kind: C::KIND, records }));
        }
    }
}
