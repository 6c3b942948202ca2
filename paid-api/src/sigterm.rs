//! The end of the process: runs some last work on SIGTERM or SIGINT, then ends the process as it would have ended.
//! Feature `sigterm`. Does not know the work.

use crate::error::ConfigError;

/// Runs `last` when the process receives SIGTERM or SIGINT, and then lets the signal end the process.
pub(crate) fn on_sigterm(last: impl AsyncFnOnce() + Send + 'static) -> Result<(), ConfigError> {
    let (ready, is_ready) = std::sync::mpsc::channel();
    std::thread::Builder::new()
        .name("paid-sigterm".into())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error))),
            };
            runtime.block_on(async {
                let mut told = match Told::listen() {
                    Ok(told) => told,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                let _ = ready.send(Ok(()));
                let signal = told.wait().await;
                last().await;
                end_by(signal);
            });
        })
        .map_err(|error| ConfigError::new(format!("cannot start a thread for signals: {error}")))?;
    match is_ready.recv() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(ConfigError::new(format!("cannot listen for signals: {error}"))),
        Err(error) => Err(ConfigError::new(format!("cannot listen for signals: {error}"))),
    }
}

#[cfg(unix)]
struct Told {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Told {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for a signal and returns its number.
    async fn wait(&mut self) -> i32 {
        std::future::poll_fn(|context| {
            if self.terminate.poll_recv(context).is_ready() {
                return std::task::Poll::Ready(signal_hook::consts::SIGTERM);
            }
            self.interrupt.poll_recv(context).map(|_| signal_hook::consts::SIGINT)
        })
        .await
    }
}

/// Ends the process as it would have ended without a handler.
#[cfg(unix)]
fn end_by(signal: i32) {
    if signal_hook::low_level::emulate_default_handler(signal).is_err() {
        std::process::exit(128 + signal);
    }
}

#[cfg(not(unix))]
struct Told;

#[cfg(not(unix))]
impl Told {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn wait(&mut self) -> i32 {
        let _ = tokio::signal::ctrl_c().await;
        2
    }
}

#[cfg(not(unix))]
fn end_by(signal: i32) {
    std::process::exit(128 + signal);
}
