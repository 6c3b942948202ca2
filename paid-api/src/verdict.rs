//! What a response means: one table from a status or a failure to a [`Verdict`], the wait that the server asks for, and
//! the one backoff. Pure: knows no clock, no client and no operation.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// What the response to a request, or the lack of one, means: what was done, and what may be done next.
///
/// | response | verdict |
/// |---|---|
/// | 2xx | `Done` |
/// | 2xx whose JSON is not what the document says | `Done` |
/// | 2xx whose body is not JSON, is cut off or too large | `Unknown` |
/// | 400, 409, 413, 422; an invalid request that was not sent | `BadContent` |
/// | 401, 403; the function that provides the API key returned none | `BadKey` |
/// | 408, 500, 502, 504 and all other 5xx | `Unknown` |
/// | 425, 429, 503; no connection was made | `NotDone` |
/// | 3xx, 404 and all other 4xx | `Misdirected` |
/// | the connection was lost, or no response arrived in time | `Unknown` |
///
/// Everything that sends requests follows a policy over this table:
///
/// | | `NotDone` | `Unknown` | `BadContent` | `BadKey` | `Misdirected` |
/// |---|---|---|---|---|---|
/// | a call of the [`Client`](crate::Client) | retried | retried if the operation is repeatable | error | error | error |
/// | signals | retried | retried: each has an idempotency key | halved, then refused | retried | retried |
/// | cost records | retried | uncertain, not sent again | halved, then refused | retried | retried |
/// | spans | retried | retried | halved, then refused | retried | retried |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The work is done.
    Done,
    /// The work is not done, and the same request may succeed later.
    NotDone,
    /// The work may or may not be done.
    Unknown,
    /// The work is not done, and never will be with this content.
    BadContent,
    /// The work is not done: the API key is missing, wrong, or lacks permission. A rotated key may succeed.
    BadKey,
    /// The work is not done: the request did not reach its operation. The base URL may be wrong, or a proxy may have
    /// answered.
    Misdirected,
}

/// The first row whose range holds the status counts; a status in no row is [`Verdict::Misdirected`].
const STATUSES: &[(u16, u16, Verdict)] = &[
    (200, 299, Verdict::Done),
    (400, 400, Verdict::BadContent),
    (401, 401, Verdict::BadKey),
    (403, 403, Verdict::BadKey),
    (408, 408, Verdict::Unknown),
    (409, 409, Verdict::BadContent),
    (413, 413, Verdict::BadContent),
    (422, 422, Verdict::BadContent),
    (425, 425, Verdict::NotDone),
    (429, 429, Verdict::NotDone),
    (503, 503, Verdict::NotDone),
    (500, 599, Verdict::Unknown),
];

impl Verdict {
    /// Judges an answer by its status alone, as every request of this crate is judged.
    pub fn of_status(status: StatusCode) -> Self {
        let status = status.as_u16();
        let row = STATUSES.iter().find(|(first, last, _)| (*first..=*last).contains(&status));
        row.map_or(Self::Misdirected, |(_, _, verdict)| *verdict)
    }

    /// What it means that no response arrived.
    pub(crate) fn of_failure(was_connected: bool) -> Self {
        if was_connected { Self::Unknown } else { Self::NotDone }
    }

    /// Returns true if the status says that the work is done.
    pub(crate) fn is_done(status: StatusCode) -> bool {
        Self::of_status(status) == Self::Done
    }

    /// Returns true if the same request may succeed later without any change.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::NotDone | Self::Unknown)
    }
}

/// What the user can do about a status.
pub(crate) fn hint(status: StatusCode) -> Option<&'static str> {
    match status.as_u16() {
        300..=399 => Some("the base URL redirects; set the final one"),
        401 | 403 => Some("check that the API key is right and permits this operation"),
        404 => Some(
            "check the id and the address, and that the key belongs to the same organisation; your own id is for \
             `get_by_external_id` and its like, Paid's for `get`",
        ),
        415 => Some("if the client compresses its requests, turn `gzip` off"),
        _ => None,
    }
}

