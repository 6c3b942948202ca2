//! Faults on demand, and the queue of those that are still to come.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

/// The name under which a fault addresses the collector.
pub(super) const COLLECTOR: &str = "traces";

/// A failure that the emulator simulates for the next matching requests.
///
/// ```
/// use paid::emulator::Fault;
/// use std::time::Duration;
///
/// let lost_answer = Fault::drop_connection().after_work().operation("create-signals");
/// let slow = Fault::latency(Duration::from_millis(200)).times(10);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub(super) kind: FaultKind,
    pub(super) headers: Vec<(String, String)>,
    times: u32,
    operation: Option<String>,
    after_work: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum FaultKind {
    Status(u16),
    Latency(Duration),
    Drop,
    Truncate,
    Body(u16, String),
}

impl Fault {
    fn new(kind: FaultKind) -> Self {
        Self { kind, times: 1, operation: None, after_work: false, headers: Vec::new() }
    }

    /// Responds with this status, in Paid's error format.
    pub fn status(status: u16) -> Self {
        Self::new(FaultKind::Status(status))
    }

    /// Responds with this status and an HTML body, as a proxy in front of Paid might.
    pub fn html(status: u16, body: impl Into<String>) -> Self {
        Self::new(FaultKind::Body(status, body.into()))
    }

    /// Delays the response; the request itself succeeds.
    pub fn latency(latency: Duration) -> Self {
        Self::new(FaultKind::Latency(latency))
    }

    /// Closes the socket before an answer is written.
    pub fn drop_connection() -> Self {
        Self::new(FaultKind::Drop)
    }

    /// Executes the request and closes the connection in the middle of the response body.
    pub fn truncate_body() -> Self {
        Self::new(FaultKind::Truncate).after_work()
    }

    /// Applies to this many requests. 1 by default.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Applies to this operation only, such as `create-signals`. By default a fault applies to every operation of the API.
    #[must_use]
    pub fn operation(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Executes the request before it fails, so that only the response is lost.
    #[must_use]
    pub fn after_work(mut self) -> Self {
        self.after_work = true;
        self
    }

    /// Adds a header, such as `retry-after`, to the response.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Waits, if the fault is latency.
    pub(super) async fn delay(&self) {
        if let FaultKind::Latency(latency) = self.kind {
            tokio::time::sleep(latency).await;
        }
    }

    /// Whether the request fails before it is executed.
    pub(super) fn prevents_work(&self) -> bool {
        !self.after_work && !matches!(self.kind, FaultKind::Latency(_))
    }

    fn shown(&self) -> Value {
        let kind = match &self.kind {
            FaultKind::Status(status) => json!({ "status": status }),
            FaultKind::Body(status, html) => json!({ "status": status, "html": html }),
            FaultKind::Latency(latency) => {
                json!({ "latencyMs": u64::try_from(latency.as_millis()).unwrap_or(u64::MAX) })
            }
            FaultKind::Drop => json!({ "drop": true }),
            FaultKind::Truncate => json!({ "truncate": true }),
        };
        let mut shown = json!({ "operation": self.operation, "times": self.times, "afterWork": self.after_work });
        if let (Some(shown), Value::Object(kind)) = (shown.as_object_mut(), kind) {
            shown.extend(kind);
        }
        shown
    }

    fn applies_to(&self, operation: Option<&str>) -> bool {
        let matches = match &self.operation {
            Some(wanted) => operation == Some(wanted),
            // The collector is not part of the API: a fault has to name it.
            None => operation != Some(COLLECTOR),
        };
        matches && self.times > 0
    }
}

/// The faults that are still to come, in order.
#[derive(Debug, Default)]
pub(super) struct Faults {
    queue: Mutex<VecDeque<Fault>>,
}

impl Faults {
    pub(super) fn add(&self, fault: Fault) {
        self.queue().push_back(fault);
    }

    pub(super) fn clear(&self) {
        self.queue().clear();
    }

    /// As the control routes show them.
    pub(super) fn shown(&self) -> Value {
        self.queue().iter().map(Fault::shown).collect()
    }

    /// Takes the first fault that applies to an operation.
    pub(super) fn take(&self, operation: Option<&str>) -> Option<Fault> {
        let mut queue = self.queue();
        let at = queue.iter().position(|fault| fault.applies_to(operation))?;
        let fault = queue.get_mut(at)?;
        fault.times -= 1;
        let taken = fault.clone();
        if taken.times == 0 {
            queue.remove(at);
        }
        Some(taken)
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Fault>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
