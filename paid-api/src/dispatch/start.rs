//! The start of dispatch's threads.

use std::sync::{Arc, mpsc};

use tokio::sync::{mpsc as events, watch};

use super::cargo::Cargo;
use super::courier::CourierPolicy;
use super::disk::{DiskNews, DiskSettings, OpenedDisk};
use super::end;
use super::queue::Queue;
use super::settings::DispatchSettings;
use super::shared::DispatchShared;
use super::sink::Sink;
use super::worker::{Pace, Worker};
use super::{Dispatch, DispatchInner};
use crate::error::ConfigError;
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
        let opened = disk.open.map(|open| open(disk, DiskNews::new(tell_event.clone()))).transpose()?;
        let has_disk = opened.is_some();
        let (pace, policy) = (pace(&settings, disk, has_disk), policy::<C>(&settings, has_disk));
        let shared = Arc::new(DispatchShared::new(C::KIND, settings.reporter.with_own_thread()));
        let queue = Queue::new(settings.queue, settings.overflow, pace.batch, has_disk, tell_event.clone());
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
        let thread = start_worker(settings.thread, worker)?;
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
    let linger = settings.linger.min(end::LONGEST);
    let take_in = if has_disk { disk.fsync.pace().min(linger) } else { linger };
    Pace { batch: settings.batch, linger, in_flight: settings.in_flight, take_in, window: settings.window() }
}

fn policy<C: Cargo>(settings: &DispatchSettings, has_disk: bool) -> CourierPolicy {
    CourierPolicy {
        kind: C::KIND,
        backoff: settings.backoff,
        longest_asked: settings.longest_asked,
        partial: settings.partial,
        has_disk,
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

/// How long the end waits for hooks when its time is over.
const MOMENT: std::time::Duration = std::time::Duration::from_millis(200);

struct Thread {
    runtime: tokio::runtime::Handle,
    done: mpsc::Receiver<()>,
    ended: watch::Receiver<bool>,
}

/// Creates the runtime on its own thread: if that failed inside another runtime, it could not be dropped there.
fn start_worker<C: Cargo>(name: &str, worker: Worker<C>) -> Result<Thread, ConfigError> {
    let (tell_done, done) = mpsc::channel();
    let (tell_ended, ended) = watch::channel(false);
    let (hand_over, handle) = mpsc::channel();
    let work = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(hand_over.send(Err(error))),
        };
        let _ = hand_over.send(Ok(runtime.handle().clone()));
        let (shared, end) = (Arc::clone(&worker.shared), worker.end.clone());
        runtime.block_on(worker.run());
        // Hooks hear of what is lost at the end, too, if they are quick.
        let moment = std::time::Instant::now() + MOMENT;
        let end = *end.borrow();
        shared.reporter.finish(end.map_or(moment, |end| end.into_std().max(moment)));
        let _ = tell_done.send(());
        tell_ended.send_replace(true);
    };
    std::thread::Builder::new().name(name.into()).spawn(work).map_err(|error| cannot_start(name, error))?;
    match handle.recv() {
        Ok(Ok(runtime)) => Ok(Thread { runtime, done, ended }),
        Ok(Err(error)) => Err(cannot_start(name, error)),
        Err(error) => Err(cannot_start(name, error)),
    }
}
