//! The end of one dispatch, whoever asks for it: a shutdown, the last handle, or the end of the process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::cargo::Cargo;
use super::end::{self, EndTime};
use super::queue::Queue;
use super::shared::DispatchShared;
use super::told;
use crate::duration;
use crate::ending::{self, Cause, Done, LONGEST, Listed, MOMENT, Part, Seat};
use crate::report::{DeliveryError, log};

/// Waits that take longer than this are logged.
const SILENT: Duration = Duration::from_secs(15);

/// Held by the handles of a dispatch, by its thread, and by the list of what is ended with the process.
pub(super) struct Closing<C: Cargo> {
    queue: Arc<Queue<C>>,
    shared: Arc<DispatchShared>,
    end: told::Sender<Option<tokio::time::Instant>>,
    patience: Duration,
    /// The time that was named for the end by a signal of the operating system.
    on_signal: Mutex<Option<Duration>>,
    has_disk: bool,
    process: u32,
    seat: Seat,
    done: Done,
    ended: told::Sender<bool>,
}

/// Says that the thread has ended when it is dropped, even by a panic.
pub(super) struct Running<C: Cargo> {
    closing: Arc<Closing<C>>,
    _listed: Listed,
}

impl<C: Cargo> Closing<C> {
    pub(super) fn new(
        queue: Arc<Queue<C>>,
        shared: Arc<DispatchShared>,
        patience: Duration,
        has_disk: bool,
    ) -> (Self, EndTime) {
        let (end, ending) = told::channel(None);
        let closing = Self {
            queue,
            shared,
            end,
            patience,
            on_signal: Mutex::new(None),
            has_disk,
            process: std::process::id(),
            seat: Seat::new(),
            done: Done::default(),
            ended: told::channel(false).0,
        };
        (closing, ending)
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// To be called on the thread.
    pub(super) fn run(self: &Arc<Self>) -> Running<C> {
        let part = Arc::clone(self) as Arc<dyn Part>;
        Running { closing: Arc::clone(self), _listed: ending::list(&self.seat, part) }
    }

    pub(super) fn name_time_on_signal(&self, time: Duration) {
        *self.on_signal.lock().unwrap_or_else(PoisonError::into_inner) = Some(time);
    }

    /// Completes when the thread has ended.
    pub(super) async fn ended(&self) -> bool {
        let mut ended = self.ended.receiver();
        ended.wait_for(|ended| *ended).await.is_ok()
    }

    /// Ends the thread within its patience, and waits for it. On the thread itself, it only begins the end.
    pub(super) fn end_within_patience(&self) {
        self.close(self.patience);
        if self.wait_elsewhere() {
            return;
        }
        let left = self.left();
        if left > 0 {
            let limit = self.patience.saturating_add(MOMENT);
            log(&format_args!("the last handle is gone: {} not delivered after {limit:?}", C::KIND.counted(left)));
        }
    }

    /// Waits for the thread until its end, unless this is that thread. Returns false if it did not end in time.
    pub(super) fn wait_elsewhere(&self) -> bool {
        !self.shared.host.may_block() || self.seat.is_here() || self.wait()
    }

    fn left(&self) -> u64 {
        self.shared.counts.read().queued()
    }

    /// The time until the thread must have ended.
    fn time_left(&self) -> Duration {
        let now = self.shared.host.instant();
        self.end.borrow().map_or(MOMENT, |end| (end + MOMENT).saturating_duration_since(now))
    }
}

impl<C: Cargo> Part for Closing<C> {
    fn time(&self, cause: Cause) -> Duration {
        let named = *self.on_signal.lock().unwrap_or_else(PoisonError::into_inner);
        named.filter(|_| cause == Cause::Signal).unwrap_or_else(|| self.patience.min(LONGEST)).min(duration::LONGEST)
    }

    fn close(&self, time: Duration) {
        // First, so that nothing is accepted after the thread has taken what it will ever take.
        self.queue.shut();
        self.shared.reporter.ends();
        let end = end::after(&*self.shared.host, time);
        self.end.send_if_modified(|before| {
            let is_sooner = before.is_none_or(|before| end < before);
            if is_sooner {
                *before = Some(end);
            }
            is_sooner
        });
        self.queue.close();
    }

    fn wait(&self) -> bool {
        // After a fork there is no such thread.
        if self.process != std::process::id() || self.done.wait(self.time_left().min(SILENT)) {
            return true;
        }
        let time = self.time_left();
        if time.is_zero() {
            return false;
        }
        let left = C::KIND.counted(self.left());
        log(&format_args!("{left} not delivered yet: waiting for up to {} seconds more", time.as_secs()));
        self.done.wait(time)
    }

    fn report_rest(&self) {
        let left = self.left();
        if left == 0 {
            return;
        }
        let kind = C::KIND;
        let failure = if self.has_disk {
            let problem = format!(
                "the process ended before {} were delivered; those on disk will be sent when it is opened again",
                kind.counted(left)
            );
            DeliveryError::Outbox { kind, problem }
        } else {
            let records = usize::try_from(left).unwrap_or(usize::MAX);
            DeliveryError::not_delivered(kind, records, None)
        };
        self.shared.reporter.report(&failure);
    }
}

impl<C: Cargo> Drop for Running<C> {
    fn drop(&mut self) {
        self.closing.done.tell();
        self.closing.ended.send_replace(true);
    }
}
