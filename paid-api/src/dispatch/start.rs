//! The start of dispatch's threads.

use std::sync::{Arc, mpsc};

use tokio::sync::mpsc as events;

use super::cargo::Cargo;
use super::closing::Closing;
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
        let shared = Arc::new(DispatchShared::new(C::KIND, settings.reporter));
        let queue = Queue::new(settings.queue, settings.overflow, pace.batch, has_disk, tell_event.clone());
        let queue = Arc::new(queue);
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
        start_worker(settings.thread, worker, Arc::clone(&closing))?;
        let inner = DispatchInner { queue, shared, has_disk, closing };
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

/// Creates the runtime on its own thread: if that failed inside another runtime, it could not be dropped there.
fn start_worker<C: Cargo>(name: &str, worker: Worker<C>, closing: Arc<Closing<C>>) -> Result<(), ConfigError> {
    let (tell, told) = mpsc::channel();
    let work = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(tell.send(Err(error))),
        };
        // Dropped before the runtime, which may have to wait for a blocking task.
        let running = closing.run();
        let _ = tell.send(Ok(()));
        runtime.block_on(worker.run());
        drop(running);
    };
    std::thread::Builder::new().name(name.into()).spawn(work).map_err(|error| cannot_start(name, error))?;
    match told.recv() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(cannot_start(name, error)),
        Err(error) => Err(cannot_start(name, error)),
    }
}
