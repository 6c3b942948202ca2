//! What was emitted against what Paid has: the proof that nothing was lost.

mod book;
pub(in crate::account) mod fingerprint;
mod open;
mod report;

use std::io;

use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;

use super::error::AccountError;
use crate::outbox::Entry;
use crate::{Client, Method, Timestamp};
use book::Book;

pub use report::{Counted, Discrepancy, Reconciliation, Tally};

/// How many signals a page of Paid's list has.
const PAGE: usize = 500;
/// How many pages are asked for at once.
const AT_ONCE: usize = 4;

/// Compares what was emitted with what Paid has.
///
/// A signal with a reference ([`EmitterBuilder::with_reference`](crate::EmitterBuilder::with_reference)) is found by it. Others are found
/// by customer, product, name and data; where several are alike, the nearest in time are taken for the same, and which of them are
/// missing is uncertain.
#[derive(Debug, Clone)]
#[must_use = "nothing is compared until `run`"]
pub struct Reconcile {
    client: Client,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    settled: std::time::Duration,
}

impl Reconcile {
    /// Compares with the account of this client.
    pub fn new(client: Client) -> Self {
        Self { client, from: None, to: None, settled: std::time::Duration::from_secs(600) }
    }

    /// Compares what Paid acknowledged at this time or later.
    pub fn from(mut self, time: Timestamp) -> Self {
        self.from = Some(time);
        self
    }

    /// Compares what Paid acknowledged before this time.
    pub fn to(mut self, time: Timestamp) -> Self {
        self.to = Some(time);
        self
    }

    /// Sets how long a signal may take to appear in Paid's list before it counts as missing; 10 minutes by default.
    pub fn settled(mut self, time: std::time::Duration) -> Self {
        self.settled = time;
        self
    }

    /// Reads what was emitted and what Paid has, and compares them. `progress` is called with the number of signals that were
    /// read from Paid, and how many there are.
    ///
    /// It takes some 100 bytes of memory for each signal.
    ///
    /// # Errors
    ///
    /// If the entries cannot be read, a request fails, or an answer cannot be read.
    pub async fn run(
        self,
        emitted: impl IntoIterator<Item = io::Result<Entry>>,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Reconciliation, AccountError> {
        let now = Timestamp::now();
        let mut book = Book::default();
        for (position, entry) in emitted.into_iter().enumerate() {
            let entry = entry.map_err(AccountError::Emitted)?;
            let is_before = self.from.zip(entry.at).is_some_and(|(from, at)| at < from);
            let is_after = self.to.zip(entry.at).is_some_and(|(to, at)| at >= to);
            if !is_before && !is_after {
                book.emitted(&entry, position)?;
            }
        }
        book.close();
        let (first, total) = self.listed(&now, 0, PAGE).await?;
        let mut read = first.len() as u64;
        for signal in &first {
            book.found(signal);
        }
        progress(read, total);
        // A server may give fewer signals on a page than it is asked for.
        let size = first.len().max(1);
        let rest = (read..total).step_by(size);
        let pages = rest.map(|offset| self.listed(&now, offset, size));
        let mut pages = stream::iter(pages).buffer_unordered(AT_ONCE);
        while let Some(page) = pages.next().await {
            let (signals, _) = page?;
            for signal in &signals {
                book.found(signal);
            }
            read += signals.len() as u64;
            progress(read, total);
        }
        if book.listed() < total {
            let problem = format!("the list has {total} signals, and shows {}: run it again", book.listed());
            return Err(AccountError::unreadable("/signals/", problem));
        }
        let settled = *now - chrono::TimeDelta::from_std(self.settled).unwrap_or_default();
        Ok(book.report(settled.into(), self.from, self.to))
    }

    /// A page of Paid's list, and how many signals there are. Signals that arrive meanwhile are not in it.
    async fn listed(&self, now: &Timestamp, offset: u64, limit: usize) -> Result<(Vec<Value>, u64), AccountError> {
        let mut call = self.client.request(Method::GET, "/signals/");
        call = call.query("limit", limit.to_string()).query("offset", offset.to_string());
        // Clocks differ, and a signal is sent before it is in the list.
        let slack = chrono::TimeDelta::minutes(10);
        if let Some(from) = self.from {
            call = call.query("createdAtFrom", Timestamp::from(*from - slack).to_string());
        }
        let settled = self.settled.min(std::time::Duration::from_secs(86_400));
        let end = self.to.map(|to| *to + slack + settled).filter(|end| *end < **now).unwrap_or(**now);
        call = call.query("createdAtTo", Timestamp::from(end).to_string());
        let page = call.await?;
        let total = page["pagination"]["total"].as_u64();
        let total = total.ok_or_else(|| AccountError::unreadable("/signals/", "`pagination.total` is missing"))?;
        let signals = match page {
            Value::Object(mut page) => page.remove("data"),
            _ => None,
        };
        match signals {
            Some(Value::Array(signals)) => Ok((signals, total)),
            _ => Err(AccountError::unreadable("/signals/", "`data` is no list")),
        }
    }
}
