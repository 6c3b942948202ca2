//! Compares, again and again, what a program emitted with what Paid has.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::TimeDelta;

use super::error::AccountError;
use super::reconcile::{Reconcile, Reconciliation};
use super::resend::{Resent, resend};
use crate::outbox::entries;
use crate::{Client, Timestamp};

type Hook = Box<dyn FnMut(&Result<Audit, AccountError>) + Send>;

/// What one comparison of an [`Auditor`] found, and did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Audit {
    /// What was found.
    pub reconciliation: Reconciliation,
    /// What became of missing signals that were sent again; `None` if nothing was sent.
    pub resent: Option<Resent>,
}

/// Compares in the background what a program's [`Ledger`](crate::outbox::Ledger) says with what Paid has, and says in the log what is
/// missing. It has a thread of its own.
///
/// ```no_run
/// use paid::account::Auditor;
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auditor = Auditor::new(paid::Client::from_env()?, "/var/lib/agent/ledger")
///     .every(Duration::from_secs(3600))
///     .resend(true)
///     .start()?;
/// // ... as long as the program runs
/// drop(auditor);
/// # Ok(())
/// # }
/// ```
#[must_use = "an auditor does nothing until it is started"]
pub struct Auditor {
    client: Client,
    ledger: PathBuf,
    every: Duration,
    window: Duration,
    settled: Duration,
    resends: bool,
    hook: Option<Hook>,
}

impl Auditor {
    /// An auditor of a ledger. It compares every hour what was sent in the last day.
    pub fn new(client: Client, ledger: impl Into<PathBuf>) -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        Self {
            client,
            ledger: ledger.into(),
            every: hours(1),
            window: hours(24),
            settled: Duration::from_secs(600),
            resends: false,
            hook: None,
        }
    }

    /// Sets how long it waits between two comparisons.
    pub fn every(mut self, time: Duration) -> Self {
        self.every = time;
        self
    }

    /// Sets how far back it looks.
    pub fn window(mut self, time: Duration) -> Self {
        self.window = time;
        self
    }

    /// Sets how long a signal may take to appear in Paid's list, see [`Reconcile::settled`].
    pub fn settled(mut self, time: Duration) -> Self {
        self.settled = time;
        self
    }

    /// Sets whether what is missing for certain is sent again, with the keys that it had; it is not by default.
    pub fn resend(mut self, resends: bool) -> Self {
        self.resends = resends;
        self
    }

    /// Sets what is called after each comparison.
    pub fn on_audit(mut self, hook: impl FnMut(&Result<Audit, AccountError>) + Send + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// Starts it. The first comparison is made at once.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn start(self) -> io::Result<RunningAuditor> {
        let (stop, stopped) = channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("paid-auditor".to_owned());
        let thread = thread.spawn(move || self.run(&runtime, &stopped))?;
        Ok(RunningAuditor { stop: Some(stop), thread: Some(thread) })
    }

    fn run(mut self, runtime: &tokio::runtime::Runtime, stopped: &Receiver<()>) {
        loop {
            let audit = runtime.block_on(self.audit());
            tell(&audit);
            if let Some(hook) = &mut self.hook {
                hook(&audit);
            }
            match stopped.recv_timeout(self.every) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    async fn audit(&self) -> Result<Audit, AccountError> {
        let read = || entries(&self.ledger).map_err(AccountError::Emitted);
        let from = TimeDelta::from_std(self.window).ok().and_then(|window| Timestamp::now().checked_sub_signed(window));
        let mut reconcile = Reconcile::new(self.client.clone()).settled(self.settled);
        if let Some(from) = from {
            reconcile = reconcile.from(from.into());
        }
        let mut all = read()?;
        let mut reconciliation = reconcile.run(all.by_ref(), |_, _| {}).await?;
        reconciliation.not_known = all.missing() + all.unreadable();
        let resent = match self.resends && !reconciliation.missing.is_empty() {
            true => Some(resend(&self.client, read()?, &reconciliation.missing).await?),
            false => None,
        };
        Ok(Audit { reconciliation, resent })
    }
}

fn tell(audit: &Result<Audit, AccountError>) {
    match audit {
        Err(error) => tracing::warn!(%error, "what was emitted could not be compared with what Paid has"),
        Ok(Audit { reconciliation, resent }) if !reconciliation.is_clean() => {
            let (missing, uncertain) = (reconciliation.missing.len(), reconciliation.uncertain.len());
            let (not_known, resent) = (reconciliation.not_known, resent.map_or(0, |resent| resent.ingested));
            let text = "Paid does not have signals that it acknowledged, or the ledger has holes";
            tracing::error!(missing, uncertain, not_known, resent, "{text}");
        }
        Ok(Audit { reconciliation, .. }) => {
            let Reconciliation { emitted, found, pending, .. } = reconciliation;
            let unanswered = reconciliation.unacknowledged.len();
            tracing::info!(emitted, found, pending, unanswered, "Paid lists what it acknowledged");
        }
    }
}

impl fmt::Debug for Auditor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Auditor")
            .field("ledger", &self.ledger)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}

/// An auditor that runs. Dropping it ends it, after the comparison that it makes.
#[derive(Debug)]
#[must_use = "dropping it ends it"]
pub struct RunningAuditor {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for RunningAuditor {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
