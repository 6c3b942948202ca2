//! Points in time: written as RFC 3339 in UTC; read with a zone, without one, or as a date.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

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
        Self(Utc::now())
    }
}

impl Timestamp {
    pub(crate) fn system_time(self) -> std::time::SystemTime {
        self.0.into()
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

impl Timestamp {
    /// Appends what `Display` writes, but much faster: every signal has a time.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        use chrono::{Datelike, Timelike};
        use std::io::Write;
        let (year, nanoseconds) = (self.0.year(), self.0.nanosecond());
        // Years that do not have four digits, and leap seconds below, are rare: `Display` writes them.
        let Ok(year @ 0..=9999) = u32::try_from(year) else { return drop(write!(out, "{self}")) };
        if nanoseconds >= 1_000_000_000 {
            return drop(write!(out, "{self}"));
        }
        append_digits(out, year, 4);
        for (before, number) in [
            (b'-', self.0.month()),
            (b'-', self.0.day()),
            (b'T', self.0.hour()),
            (b':', self.0.minute()),
            (b':', self.0.second()),
        ] {
            out.push(before);
            append_digits(out, number, 2);
        }
        let (fraction, digits) = match nanoseconds {
            0 => (0, 0),
            whole if whole % 1_000_000 == 0 => (whole / 1_000_000, 3),
            whole if whole % 1_000 == 0 => (whole / 1_000, 6),
            whole => (whole, 9),
        };
        if digits > 0 {
            out.push(b'.');
            append_digits(out, fraction, digits);
        }
        out.push(b'Z');
    }
}

/// Appends a number, padded with zeros.
fn append_digits(out: &mut Vec<u8>, number: u32, digits: u32) {
    let begin = out.len();
    let mut rest = number;
    for _ in 0..digits {
        out.push(b'0' + u8::try_from(rest % 10).unwrap_or_default());
        rest /= 10;
    }
    if let Some(written) = out.get_mut(begin..) {
        written.reverse();
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

    proptest::proptest! {
        #[test]
        fn the_fast_way_writes_what_display_does(seconds in -100_000_000_000_i64..300_000_000_000, nanoseconds in 0_u32..2_000_000_000, whole in 0..4) {
            let nanoseconds = nanoseconds / [1, 1_000, 1_000_000, 1_000_000_000][whole as usize] * [1, 1_000, 1_000_000, 1_000_000_000][whole as usize];
            if let Some(time) = DateTime::from_timestamp(seconds, nanoseconds) {
                let time = Timestamp::from(time);
                let mut out = Vec::new();
                time.write(&mut out);
                proptest::prop_assert_eq!(String::from_utf8(out).unwrap(), time.to_string());
            }
        }
    }
}