/// How long the server asks to wait: `retry-after-ms`, `Retry-After` in seconds or as a date, `X-RateLimit-Reset`.
pub(crate) fn asked_to_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    let until = |time: SystemTime| time.duration_since(now).unwrap_or(Duration::ZERO);
    if let Some(wait) = number("retry-after-ms").and_then(|milliseconds| seconds(milliseconds / 1000.0)) {
        return Some(wait);
    }
    if let Some(wait) = number(RETRY_AFTER.as_str()).and_then(seconds) {
        return Some(wait);
    }
    if let Some(date) = text(RETRY_AFTER.as_str()).and_then(|text| httpdate::parse_http_date(text).ok()) {
        return Some(until(date));
    }
    let reset = number("x-ratelimit-reset").and_then(seconds)?;
    Some(UNIX_EPOCH.checked_add(reset).map_or(Duration::MAX, until))
}

/// A value that exceeds a `Duration` becomes the longest one; negative, infinite and NaN values are ignored.
fn seconds(value: f64) -> Option<Duration> {
    let is_sensible = value.is_finite() && value >= 0.0;
    is_sensible.then(|| Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX))
}

/// The waits between attempts: a random part of an upper bound, which doubles with every attempt up to a maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// The upper bound of the first wait.
    pub(crate) base: Duration,
    /// The upper bound of every wait.
    pub(crate) max: Duration,
}

/// No wait is longer, whatever the settings: arithmetic with longer durations overflows.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Backoff {
    /// The wait after this many attempts (at least one); `random` lies between 0 and 1. It is never less than a tenth
    /// of the bound, so that an overloaded server gets a pause.
    pub(crate) fn wait(&self, attempts: u32, random: f64) -> Duration {
        let doublings = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let bound = self.base.saturating_mul(doublings).min(self.max).min(LONGEST);
        bound.mul_f64(0.1 + 0.9 * random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn every_status_has_one_meaning() {
        use Verdict::*;
        for (status, verdict) in [
            (200, Done),
            (204, Done),
            (301, Misdirected),
            (400, BadContent),
            (401, BadKey),
            (402, Misdirected),
            (403, BadKey),
            (404, Misdirected),
            (405, Misdirected),
            (408, Unknown),
            (409, BadContent),
            (413, BadContent),
            (415, Misdirected),
            (422, BadContent),
            (425, NotDone),
            (429, NotDone),
            (500, Unknown),
            (502, Unknown),
            (503, NotDone),
            (504, Unknown),
            (599, Unknown),
            (999, Misdirected),
        ] {
            assert_eq!(Verdict::of_status(StatusCode::from_u16(status).unwrap()), verdict, "{status}");
        }
    }

    #[test]
    fn the_server_s_wait_is_read_in_every_form() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for (name, value, expected) in [
            ("retry-after", "7", 7.0),
            ("retry-after", "1.5", 1.5),
            ("retry-after-ms", "250", 0.25),
            ("retry-after", "Tue, 14 Nov 2023 22:13:30 GMT", 10.0),
            ("retry-after", "Tue, 14 Nov 2023 22:13:00 GMT", 0.0),
            ("x-ratelimit-reset", "1700000030", 30.0),
            ("x-ratelimit-reset", "1600000000", 0.0),
        ] {
            let wait = asked_to_wait(&headers(&[(name, value)]), now);
            assert_eq!(wait, Some(Duration::from_secs_f64(expected)), "{name}: {value}");
        }
        for (name, value) in [("retry-after", "99999999999999999999"), ("retry-after-ms", "1e300")] {
            assert_eq!(asked_to_wait(&headers(&[(name, value)]), now), Some(Duration::MAX), "{name}: {value}");
        }
        for value in ["-1", "NaN", "soon", "1e400"] {
            assert_eq!(asked_to_wait(&headers(&[("retry-after", value)]), now), None, "{value}");
        }
    }

    #[test]
    fn waits_double_up_to_the_largest_and_never_vanish() {
        let backoff = Backoff { base: Duration::from_secs(1), max: Duration::from_secs(60) };
        assert_eq!(backoff.wait(1, 1.0), Duration::from_secs(1));
        assert_eq!(backoff.wait(3, 1.0), Duration::from_secs(4));
        assert_eq!(backoff.wait(60, 1.0), Duration::from_secs(60));
        assert_eq!(backoff.wait(1, 0.0), Duration::from_millis(100));
    }

    #[test]
    fn no_setting_overflows() {
        let backoff = Backoff { base: Duration::MAX, max: Duration::MAX };
        assert_eq!(backoff.wait(u32::MAX, 1.0), LONGEST);
    }
}
