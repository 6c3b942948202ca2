//! How an emulator is started: where it listens, what it begins with, and what it keeps.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use serde_json::Value;
use tokio::net::TcpListener;

use super::collector::Collector;
use super::http;
use super::live_check::{LiveCatalogue, LiveCheck};
use super::local::{Reach, guard};
use super::server::EmulatorState;
use super::{Emulator, control, downloads, journal, page, server};

/// Sets up an [`Emulator`].
///
/// ```
/// use paid::emulator::Emulator;
/// use paid::object;
///
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
/// let seed = object!({ "customers": [{ "name": "Acme Ltd", "externalId": "acme" }] });
/// let emulator = Emulator::builder().seed(seed.into()).start().await?;
/// assert_eq!(emulator.client().customers().get_by_external_id("acme").await?.name, "Acme Ltd");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing runs until `start`"]
pub struct EmulatorBuilder {
    address: IpAddr,
    port: u16,
    seed: Option<Value>,
    state: Option<PathBuf>,
    record: Option<PathBuf>,
    catalogue: Option<LiveCatalogue>,
}

impl Emulator {
    /// Sets up an emulator: on a free port of 127.0.0.1, with nothing in it, if nothing else is set.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            seed: None,
            state: None,
            record: None,
            catalogue: None,
        }
    }
}

impl EmulatorBuilder {
    /// Listens on this port. 0 stands for any free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Listens on another address than 127.0.0.1. Whoever reaches it can read and change everything: any key that starts with
    /// `paid_` is accepted. On an address of loopback, requests that name another host are refused.
    pub fn listen(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Begins with these `products`, `plans`, `customers`, `contacts` and `orders`: lists of what the requests that create them
    /// take. A product may have its `productAttributes`; `customer: "acme"` and `product: "sdr"` name others by your own id, and
    /// `attribute: "Seats"` names one of a plan's product. If a state file holds something, that counts, and the seed is left
    /// out.
    pub fn seed(mut self, seed: Value) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Keeps the account in this file, over restarts: every request that changes something, as a line of JSON. At the start,
    /// they are done again. What changes nothing any more, such as a signal that was sent again, is left out at the start, and
    /// whenever the file has become twice as long.
    pub fn state(mut self, file: impl Into<PathBuf>) -> Self {
        self.state = Some(file.into());
        self
    }

    /// Appends every request to this file, as a line of JSON: `at`, `method`, `target`, `operation`, `status` and `body`. No
    /// header is written, so no key.
    pub fn record(mut self, file: impl Into<PathBuf>) -> Self {
        self.record = Some(file.into());
        self
    }

    /// Holds every signal that is received against a catalogue: a path of a `signals.toml`, or a catalogue that was read.
    /// [`Emulator::catalogue_report`] says what the catalogue does not allow, whatever client sent it.
    pub fn catalogue(mut self, catalogue: impl Into<LiveCatalogue>) -> Self {
        self.catalogue = Some(catalogue.into());
        self
    }

    /// Starts the emulator in the current tokio runtime.
    ///
    /// # Errors
    ///
    /// If the port cannot be opened, a file cannot be read or written, or the seed or the state cannot be taken in: with the
    /// place.
    pub async fn start(self) -> io::Result<Emulator> {
        let live = self.catalogue.as_ref().map(LiveCheck::new).transpose()?;
        let state = Arc::new(EmulatorState::new(live));
        self.fill(&state)?;
        let listener = TcpListener::bind(SocketAddr::new(self.address, self.port)).await?;
        let address = listener.local_addr()?;
        let address = *state.address.get_or_init(|| address);
        let collector = Collector::default();
        let reach = if address.ip().is_loopback() { Reach::Local } else { Reach::Network };
        let (reset, exports) = (collector.clone(), Arc::clone(&state));
        let taking = Arc::clone(&state);
        let take: http::Take = Arc::new(move |taken| {
            let state = Arc::clone(&taking);
            Box::pin(async move { state.take(taken).await })
        });
        let router = server::router(Arc::clone(&state))
            .merge(control::routes(Arc::clone(&state), Arc::new(move || reset.reset())))
            .merge(collector.routes(Arc::clone(&state.faults), take))
            .merge(downloads::routes(move |id| exports.export_file(id)))
            .merge(page::routes())
            .layer(from_fn_with_state(reach, guard));
        let task = tokio::spawn(async move {
            // `serve` handles errors itself and never returns.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Emulator { address, state, collector, task })
    }

    fn fill(&self, state: &EmulatorState) -> io::Result<()> {
        let invalid = |problem: String| io::Error::new(io::ErrorKind::InvalidData, problem);
        let mut is_empty = true;
        if let Some(file) = &self.state {
            let entries = journal::read(file)?;
            is_empty = entries.is_empty();
            let smaller = state.replay(entries).map_err(|problem| invalid(format!("{}: {problem}", file.display())))?;
            state.journals.keep_changes(file)?;
            if let Some(smaller) = smaller {
                state.journals.replace(&smaller)?;
            }
        }
        if let Some(file) = &self.record {
            state.journals.keep_all(file)?;
        }
        match &self.seed {
            Some(seed) if is_empty => state.sow(seed).map_err(|problem| invalid(format!("the seed: {problem}"))),
            _ => Ok(()),
        }
    }
}
