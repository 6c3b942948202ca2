//! When to try again: a pure decision, and the loop that follows it. Knows no HTTP client and no operation.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

use crate::error::is_retryable_status;

/// How often and for how long a request is retried.
///
/// Retried are connections that could not be made, and the statuses 408, 429 and 5xx. A request that could do its
/// work twice (a create without an idempotency key) is retried only when it cannot have been done: no connection
/// was made, or Paid said 429 or 503. The server's `Retry-After`, `retry-after-ms` and `X-RateLimit-Reset` are
/// followed; else the wait is drawn at random up to a bound that doubles with every attempt.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Retries after the first attempt. 2 by default.
    pub max_retries: u32,
    /// The bound of the first wait. 500 ms by default.
    pub base_delay: Duration,
    /// The bound of any wait of our own choice. 60 s by default.
    pub max_delay: Duration,
    /// The bound of the whole request, attempts and waits together. 3 minutes by default.
    pub total: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 2,
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(60),
            total: Duration::from_secs(180),
        }
    }
}

impl RetryPolicy {
    /// One attempt, whatever happens.
    pub fn never() -> Self {
        Self { max_retries: 0, ..Self::default() }
    }

    /// At most this many retries after the first attempt.
    #[must_use]
    pub fn max_retries(mut self, max_retries: u32) -> Self {
        self.max_retries = max_retries;
        self
    }

    /// The bounds of the first and of every wait.
    #[must_use]
    pub fn delays(mut self, base: Duration, max: Duration) -> Self {
        self.base_delay = base;
        self.max_delay = max;
        self
    }

    /// The bound of attempts and waits together.
    #[must_use]
    pub fn total(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }
}

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Outcome<'a> {
    /// With a status.
    Status(StatusCode, &'a HeaderMap),
    /// Without a connection: the server has not seen the request.
    NotSent,
    /// Somewhere after that: the server may have done the work.
    Lost,
}

/// Everything a decision depends on.
#[derive(Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) outcome: Outcome<'a>,
    /// Doing the work twice does no harm.
    pub(crate) repeatable: bool,
    /// Attempts made so far, 1 or more.
    pub(crate) attempts: u32,
    /// Since the first attempt began.
    pub(crate) elapsed: Duration,
    /// The wall clock, for dates that the server names.
    pub(crate) now: SystemTime,
    /// In 0..1.
    pub(crate) random: f64,
}

impl RetryPolicy {
    /// How long to wait before the next attempt, or `None` to stop.
    pub(crate) fn decide(&self, situation: &Situation<'_>) -> Option<Duration> {
        if situation.attempts > self.max_retries || !may_repeat(situation) {
            return None;
        }
        let told = match situation.outcome {
            Outcome::Status(_, headers) => told_to_wait(headers, situation.now),
            Outcome::NotSent | Outcome::Lost => None,
        };
        let wait = told.unwrap_or_else(|| self.backoff(situation.attempts).mul_f64(situation.random));
        (situation.elapsed.saturating_add(wait) < self.total).then_some(wait)
    }

    /// The bound of the wait after this many attempts.
    fn backoff(&self, attempts: u32) -> Duration {
        let doublings = 2_u32.saturating_pow(attempts.saturating_sub(1));
        self.base_delay.saturating_mul(doublings).min(self.max_delay)
    }
}

fn may_repeat(situation: &Situation<'_>) -> bool {
    match situation.outcome {
        Outcome::NotSent => true,
        Outcome::Lost => situation.repeatable,
        Outcome::Status(status, _) => {
            let not_done = matches!(status.as_u16(), 429 | 503);
            is_retryable_status(status) && (not_done || situation.repeatable)
        }
    }
}

/// What the server says about when to come back.
fn told_to_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
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
    Some(until(UNIX_EPOCH.checked_add(reset)?))
}

fn seconds(value: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(value).ok()
}

/// What came of one attempt.
pub(crate) trait Attempted {
    /// How it failed, or `None` when it is good.
    fn failure(&self) -> Option<Outcome<'_>>;
}

