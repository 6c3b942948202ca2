//! Where background work runs, and what time it is: this machine, or a simulation of one.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::time::SystemTime;

use tokio::runtime::{Builder, Handle};

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

    /// Whether a caller may block its thread until the background has made progress. In a simulation, both are the same
    /// thread.
    fn may_block(&self) -> bool {
        true
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
