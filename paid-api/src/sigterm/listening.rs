//! The thread that waits for the operating system's signals: one for the process, however many parts ask for it.

use std::sync::{Mutex, PoisonError, mpsc};

use crate::ending::{self, Cause, MOMENT};
use crate::error::ConfigError;

static LISTENS: Mutex<bool> = Mutex::new(false);

/// From now on, SIGTERM and SIGINT first end everything that delivers, and then the process.
pub(super) fn listen() -> Result<(), ConfigError> {
    let mut listens = LISTENS.lock().unwrap_or_else(PoisonError::into_inner);
    if !*listens {
        start()?;
        *listens = true;
    }
    Ok(())
}

fn start() -> Result<(), ConfigError> {
    let (tell, told) = mpsc::channel();
    let thread = std::thread::Builder::new().name("paid-sigterm".into());
    thread
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let heard = runtime.and_then(|runtime| {
                runtime.block_on(async {
                    let mut ear = Ear::open()?;
                    let _ = tell.send(Ok(()));
                    Ok(ear.hear().await)
                })
            });
            match heard {
                Ok(signal) => end_by(signal),
                Err(error) => drop(tell.send(Err(error))),
            }
        })
        .map_err(|error| ConfigError::new(format!("cannot start a thread for signals: {error}")))?;
    match told.recv() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(ConfigError::new(format!("cannot listen for signals: {error}"))),
        Err(error) => Err(ConfigError::new(format!("cannot listen for signals: {error}"))),
    }
}

/// Ends everything that delivers, and then the process. A further signal finds nobody who listens, and changes nothing.
fn end_by(signal: i32) {
    ending::end_all(Cause::Signal);
    if ending::exits() {
        // `main` has returned meanwhile, perhaps because of a handler of its own: it ends the process with its status.
        std::thread::sleep(MOMENT);
    }
    end_as_without_a_handler(signal);
}

#[cfg(unix)]
struct Ear {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Ear {
    fn open() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for a signal and returns its number.
    async fn hear(&mut self) -> i32 {
        std::future::poll_fn(|context| {
            if self.terminate.poll_recv(context).is_ready() {
                return std::task::Poll::Ready(signal_hook::consts::SIGTERM);
            }
            self.interrupt.poll_recv(context).map(|_| signal_hook::consts::SIGINT)
        })
        .await
    }
}

#[cfg(unix)]
fn end_as_without_a_handler(signal: i32) {
    if signal_hook::low_level::emulate_default_handler(signal).is_err() {
        std::process::exit(128 + signal);
    }
}

#[cfg(not(unix))]
struct Ear;

#[cfg(not(unix))]
impl Ear {
    fn open() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn hear(&mut self) -> i32 {
        let _ = tokio::signal::ctrl_c().await;
        2
    }
}

#[cfg(not(unix))]
fn end_as_without_a_handler(signal: i32) {
    std::process::exit(128 + signal);
}
