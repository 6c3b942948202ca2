//! The emulator's time: the machine's, moved forward.

use chrono::TimeDelta;
use serde_json::Value;

use crate::Timestamp;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    ahead: TimeDelta,
    /// What was recorded happens again at its time.
    held: Option<Timestamp>,
}

impl Clock {
    pub(super) fn now(self) -> Timestamp {
        if let Some(held) = self.held {
            return held;
        }
        let now = *Timestamp::now();
        Timestamp::from(now.checked_add_signed(self.ahead).unwrap_or(now))
    }

    /// As requests and responses have it.
    pub(super) fn shown(self) -> Value {
        self.now().to_string().into()
    }

    /// Moves the time forward. Returns false if there is no such time.
    pub(super) fn advance(&mut self, by: TimeDelta) -> bool {
        let ahead = self.ahead.checked_add(&by).filter(|_| by >= TimeDelta::zero());
        let ahead = ahead.filter(|ahead| is_of_four_digits(*Timestamp::now(), *ahead));
        if let Some(ahead) = ahead {
            self.ahead = ahead;
        }
        ahead.is_some()
    }

    /// Holds the time, or lets it go on from the machine's.
    pub(super) fn hold(&mut self, at: Option<Timestamp>) {
        self.held = at;
    }
}

/// RFC 3339 has no later years.
fn is_of_four_digits(now: chrono::DateTime<chrono::Utc>, ahead: TimeDelta) -> bool {
    use chrono::Datelike;
    now.checked_add_signed(ahead).is_some_and(|time| time.year() < 9_999)
}
