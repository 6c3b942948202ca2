//! An account without a server: what the emulator computes, for calculations at times of their own.

use axum::http::{Method, Uri};
use serde_json::Value;

use super::server::check;
use super::store::Store;
use crate::Timestamp;

/// An account in memory, whose time is what is said.
#[derive(Debug, Default)]
pub(crate) struct Offline(Store);

impl Offline {
    /// From now on, it is this time.
    pub(crate) fn is_at(&mut self, time: Timestamp) {
        self.0.clock.hold(Some(time));
    }

    /// Does what a request asks, at the time that it is, and returns the answer; or why it is refused.
    pub(crate) fn request(&mut self, method: &str, target: &str, body: &Value) -> Result<Value, String> {
        let method = method.parse::<Method>().map_err(|error| error.to_string())?;
        let uri = target.parse::<Uri>().map_err(|error| error.to_string())?;
        let text = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let (matched, body) = check(&method, &uri, &text).map_err(|problem| problem.to_string())?;
        let answer = self.0.execute(&matched, &body).map_err(|refusal| match refusal.details {
            Some(place) => format!("{}: {place}", refusal.error),
            None => refusal.error,
        })?;
        // Nobody is sent a webhook.
        self.0.webhooks.take_outgoing();
        Ok(answer)
    }
}
