//! Where background work runs, and what time it is: this machine, or a simulation of one.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::ending::Done;

/// Work in the background. It ends by itself.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where background work runs, and what time it is.
pub trait Host: fmt::Debug + Send + Sync {
    /// The time of day. It may be set back or forth at any moment.
    fn now(&self) -> SystemTime;

    /// Runs work on a thread of its own, and returns the runtime that it runs on.
    ///
    /// # Errors
    ///
    /// If no thread or no runtime can be started.
    fn start(&self, thread: &str, work: Work) -> io::Result<Handle>;

    /// The time on the clock of the work. A caller may be in a runtime whose clock is paused.
    fn instant(&self) -> Instant {
        Instant::from_std(std::time::Instant::now())
    }

    /// Completes after this time. A thread measures it: the work may be stuck in a hook or a sink, and the caller's runtime
    /// may have no clock, or a paused one.
    fn alarm(&self, time: Duration) -> Work {
        let (ring, rung) = oneshot::channel::<()>();
        let alarm = Alarm(Arc::default());
        let off = Arc::clone(&alarm.0);
        let measure = move || {
            off.wait(time);
            drop(ring);
        };
        // If there can be no thread, the time is over at once.
        let _ = std::thread::Builder::new().name("paid-alarm".into()).spawn(measure);
        Box::pin(async move {
            let _alarm = alarm;
            let _ = rung.await;
        })
    }

    /// Whether a caller may block its thread until the background has made progress. In a simulation, both are the same
    /// thread.
    fn may_block(&self) -> bool {
        true
    }
}

/// Ends the thread of an alarm when it is dropped.
struct Alarm(Arc<Done>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.tell();
    }
}

/// This machine.
#[derive(Debug)]
pub(crate) struct Machine;

impl Host for Machine {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Creates the runtime on its own thread: if that failed inside another runtime, it could not be dropped there.
    fn start(&self, thread: &str, work: Work) -> io::Result<Handle> {
        let (hand_over, handle) = std::sync::mpsc::channel();
        let run = move || match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                let _ = hand_over.send(Ok(runtime.handle().clone()));
                runtime.block_on(work);
            }
            Err(error) => drop(hand_over.send(Err(error))),
        };
        std::thread::Builder::new().name(thread.to_owned()).spawn(run)?;
        handle.recv().map_err(|_| io::Error::other("the thread ended at once"))?
    }
}

/// Milliseconds since 1970.
pub(crate) fn ms(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
