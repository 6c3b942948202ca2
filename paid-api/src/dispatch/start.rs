//! The start of dispatch's threads.

use std::sync::{Arc, mpsc};

use tokio::sync::mpsc as events;

use super::cargo::Cargo;
use super::closing::Closing;
use super::courier::CourierPolicy;
use super::disk::{DiskNews, DiskSettings, Fsync, OpenedDisk};
use super::host::Host;
use super::mode::Mode;
use super::queue::Queue;
use super::settings::DispatchSettings;
use super::shared::DispatchShared;
use super::sink::Sink;
use super::worker::{Pace, Worker};
use super::{Dispatch, DispatchInner};
use crate::duration::bounded;
use crate::ending;
use crate::error::{ConfigError, Error};
use crate::foreign;
use crate::report::DeliveryError;

impl<C: Cargo> Dispatch<C> {
    /// Opens the outbox, if one is set, and starts the threads.
    ///
    /// # Errors
    ///
    /// If no thread can be started, or the outbox cannot be used.
    pub(crate) fn start(
        cargo: C,
        sink: Arc<dyn Sink>,
        settings: DispatchSettings,
        disk: &DiskSettings,
    ) -> Result<Self, ConfigError> {
        let mode = settings.mode()?;
        mode.announce();
        let (sink, no_disk) = (mode.sink(sink), DiskSettings::none(C::KIND));
        let disk = if mode == Mode::Live { disk } else { &no_disk };
        let (tell_event, events) = events::unbounded_channel();
        let mut opened =
            disk.open.map(|open| open(disk, &settings.host, DiskNews::new(tell_event.clone()))).transpose()?;
        if let Some(outbox) = &mut opened {
            cargo.opened(outbox)?;
        }
        let has_disk = opened.is_some();
        let host = Arc::clone(&settings.host);
        let (pace, policy) = (pace(&settings, disk, has_disk), policy::<C>(&settings, has_disk, mode));
        let (reporter, delivered) = match host.may_block() {
            true => (settings.reporter.with_own_thread(), settings.delivered.with_own_thread()),
            false => (settings.reporter, settings.delivered),
        };
        let shared = DispatchShared::new(C::KIND, reporter, Arc::clone(&host)).with_delivered(delivered);
        let shared = Arc::new(shared);
        let queue =
            Queue::new(settings.queue, settings.overflow, pace.batch, has_disk && host.may_block(), tell_event.clone())
                .store_at_once(has_disk && disk.fsync.pace() > Fsync::default().pace());
        let (queue, sink_of_errands) = (Arc::new(queue), Arc::clone(&sink));
        let (closing, ending) = Closing::new(Arc::clone(&queue), Arc::clone(&shared), settings.patience, has_disk);
        let closing = Arc::new(closing);
        let worker = Worker::new(
            (cargo, sink),
            Arc::clone(&shared),
            (pace, policy),
            Arc::clone(&queue),
            ending,
            (tell_event, events),
        );
        let worker = match opened {
            Some(opened) => with_disk(worker, opened, &shared),
            None => worker,
        };
        start_worker(&*host, settings.thread, worker, Arc::clone(&closing))?;
        let inner = DispatchInner { sink: sink_of_errands, host, queue, shared, has_disk, mode, closing };
        Ok(Self { inner: Arc::new(inner) })
    }
}

fn pace(settings: &DispatchSettings, disk: &DiskSettings, has_disk: bool) -> Pace {
    let linger = bounded(settings.linger);
    let take_in = if has_disk { disk.fsync.pace().min(linger) } else { linger };
    Pace { batch: settings.batch, linger, in_flight: settings.in_flight, take_in, window: settings.window() }
}

fn policy<C: Cargo>(settings: &DispatchSettings, has_disk: bool, mode: Mode) -> CourierPolicy {
    CourierPolicy {
        kind: C::KIND,
        backoff: settings.backoff,
        longest_asked: settings.longest_asked,
        partial: settings.partial,
        mode,
        has_disk,
        keeps_order: settings.keeps_order,
    }
}