/// Attempts until one is good or the policy says stop. `attempt` gets its number and the time that is left.
pub(crate) async fn run<A, F>(
    policy: &RetryPolicy,
    repeatable: bool,
    mut attempt: impl FnMut(u32, Duration) -> F,
) -> (A, u32)
where
    A: Attempted,
    F: Future<Output = A>,
{
    let begun = Instant::now();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let attempted = attempt(attempts, policy.total.saturating_sub(begun.elapsed())).await;
        let Some(outcome) = attempted.failure() else { return (attempted, attempts) };
        let situation = Situation {
            outcome,
            repeatable,
            attempts,
            elapsed: begun.elapsed(),
            now: SystemTime::now(),
            random: fastrand::f64(),
        };
        let Some(wait) = policy.decide(&situation) else { return (attempted, attempts) };
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Lost;

    impl Attempted for Lost {
        fn failure(&self) -> Option<Outcome<'_>> {
            Some(Outcome::Lost)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_down_for_hours_is_given_up_on_within_the_total() {
        let policy = RetryPolicy::default().max_retries(u32::MAX);
        let begun = Instant::now();
        let mut left = Vec::new();
        let (_, attempts) = run(&policy, true, |_, remaining| {
            left.push(remaining);
            async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Lost
            }
        })
        .await;
        assert!(attempts > 5, "{attempts}");
        assert!(begun.elapsed() <= policy.total + Duration::from_secs(1), "{:?}", begun.elapsed());
        assert!(left.is_sorted_by(|one, two| one > two), "{left:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_may_not_be_repeated_is_made_once() {
        let (_, attempts) = run(&RetryPolicy::default(), false, |_, _| async { Lost }).await;
        assert_eq!(attempts, 1);
    }

    const NOW: u64 = 1_800_000_000;

    fn situation<'a>(outcome: Outcome<'a>, repeatable: bool) -> Situation<'a> {
        Situation {
            outcome,
            repeatable,
            attempts: 1,
            elapsed: Duration::ZERO,
            now: UNIX_EPOCH + Duration::from_secs(NOW),
            random: 0.5,
        }
    }

    fn after_status(status: u16, repeatable: bool) -> bool {
        let headers = HeaderMap::new();
        let outcome = Outcome::Status(StatusCode::from_u16(status).unwrap(), &headers);
        RetryPolicy::default().decide(&situation(outcome, repeatable)).is_some()
    }

    #[test]
    fn a_repeatable_request_is_retried_after_408_429_and_5xx() {
        for status in [408, 429, 500, 502, 503, 504, 599] {
            assert!(after_status(status, true), "{status}");
        }
        for status in [200, 302, 400, 401, 403, 404, 409, 422] {
            assert!(!after_status(status, true), "{status}");
        }
    }

    #[test]
    fn a_create_is_retried_only_when_it_cannot_have_been_done() {
        for status in [429, 503] {
            assert!(after_status(status, false), "{status}");
        }
        for status in [408, 500, 502, 504] {
            assert!(!after_status(status, false), "{status}");
        }
        let policy = RetryPolicy::default();
        assert!(policy.decide(&situation(Outcome::NotSent, false)).is_some());
        assert!(policy.decide(&situation(Outcome::Lost, false)).is_none());
        assert!(policy.decide(&situation(Outcome::Lost, true)).is_some());
    }

    #[test]
    fn the_server_names_the_wait_in_five_ways() {
        let reset = (NOW + 7).to_string();
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(NOW + 4));
        for (name, value, expected) in [
            ("retry-after", "3", 3.0),
            ("retry-after", "0.25", 0.25),
            ("retry-after", date.as_str(), 4.0),
            ("retry-after-ms", "1500", 1.5),
            ("x-ratelimit-reset", reset.as_str(), 7.0),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            let outcome = Outcome::Status(StatusCode::TOO_MANY_REQUESTS, &headers);
            let wait = RetryPolicy::default().decide(&situation(outcome, false)).unwrap();
            assert_eq!(wait, Duration::from_secs_f64(expected), "{name}: {value}");
        }
    }

    #[test]
    fn nonsense_from_the_server_falls_back_to_our_own_wait() {
        for value in ["-1", "NaN", "soon", "1e400"] {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", value.parse().unwrap());
            let outcome = Outcome::Status(StatusCode::SERVICE_UNAVAILABLE, &headers);
            let wait = RetryPolicy::default().decide(&situation(outcome, true)).unwrap();
            assert_eq!(wait, Duration::from_millis(250), "{value}");
        }
    }

    #[test]
    fn waits_double_up_to_a_cap_and_are_drawn_from_the_whole_range() {
        let policy = RetryPolicy::default().max_retries(100).total(Duration::MAX);
        let wait = |attempts, random| {
            policy.decide(&Situation { attempts, random, ..situation(Outcome::NotSent, true) }).unwrap()
        };
        assert_eq!(wait(1, 0.0), Duration::ZERO);
        assert_eq!(wait(3, 0.5), Duration::from_secs(1));
        assert_eq!(wait(60, 0.5), Duration::from_secs(30));
    }

    #[test]
    fn attempts_and_total_time_are_bounded() {
        let policy = RetryPolicy::default();
        assert!(policy.decide(&Situation { attempts: 3, ..situation(Outcome::NotSent, true) }).is_none());
        let late = Situation { elapsed: Duration::from_secs(180), ..situation(Outcome::NotSent, true) };
        assert!(policy.decide(&late).is_none());
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "3600".parse().unwrap());
        let outcome = Outcome::Status(StatusCode::TOO_MANY_REQUESTS, &headers);
        assert!(policy.decide(&situation(outcome, true)).is_none());
    }
}
