//! What the program does in one step.

use std::time::Duration;

use paid::Receipt;
use paid::fuzzing::simulation;
use tokio::time::Instant;

use super::line::Line;
use super::{Process, cost, peek, signal};
use crate::server::key_of_cost;
use crate::story::{Action, Burst, DiskFault, How, Nature};
use crate::world::Moment;

/// How much later than promised something may end: work is interrupted.
pub(super) const SLACK: Duration = Duration::from_secs(3);

fn ms(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}

impl Process {
    pub(super) fn act(&self, action: &Action) {
        match action {
            Action::Emit(burst) if self.setup.is_of_messages() => self.publish(burst),
            Action::Emit(burst) => self.burst(burst),
            Action::Flush(within, given_up) => self.flush(ms(*within), ms(*given_up)),
            Action::Shutdown(within, given_up) => self.shutdown(ms(*within), ms(*given_up)),
            Action::Drop => {
                self.paid.ends();
                drop(self.put(None));
            }
            Action::Arm(kill) => self.world.arm(*kill),
            Action::Clock(ms) => self.world.jump(*ms),
            Action::Server(mode) => self.paid.set(*mode),
            Action::Disk(fault) => {
                if fault.is_damage() {
                    self.model.damage(*fault == DiskFault::Deleted);
                    self.paid.damage();
                }
                if !fault.is_of_letters() {
                    self.model.disk_fails();
                }
                self.disk.fault(*fault);
            }
            Action::Resubmit(within) => self.resubmit(ms(*within)),
            Action::Discard(rest) => self.discard(*rest),
            Action::Stop => self.stop(),
            Action::Forward => self.forward(),
            Action::Stream(fault) => self.stream.fault(*fault),
            Action::Beside(burst) => self.burst(burst),
            Action::Break => self.world.break_thread(true),
            Action::Start | Action::Wait => {}
        }
    }

    fn burst(&self, burst: &Burst) {
        for number in burst.first..burst.first + burst.count {
            self.emit(number, burst.customer, burst.nature, burst.size, burst.how);
        }
    }

    pub(super) fn emit(&self, number: u32, customer: u8, nature: Nature, size: usize, how: How) {
        let Some(emitter) = self.emitter() else { return };
        self.paid.expect(number, nature, customer);
        let is_at_once = self.setup.is_of_costs() || self.setup.is_of_spans() || matches!(how, How::Emit | How::Forget);
        self.model.emitted(number, (nature, size), is_at_once);
        let emitter = match emitter {
            Line::Signals(emitter) => emitter,
            Line::Costs(emitter) => {
                let Some(record) = cost(number, customer, size) else { return };
                return self.watch(number, simulation::record(&emitter, record, &key_of_cost(number)), How::Emit);
            }
            Line::Spans(traces) => {
                if traces.export(number, "x".repeat(size), nature == Nature::Signal) {
                    self.model.accepted(number, false);
                } else {
                    self.model.refused(number);
                }
                return;
            }
        };
        let signal = signal(number, customer, size);
        let process = self.clone();
        match how {
            How::Emit | How::Forget => self.watch(number, emitter.emit(signal), how),
            How::Send | How::SendFor(_) => {
                let waits = self.model.open(format!("the send of signal {number}"));
                let send = async move {
                    let outcome = emitter.send(signal).await;
                    process.model.said(number, &outcome);
                };
                self.give_up(send, how, waits);
            }
            How::Store | How::StoreFor(_) => {
                let waits = self.model.open(format!("the store of signal {number}"));
                let store = async move {
                    match emitter.store(signal).await {
                        Ok(receipt) => {
                            process.model.stored(number);
                            drop(emitter);
                            let waits = process.model.open(format!("the receipt of stored signal {number}"));
                            let own = process.clone();
                            process.spawn(async move {
                                let outcome = receipt.await;
                                own.model.said(number, &outcome);
                                own.model.close(waits);
                            });
                        }
                        Err(failure) => process.model.said(number, &Err(failure)),
                    }
                };
                self.give_up(store, how, waits);
            }
        }
    }

    /// Awaits the result of what was just emitted, unless it is known at once or nobody cares.
    fn watch(&self, number: u32, mut receipt: Receipt, how: How) {
        if let Some(outcome) = peek(&mut receipt) {
            return self.model.said(number, &outcome);
        }
        self.model.accepted(number, how != How::Forget);
        if how == How::Forget {
            return;
        }
        let waits = self.model.open(format!("the receipt of signal {number}"));
        let process = self.clone();
        self.spawn(async move {
            let outcome = receipt.await;
            process.model.said(number, &outcome);
            process.model.close(waits);
        });
    }

    /// Runs work until it is done, or the program no longer waits for it.
    fn give_up(&self, work: impl Future<Output = ()> + Send + 'static, how: How, waits: u64) {
        let process = self.clone();
        let limit = match how {
            How::SendFor(limit) | How::StoreFor(limit) => Some(ms(limit)),
            _ => None,
        };
        self.spawn(async move {
            match limit {
                Some(limit) => drop(tokio::time::timeout(limit, work).await),
                None => work.await,
            }
            process.model.close(waits);
        });
    }

    fn flush(&self, within: Duration, given_up: Duration) {
        let Some(emitter) = self.emitter() else { return };
        let signals = self.model.accepted_so_far();
        let waits = self.model.open("a flush".to_owned());
        let process = self.clone();
        let begun = Instant::now();
        self.spawn(async move {
            if let Ok(flushed) = tokio::time::timeout(given_up, emitter.flush(within)).await
                && !process.world.is_dead()
            {
                process.world.note(0x80_0000, || format!("flushed: {flushed:?}"));
                let took = begun.elapsed();
                process.model.claim("a flush ends in time", took <= within + SLACK, || format!("it took {took:?}"));
                if flushed.is_ok() {
                    process.model.flushed(&signals, &process.letters());
                }
                process.world.at(Moment::Flushed);
            }
            process.model.close(waits);
        });
    }

    fn shutdown(&self, within: Duration, given_up: Duration) {
        let Some(emitter) = self.emitter() else { return };
        self.paid.ends();
        self.must_end(within);
        let waits = self.model.open("a shutdown".to_owned());
        let process = self.clone();
        let begun = Instant::now();
        self.spawn(async move {
            if let Ok(ended) = tokio::time::timeout(given_up, emitter.shutdown(within)).await
                && !process.world.is_dead()
            {
                process.world.note(0x81_0000, || format!("shut down: {ended:?}"));
                let took = begun.elapsed();
                process.model.claim("a shutdown ends in time", took <= within + SLACK, || format!("it took {took:?}"));
                let stats = emitter.stats();
                let holds = ended.is_err() || stats.queued() == 0;
                process.model.claim("a shutdown that went well left nothing", holds, || format!("{stats:?}"));
            }
            process.model.close(waits);
        });
    }
}
