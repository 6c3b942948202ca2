//! With a tokio runtime.

use std::time::SystemTime;

pub(crate) use reqwest::Response;
use tokio::runtime::Handle;
pub(crate) use tokio::time::{Instant, sleep, timeout, timeout_at};

/// What the clock of the system says.
pub(crate) fn system_time() -> SystemTime {
    SystemTime::now()
}

/// Whether requests and timers work here.
#[allow(dead_code, reason = "feature `streaming` asks")]
pub(crate) fn has_runtime() -> bool {
    Handle::try_current().is_ok()
}

/// Sends a request, and waits for the head of its answer.
pub(crate) async fn send(request: reqwest::RequestBuilder) -> Result<Response, reqwest::Error> {
    request.send().await
}

/// Whether no connection was made, so that nothing was sent.
pub(crate) fn is_connect(error: &reqwest::Error) -> bool {
    error.is_connect()
}
