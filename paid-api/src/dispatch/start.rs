//! The start of dispatch's threads.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, mpsc};

use futures_util::FutureExt;
use tokio::sync::mpsc as events;

use super::cargo::Cargo;
use super::courier::CourierPolicy;
use super::disk::{DiskNews, DiskSettings, OpenedDisk};
use super::end;
use super::host::Host;
use super::queue::Queue;
use super::settings::DispatchSettings;
use super::shared::DispatchShared;
use super::sink::Sink;
use super::told as watch;
use super::worker::{Pace, Worker};
use super::{Dispatch, DispatchInner};
use crate::error::{ConfigError, Error};
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
        let (tell_event, events) = events::unbounded_channel();
        let mut opened =
            disk.open.map(|open| open(disk, &settings.host, DiskNews::new(tell_event.clone()))).transpose()?;
        if let Some(outbox) = &mut opened {
            cargo.opened(outbox)?;
        }
        let has_disk = opened.is_some();
        let host = Arc::clone(&settings.host);
        let (pace, policy) = (pace(&settings, disk, has_disk), policy::<C>(&settings, has_disk));
        let shared = Arc::new(DispatchShared::new(C::KIND, settings.reporter, Arc::clone(&host)));
        let queue =
            Queue::new(settings.queue, settings.overflow, pace.batch, has_disk && host.may_block(), tell_event.clone());
        let queue = Arc::new(queue);
        let (end, ending) = watch::channel(None);
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
        let thread = start_worker(&*host, settings.thread, worker, has_disk)?;
        let inner = DispatchInner {
            queue,
            shared,
            end,
            runtime: thread.runtime,
            patience: settings.patience,
            has_disk,
            done: Some(thread.done).into(),
            ended: thread.ended,
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

fn pace(settings: &DispatchSettings, disk: &DiskSettings, has_disk: bool) -> Pace {
    let take_in = if has_disk { disk.fsync.pace().min(settings.linger) } else { settings.linger };
    Pace {
        batch: settings.batch,
        linger: settings.linger.min(end::LONGEST),
        in_flight: settings.in_flight,
        take_in,
        window: settings.window(),
    }
}

fn policy<C: Cargo>(settings: &DispatchSettings, has_disk: bool) -> CourierPolicy {
    CourierPolicy {
        kind: C::KIND,
        backoff: settings.backoff,
        longest_asked: settings.longest_asked,
        partial: settings.partial,
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
    worker.with_disk(opened.disk, opened.first, opened.next, opened.records)
}

struct Thread {
    runtime: tokio::runtime::Handle,
    done: mpsc::Receiver<()>,
    ended: watch::Receiver<bool>,
}

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
        let panicked = has_panicked.then(|| Arc::new(Error::unavailable("the thread that delivers has panicked")));
        let records = usize::try_from(lost).unwrap_or(usize::MAX);
        let failure = DeliveryError::NotDelivered { kind: C::KIND, records, error: panicked };
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
    has_disk: bool,
) -> Result<Thread, ConfigError> {
    let (tell_done, done) = mpsc::channel();
    let (tell_ended, ended) = watch::channel(false);
    let last = LastWord { queue: Arc::clone(&worker.queue), shared: Arc::clone(&worker.shared), has_disk };
    let work = async move {
        let outcome = AssertUnwindSafe(worker.run()).catch_unwind().await;
        last.say(outcome.is_err());
        let _ = tell_done.send(());
        tell_ended.send_replace(true);
    };
    let runtime = host.start(name, Box::pin(work)).map_err(|error| cannot_start(name, error))?;
    Ok(Thread { runtime, done, ended })
}
