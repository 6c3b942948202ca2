//! Holds the signals that are received against a catalogue, whatever client sent them. It changes no answer.

mod judge;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use paid_catalog::Catalog;
use serde_json::{Value, json};

use super::contract::Matched;
use super::store::Store;
use super::table::text;

/// So many objections are remembered, the first ones.
const REMEMBERED: usize = 10_000;

/// What received signals are checked against, see [`EmulatorBuilder::catalogue`](super::EmulatorBuilder::catalogue).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum LiveCatalogue {
    /// The path of a `signals.toml`.
    At(PathBuf),
    /// What was read before, in this program.
    Read(Box<Catalog>),
}

impl From<Catalog> for LiveCatalogue {
    fn from(catalog: Catalog) -> Self {
        Self::Read(Box::new(catalog))
    }
}

impl From<PathBuf> for LiveCatalogue {
    fn from(path: PathBuf) -> Self {
        Self::At(path)
    }
}

impl From<&Path> for LiveCatalogue {
    fn from(path: &Path) -> Self {
        Self::At(path.to_owned())
    }
}

impl From<&str> for LiveCatalogue {
    fn from(path: &str) -> Self {
        Self::At(path.into())
    }
}

/// What the catalogue says about what was received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogueReport {
    /// How many signals were received.
    pub received: u64,
    /// What the catalogue does not allow: the first 10,000.
    pub objections: Vec<Objection>,
    /// How many objections there were beside these.
    pub more: u64,
    /// Event names of the catalogue that no signal had, without those that are deprecated.
    pub never_received: Vec<String>,
}

/// Something in a received signal that the catalogue does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Objection {
    /// The signal's event name.
    pub event_name: String,
    /// The signal's idempotency key.
    pub idempotency_key: Option<String>,
    /// What is wrong.
    pub problem: String,
}

/// The catalogue, and what was heard.
#[derive(Debug)]
pub(super) struct LiveCheck {
    catalog: Catalog,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    received: u64,
    objections: Vec<Objection>,
    more: u64,
    names: BTreeMap<String, u64>,
}

impl LiveCheck {
    pub(super) fn new(catalogue: &LiveCatalogue) -> io::Result<Self> {
        let catalog = match catalogue {
            LiveCatalogue::Read(catalog) => (**catalog).clone(),
            LiveCatalogue::At(path) => read(path)?,
        };
        Ok(Self { catalog, heard: Mutex::default() })
    }

    /// Hears a request. A signal that comes twice is heard twice.
    pub(super) fn hear(&self, matched: &Matched, body: &Value, store: &Store) {
        if matched.operation != "create-signals" {
            return;
        }
        let external = |id: &str| {
            let product = store.products.find("id", id)?;
            text(product, "externalId").map(str::to_owned)
        };
        let mut heard = self.heard();
        for signal in body["signals"].as_array().into_iter().flatten() {
            heard.received += 1;
            let name = signal["eventName"].as_str().unwrap_or_default();
            if self.catalog.signal(name).is_some() {
                *heard.names.entry(name.to_owned()).or_default() += 1;
            }
            for problem in judge::problems(&self.catalog, signal, external) {
                if heard.objections.len() == REMEMBERED {
                    heard.more += 1;
                    continue;
                }
                heard.objections.push(Objection {
                    event_name: name.to_owned(),
                    idempotency_key: signal["idempotencyKey"].as_str().map(str::to_owned),
                    problem,
                });
            }
        }
    }

    pub(super) fn clear(&self) {
        *self.heard() = Heard::default();
    }

    pub(super) fn report(&self) -> CatalogueReport {
        let heard = self.heard();
        let expected = self.catalog.signals.iter().filter(|(_, signal)| signal.deprecated.is_none());
        CatalogueReport {
            received: heard.received,
            objections: heard.objections.clone(),
            more: heard.more,
            never_received: expected
                .map(|(name, _)| name)
                .filter(|name| !heard.names.contains_key(*name))
                .cloned()
                .collect(),
        }
    }

    /// A poisoned lock only means that another request's task was stopped.
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> io::Result<Catalog> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot read {shown}: {error}")))?;
    Catalog::parse(&text).map_err(|problems| {
        let lines: Vec<String> = problems.0.iter().map(|problem| format!("{shown}:{problem}")).collect();
        io::Error::new(io::ErrorKind::InvalidData, lines.join("\n"))
    })
}

impl CatalogueReport {
    /// Whether every signal that was received is one that the catalogue allows.
    pub fn is_clean(&self) -> bool {
        self.objections.is_empty()
    }

    pub(super) fn to_json(&self) -> Value {
        let objection = |objection: &Objection| {
            json!({
                "eventName": objection.event_name,
                "idempotencyKey": objection.idempotency_key,
                "problem": objection.problem,
            })
        };
        json!({
            "received": self.received,
            "objections": self.objections.iter().map(objection).collect::<Vec<_>>(),
            "more": self.more,
            "neverReceived": self.never_received,
        })
    }
}

/// Text from elsewhere, with control characters escaped.
fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|letter| if letter.is_control() { letter.escape_debug().collect() } else { vec![letter] })
        .collect()
}

/// For people: the same problem of the same signal once, with how often it occurred.
impl fmt::Display for CatalogueReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counted: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for objection in &self.objections {
            *counted.entry((&objection.event_name, &objection.problem)).or_default() += 1;
        }
        let signals = if self.received == 1 { "signal" } else { "signals" };
        write!(formatter, "catalogue: {} {signals} received", self.received)?;
        if counted.is_empty() {
            write!(formatter, ", all as the catalogue says")?;
        }
        for ((name, problem), times) in counted {
            write!(formatter, "\n  {}: {}", visible(name), visible(problem))?;
            if times > 1 {
                write!(formatter, " ({times} times)")?;
            }
        }
        if self.more > 0 {
            write!(formatter, "\n  and {} more", self.more)?;
        }
        if !self.never_received.is_empty() {
            write!(formatter, "\nnever received: {}", self.never_received.join(", "))?;
        }
        Ok(())
    }
}
