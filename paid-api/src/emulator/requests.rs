//! The requests that the emulator received.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use serde_json::Value;

/// Older requests are forgotten, so that a long run does not fill the memory.
const REMEMBERED: usize = 10_000;

/// The most bytes of bodies that are remembered.
const BYTES: usize = 64 << 20;

/// A request that the emulator received.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Recorded {
    /// The id of the operation, or `None` if the document has no operation with this method and path.
    pub operation: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// The path and query.
    pub target: String,
    /// The JSON body; null if there is none, or it is not JSON.
    pub body: Value,
    /// The status of the response; 0 if the connection was closed without one.
    pub status: u16,
}

/// A request as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) operation: Option<String>,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) body: Bytes,
    pub(super) status: u16,
}

impl Kept {
    fn recorded(&self) -> Recorded {
        Recorded {
            operation: self.operation.clone(),
            method: self.method.clone(),
            target: self.target.clone(),
            body: serde_json::from_slice(&self.body).unwrap_or_default(),
            status: self.status,
        }
    }
}

#[derive(Debug, Default)]
struct Log {
    requests: VecDeque<Kept>,
    bytes: usize,
}

impl Log {
    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.requests.pop_front() {
            self.bytes -= oldest.body.len();
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct RequestLog {
    log: Mutex<Log>,
    received: AtomicU64,
}

impl RequestLog {
    pub(super) fn add(&self, request: Kept) {
        self.received.fetch_add(1, Ordering::Relaxed);
        let mut log = self.log();
        log.bytes += request.body.len();
        log.requests.push_back(request);
        while log.requests.len() > REMEMBERED || (log.bytes > BYTES && log.requests.len() > 1) {
            log.forget_oldest();
        }
    }

    pub(super) fn all(&self) -> Vec<Recorded> {
        let kept: Vec<Kept> = self.log().requests.iter().cloned().collect();
        kept.iter().map(Kept::recorded).collect()
    }

    /// How many requests were received.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        *self.log() = Log::default();
        self.received.store(0, Ordering::Relaxed);
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(bytes: usize) -> Kept {
        let body = Bytes::from(vec![b' '; bytes]);
        Kept { operation: None, method: "POST".into(), target: "/".into(), body, status: 200 }
    }

    #[test]
    fn old_requests_are_forgotten_by_number_and_by_bytes() {
        let log = RequestLog::default();
        for _ in 0..REMEMBERED + 5 {
            log.add(request(0));
        }
        assert_eq!((log.all().len(), log.received()), (REMEMBERED, REMEMBERED as u64 + 5));
        log.add(request(BYTES));
        log.add(request(1));
        assert_eq!(log.all().len(), 1);
    }
}
