//! An emitter, set up as the story says.

use std::sync::Arc;
use std::time::Duration;

use paid::fuzzing::simulation::{self, Traces};
use paid::outbox::Fsync;

use super::Process;
use super::line::Line;
use crate::host::SimulatedHost;
use crate::story::{Kind, Overflow, Sync};

/// What all kinds of emitters have.
macro_rules! set_up {
    ($process:expr, $builder:expr) => {{
        let setup = &$process.setup;
        let ms = |ms: u32| Duration::from_millis(u64::from(ms));
        let process = $process.clone();
        $builder
            .queue(setup.queue)
            .queue_bytes(setup.queue_bytes)
            .overflow(match setup.overflow {
                Overflow::Reject => paid::Overflow::Reject,
                Overflow::Wait => paid::Overflow::Wait,
                Overflow::DropOldest => paid::Overflow::DropOldest,
            })
            .max_batch(setup.batch)
            .max_bytes(setup.batch_bytes)
            .linger(ms(setup.linger))
            .retry_delays(ms(setup.retry.0), ms(setup.retry.1))
            .patience(ms(setup.patience))
            .on_error(move |failure| process.hook(failure))
    }};
}

impl Process {
    fn fsync(&self) -> Fsync {
        match self.setup.outbox {
            Some(Sync::EveryCommit) => Fsync::EveryCommit,
            Some(Sync::Never) => Fsync::Never,
            Some(Sync::Every(pace)) => Fsync::Every(Duration::from_millis(u64::from(pace))),
            None => Fsync::default(),
        }
    }

    pub(super) fn build(&self, must: bool) {
        let host = SimulatedHost::new(self.world.clone(), self.interruptions());
        let folder = self.setup.outbox.map(|_| self.disk.folder());
        let (in_flight, fsync) = (self.setup.in_flight, self.fsync());
        let built = match self.setup.kind {
            Kind::Costs => {
                let builder = simulation::costs(self.paid.clone(), host, folder);
                let builder = set_up!(self, builder).resend_uncertain(self.setup.resends);
                builder.in_flight(in_flight).fsync(fsync).build().map(Line::Costs)
            }
            Kind::Signals | Kind::Messages => {
                let builder = simulation::emitter(self.paid.clone(), host).keep_order(self.setup.keeps_order);
                let builder = match folder {
                    Some(folder) => simulation::outbox(builder, folder),
                    None => builder,
                };
                set_up!(self, builder).in_flight(in_flight).fsync(fsync).build().map(Line::Signals)
            }
            Kind::Spans => {
                let builder = set_up!(self, Traces::builder(host));
                Traces::start(builder, self.paid.clone()).map(|traces| Line::Spans(Arc::new(traces)))
            }
        };
        match built {
            Ok(emitter) => drop(self.put(Some(emitter))),
            Err(error) => {
                self.world.note(0x2000, || format!("the emitter cannot be built: {error}"));
                let may_fail = !must || self.model.is_damaged();
                self.model.claim("an emitter can be built", may_fail, || error.to_string());
            }
        }
    }
}
