//! Points in time: written as RFC 3339 in UTC; read with a zone, without one, or as a date.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Timelike, Utc};
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

    /// The time for a clock that counts nanoseconds since 1970; `None` if that cannot express it.
    pub(crate) fn system_time(self) -> Option<SystemTime> {
        let nanoseconds = u64::try_from(self.0.timestamp_nanos_opt()?).ok()?;
        UNIX_EPOCH.checked_add(Duration::from_nanos(nanoseconds))
    }

    /// Returns true if RFC 3339 can express the time: its years have four digits.
    pub(crate) fn is_writable(&self) -> bool {
        (0..=9999).contains(&self.0.year())
    }

    /// The time without a leap second, which few programs can read: its last nanosecond before.
    pub(crate) fn without_leap_second(self) -> Self {
        let is_leap = self.0.nanosecond() >= 1_000_000_000;
        Self(if is_leap { self.0.with_nanosecond(999_999_999).unwrap_or(self.0) } else { self.0 })
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

    #[test]
    fn a_clock_may_be_set_to_any_time() {
        let of = |time: Option<SystemTime>| Timestamp::of_system_time(time.unwrap());
        let year = Duration::from_secs(365 * 86_400);
        assert_eq!(of(Some(UNIX_EPOCH)).to_string(), "1970-01-01T00:00:00Z");
        let before = UNIX_EPOCH.checked_sub(Duration::from_millis(1_250));
        assert_eq!(of(before).to_string(), "1969-12-31T23:59:58.750Z");
        assert!(!of(UNIX_EPOCH.checked_add(year * 1_000_000)).is_writable());
        assert!(!of(UNIX_EPOCH.checked_add(Duration::from_secs(i64::MAX.unsigned_abs()))).is_writable());
        if let Some(first) = UNIX_EPOCH.checked_sub(Duration::from_secs(i64::MAX.unsigned_abs())) {
            assert!(!Timestamp::of_system_time(first).is_writable());
        }
    }

    #[test]
    fn times_that_a_clock_of_nanoseconds_cannot_express_are_none() {
        for (text, is_some) in
            [("1969-12-31", false), ("1970-01-01", true), ("2261-01-01", true), ("2263-01-01", false)]
        {
            assert_eq!(text.parse::<Timestamp>().unwrap().system_time().is_some(), is_some, "{text}");
        }
    }

    #[test]
    fn a_leap_second_is_the_end_of_the_second_before() {
        let leap: Timestamp = "2016-12-31T23:59:60.5Z".parse().unwrap();
        assert_eq!(leap.without_leap_second().to_string(), "2016-12-31T23:59:59.999999999Z");
        let usual: Timestamp = "2016-12-31T23:59:59.5Z".parse().unwrap();
        assert_eq!(usual.without_leap_second(), usual);
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