fn cannot_start(name: &str, error: impl std::fmt::Display) -> ConfigError {
    ConfigError::new(format!("cannot start the thread `{name}`: {error}"))
}

fn with_disk<C: Cargo>(worker: Worker<C>, opened: OpenedDisk, shared: &DispatchShared) -> Worker<C> {
    if let Some(problem) = opened.damage {
        shared.reporter.report(&DeliveryError::Outbox { kind: C::KIND, problem });
    }
    shared.counts.recovered.add(opened.lost);
    shared.counts.dropped.add(opened.lost);
    worker.with_disk(opened.disk, opened.first, opened.next, opened.records)
}

/// How long the end waits for hooks when its time is over.
const FOR_HOOKS: std::time::Duration = std::time::Duration::from_millis(200);

/// What is said when the thread has ended, however it did: nobody may wait for it any more.
struct LastWord<C: Cargo> {
    queue: Arc<Queue<C>>,
    shared: Arc<DispatchShared>,
    has_disk: bool,
}

impl<C: Cargo> LastWord<C> {
    fn say(self, has_panicked: bool) {
        let left = self.queue.abandon();
        let counts = &self.shared.counts;
        // Of those that a thread without an outbox had taken before it panicked, none is left.
        let lost = if has_panicked && !self.has_disk { counts.read().queued() } else { left.len() as u64 };
        counts.dropped.add(lost);
        if has_panicked {
            // Its requests and what it had set aside went with it.
            counts.in_flight.set(0);
            counts.set_aside.set(0);
        }
        if has_panicked && !self.has_disk {
            counts.oldest_since.set(0);
        }
        self.shared.lost_at_end.add(lost);
        let panicked = has_panicked.then(|| Arc::new(Error::unavailable("the thread that delivers has panicked")));
        let records = usize::try_from(lost).unwrap_or(usize::MAX);
        let failure = DeliveryError::not_delivered(C::KIND, records, panicked);
        if has_panicked && self.has_disk {
            let problem =
                "the thread that delivers has panicked; what is on disk is sent when it is opened again".into();
            self.shared.reporter.report(&DeliveryError::Outbox { kind: C::KIND, problem });
        }
        if lost > 0 {
            self.shared.reporter.report(&failure);
        }
        left.into_iter().for_each(|queued| queued.answer(Err(failure.clone())));
        self.shared.publish();
    }
}

fn start_worker<C: Cargo>(
    host: &dyn Host,
    name: &str,
    worker: Worker<C>,
    closing: Arc<Closing<C>>,
) -> Result<(), ConfigError> {
    let (tell, told) = mpsc::channel();
    let has_disk = worker.policy.has_disk;
    let last = LastWord { queue: Arc::clone(&worker.queue), shared: Arc::clone(&worker.shared), has_disk };
    let (shared, end_time) = (Arc::clone(&worker.shared), worker.end.clone());
    let work = async move {
        let running = closing.run();
        let _ = tell.send(());
        let outcome = foreign::outcome(worker.run()).await;
        last.say(outcome.is_err());
        shared.reporter.log_rest();
        // Hooks hear of what is lost at the end, too, if they are quick.
        let moment = std::time::Instant::now() + FOR_HOOKS;
        // If a hook ends the process, it does not come back.
        let end = end_time.borrow().filter(|_| !ending::exits());
        let until = end.map_or(moment, |end| end.into_std().max(moment));
        shared.reporter.finish(until);
        shared.delivered.finish(until);
        drop(running);
    };
    host.start(name, Box::pin(work)).map_err(|error| cannot_start(name, error))?;
    if host.may_block() {
        // From here on, the end of the process ends it, too.
        told.recv().map_err(|error| cannot_start(name, error))?;
    }
    Ok(())
}
