//! Faults on demand.

use std::time::Duration;

/// Something that goes wrong with requests to come.
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
    pub(crate) kind: Kind,
    pub(crate) times: u32,
    pub(crate) operation: Option<String>,
    pub(crate) after_work: bool,
    pub(crate) headers: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Status(u16),
    Latency(Duration),
    Drop,
    Truncate,
    Body(u16, String),
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self { kind, times: 1, operation: None, after_work: false, headers: Vec::new() }
    }

    /// Answers with this status, in Paid's error format.
    pub fn status(status: u16) -> Self {
        Self::new(Kind::Status(status))
    }

    /// Answers with this status and this text as HTML, as a proxy in between would.
    pub fn html(status: u16, body: impl Into<String>) -> Self {
        Self::new(Kind::Body(status, body.into()))
    }

    /// Answers late.
    pub fn latency(latency: Duration) -> Self {
        Self::new(Kind::Latency(latency))
    }

    /// Closes the connection without an answer.
    pub fn drop_connection() -> Self {
        Self::new(Kind::Drop)
    }

    /// Does the work and closes the connection in the middle of the answer's body.
    pub fn truncate_body() -> Self {
        Self::new(Kind::Truncate).after_work()
    }

    /// For this many requests; 1 unless set.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Only for this operation, such as `create-signals`.
    #[must_use]
    pub fn operation(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Does the work first: only the answer is lost.
    #[must_use]
    pub fn after_work(mut self) -> Self {
        self.after_work = true;
        self
    }

    /// Adds a header to the failing answer, such as `retry-after`.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn concerns(&self, operation: Option<&str>) -> bool {
        self.times > 0 && self.operation.as_deref().is_none_or(|wanted| operation == Some(wanted))
    }
}
