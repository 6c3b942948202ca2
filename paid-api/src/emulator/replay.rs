//! Does again what a journal recorded.

use axum::http::{Method, Uri};
use chrono::TimeDelta;
use serde_json::Value;

use super::control::Act;
use super::journal::{CLOCK, Entry};
use super::server::check;
use super::store::Store;

impl Store {
    /// Does what was recorded, at its time.
    pub(super) fn repeat(&mut self, entry: &Entry) -> Result<(), String> {
        if let Some(ids) = entry.ids {
            self.assign_from(ids);
        }
        if entry.target == CLOCK {
            let body: Value = serde_json::from_slice(entry.text()).unwrap_or_default();
            let by = body["advanceSeconds"].as_i64().and_then(TimeDelta::try_seconds);
            self.clock.hold(Some(entry.at));
            let is_moved = by.is_some_and(|by| self.clock.advance(by));
            self.roll();
            return if is_moved { Ok(()) } else { Err("there is no such time".to_owned()) };
        }
        self.clock.hold(Some(entry.at));
        if let Some((act, id)) = Act::of_target(&entry.target) {
            let body = serde_json::from_slice(entry.text()).unwrap_or_default();
            return act.apply(self, id, &body).map_err(|refusal| refusal.error);
        }
        let method = entry.method.parse::<Method>().map_err(|error| error.to_string())?;
        let uri = entry.target.parse::<Uri>().map_err(|error| error.to_string())?;
        let (matched, body) = check(&method, &uri, entry.text()).map_err(|problem| problem.to_string())?;
        self.execute(&matched, &body).map(drop).map_err(|refusal| refusal.error)
    }
}
