//! Times as signals have them: RFC 3339, written fast, without what few programs can read.

use chrono::{Datelike, Timelike};

use crate::Timestamp;

impl Timestamp {
    /// Returns true if RFC 3339 can express the time: its years have four digits.
    pub(crate) fn is_writable(&self) -> bool {
        (0..=9999).contains(&self.year())
    }

    /// The time without a leap second, which few programs can read: its last nanosecond before.
    pub(crate) fn without_leap_second(self) -> Self {
        let is_leap = self.nanosecond() >= 1_000_000_000;
        self.with_nanosecond(999_999_999).filter(|_| is_leap).map_or(self, Self::from)
    }

    /// Appends what `Display` writes, but much faster: every signal has a time.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        use std::io::Write;
        let (year, nanoseconds) = (self.year(), self.nanosecond());
        // Years that do not have four digits, and leap seconds below, are rare: `Display` writes them.
        let Ok(year @ 0..=9999) = u32::try_from(year) else { return drop(write!(out, "{self}")) };
        if nanoseconds >= 1_000_000_000 {
            return drop(write!(out, "{self}"));
        }
        append_digits(out, year, 4);
        for (before, number) in [
            (b'-', self.month()),
            (b'-', self.day()),
            (b'T', self.hour()),
            (b':', self.minute()),
            (b':', self.second()),
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

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

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
