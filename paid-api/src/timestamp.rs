//! Points in time: written as RFC 3339 in UTC; read with a zone, without one, or as a date.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::platform;

/// A point in time; dereferences to [`chrono::DateTime<Utc>`] and converts from it.
///
/// Written as RFC 3339 in UTC. A time without a zone is read as UTC, and a date as midnight UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

/// The text is neither a date nor a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an RFC 3339 time such as 2026-01-31T23:00:00Z")]
pub struct ParseTimestampError(());

impl Timestamp {
    /// Returns the current time of the system clock.
    pub fn now() -> Self {
        Self::of_system_time(platform::system_time())
    }

    /// The time of a clock, or the nearest that this type has: a clock may be set to any time.
    pub(crate) fn of_system_time(time: SystemTime) -> Self {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let (time, nearest) = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => (DateTime::from_timestamp(seconds(after), after.subsec_nanos()), DateTime::<Utc>::MAX_UTC),
            Err(error) => {
                let before = error.duration();
                let start = DateTime::from_timestamp(-seconds(before), 0);
                let rest = TimeDelta::nanoseconds(before.subsec_nanos().into());
                (start.and_then(|start| start.checked_sub_signed(rest)), DateTime::<Utc>::MIN_UTC)
            }
        };
        Self(time.unwrap_or(nearest))
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self(time.with_timezone(&Utc)));
        }
        for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
            if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
                return Ok(Self(time.and_utc()));
            }
        }
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(date) => Ok(Self(date.and_time(NaiveTime::MIN).and_utc())),
            Err(_) => Err(ParseTimestampError(())),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(time: Timestamp) -> Self {
        time.0
    }
}

impl From<DateTime<Utc>> for crate::Patch<Timestamp> {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Set(Timestamp(time))
    }
}

impl Deref for Timestamp {
    type Target = DateTime<Utc>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_no_zone_and_date_alone_are_read() {
        for (text, written) in [
            ("2026-01-31T23:00:00Z", "2026-01-31T23:00:00Z"),
            ("2026-01-31T23:00:00.250+01:00", "2026-01-31T22:00:00.250Z"),
            ("2026-01-31T23:00:00", "2026-01-31T23:00:00Z"),
            ("2026-01-31 23:00:00.5", "2026-01-31T23:00:00.500Z"),
            ("2026-01-31", "2026-01-31T00:00:00Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), written, "{text}");
        }
    }

    #[test]
    fn anything_else_is_an_error_that_shows_the_form() {
        let error = "31.1.2026".parse::<Timestamp>().unwrap_err().to_string();
        assert!(error.contains("RFC 3339"), "{error}");
    }

    #[test]
    fn a_clock_may_be_set_to_any_time() {
        let of = |time: Option<SystemTime>| Timestamp::of_system_time(time.unwrap());
        let year = Duration::from_secs(365 * 86_400);
        assert_eq!(of(Some(UNIX_EPOCH)).to_string(), "1970-01-01T00:00:00Z");
        let before = UNIX_EPOCH.checked_sub(Duration::from_millis(1_250));
        assert_eq!(of(before).to_string(), "1969-12-31T23:59:58.750Z");
        // Centuries of thousands of years are no error, but the nearest time there is.
        let most = Duration::from_secs(i64::MAX.unsigned_abs());
        assert_eq!(of(UNIX_EPOCH.checked_add(year * 1_000_000)), Timestamp(DateTime::<Utc>::MAX_UTC));
        assert_eq!(of(UNIX_EPOCH.checked_add(most)), Timestamp(DateTime::<Utc>::MAX_UTC));
        if let Some(first) = UNIX_EPOCH.checked_sub(most) {
            assert_eq!(Timestamp::of_system_time(first), Timestamp(DateTime::<Utc>::MIN_UTC));
        }
    }
}
