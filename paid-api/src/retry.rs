//! When the client retries: a policy over [`Verdict`]s, and the loop that applies it. Knows no HTTP client and no
//! operation.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

use crate::duration::bounded;
use crate::platform::{self, Instant};
use crate::verdict::{self, Backoff, Verdict};

/// A server that asks for a longer wait is not waited for, whatever the total.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// How often and for how long a request is retried.
///
/// A request is retried if its [`Verdict`] is temporary: no connection was made, or Paid answered 408, 425, 429 or 5xx. A
/// request that could do its work twice (a create without an idempotency key) is retried only if the work cannot have
/// been done: no connection was made, or Paid answered 425, 429 or 503. The wait is what the server asks for in
/// `retry-after-ms`, `Retry-After` or `X-RateLimit-Reset`; otherwise it is random, between a tenth of a bound and the
/// bound, which doubles with every attempt. If the server asks for more than an hour, the error is returned at once.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Retries after the first attempt; 2 by default.
    pub max_retries: u32,
    /// The upper bound of the first wait; 500 ms by default.
    pub base_delay: Duration,
    /// The upper bound of every wait, unless the server asks for a longer one; 60 s by default.
    pub max_delay: Duration,
    /// The time limit of the whole request, attempts and waits together; 3 minutes by default.
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
    /// A policy under which each request is sent once.
    pub fn never() -> Self {
        Self { max_retries: 0, ..Self::default() }
    }

    /// Sets how many retries may follow the first attempt.
    #[must_use]
    pub fn max_retries(mut self, max_retries: u32) -> Self {
        self.max_retries = max_retries;
        self
    }

    /// Sets the upper bounds of the first wait and of every wait.
    #[must_use]
    pub fn delays(mut self, base: Duration, max: Duration) -> Self {
        self.base_delay = base;
        self.max_delay = max;
        self
    }

    /// Sets the time limit of attempts and waits together.
    #[must_use]
    pub fn total(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }
}

/// Everything that the decision to retry depends on.
#[derive(Debug)]
pub(crate) struct Situation<'a> {
    /// What the last response, or the lack of one, means.
    pub(crate) verdict: Verdict,
    /// The headers of the last response, if one arrived.
    pub(crate) headers: Option<&'a HeaderMap>,
    /// True if executing the request twice does no harm.
    pub(crate) repeatable: bool,
    /// Attempts made so far, 1 or more.
    pub(crate) attempts: u32,
    /// The time since the first attempt began.
    pub(crate) elapsed: Duration,
    /// The wall clock, for dates in the headers.
    pub(crate) now: SystemTime,
    /// A random number between 0 and 1.
    pub(crate) random: f64,
}

impl RetryPolicy {
    /// How long to wait before the next attempt, or `None` to stop.
    pub(crate) fn decide(&self, situation: &Situation<'_>) -> Option<Duration> {
        if situation.attempts > self.max_retries || !may_repeat(situation) {
            return None;
        }
        let asked = situation.headers.and_then(|headers| verdict::asked_to_wait(headers, situation.now));
        if asked.is_some_and(|asked| asked > LONGEST_ASKED) {
            return None;
        }
        let backoff = Backoff { base: self.base_delay, max: self.max_delay };
        let wait = asked.unwrap_or_else(|| backoff.wait(situation.attempts, situation.random));
        (situation.elapsed.saturating_add(wait) < bounded(self.total)).then_some(wait)
    }
}

fn may_repeat(situation: &Situation<'_>) -> bool {
    match situation.verdict {
        Verdict::NotDone => true,
        Verdict::Unknown => situation.repeatable,
        Verdict::Done | Verdict::BadContent | Verdict::BadKey | Verdict::Misdirected => false,
    }
}

/// The result of one attempt.
pub(crate) trait Attempted {
    /// What it means.
    fn verdict(&self) -> Verdict;
    /// The headers of the response, if one arrived.
    fn headers(&self) -> Option<&HeaderMap>;
}

/// Makes attempts until the work is done or the policy stops. `attempt` gets its number and the remaining time.
pub(crate) async fn run<A, F>(
    policy: &RetryPolicy,
    repeatable: bool,
    mut attempt: impl FnMut(u32, Duration) -> F,
) -> (A, u32)
where
    A: Attempted,
    F: Future<Output = A>,
{
    let (begun, total) = (Instant::now(), bounded(policy.total));
    let mut attempts = 0_u32;
    loop {
        attempts = attempts.saturating_add(1);
        let attempted = attempt(attempts, total.saturating_sub(begun.elapsed())).await;
        let situation = Situation {
            verdict: attempted.verdict(),
            headers: attempted.headers(),
            repeatable,
            attempts,
            elapsed: begun.elapsed(),
            now: platform::system_time(),
            random: fastrand::f64(),
        };
        let Some(wait) = policy.decide(&situation) else { return (attempted, attempts) };
        platform::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use reqwest::StatusCode;

    use super::*;

    struct Lost;

    impl Attempted for Lost {
        fn verdict(&self) -> Verdict {
            Verdict::Unknown
        }

        fn headers(&self) -> Option<&HeaderMap> {
            None
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

    fn situation(verdict: Verdict, repeatable: bool) -> Situation<'static> {
        Situation {
            verdict,
            headers: None,
            repeatable,
            attempts: 1,
            elapsed: Duration::ZERO,
            now: UNIX_EPOCH,
            random: 1.0,
        }
    }

    fn is_retried(status: u16, repeatable: bool) -> bool {
        let verdict = Verdict::of_status(StatusCode::from_u16(status).unwrap());
        RetryPolicy::default().decide(&situation(verdict, repeatable)).is_some()
    }

    #[test]
    fn a_repeatable_request_is_retried_after_408_429_and_5xx() {
        for status in [408, 429, 500, 502, 503, 504, 599] {
            assert!(is_retried(status, true), "{status}");
        }
        for status in [200, 302, 400, 401, 403, 404, 409, 422] {
            assert!(!is_retried(status, true), "{status}");
        }
    }

    #[test]
    fn a_create_is_retried_only_when_it_cannot_have_been_done() {
        for status in [429, 503] {
            assert!(is_retried(status, false), "{status}");
        }
        for status in [408, 500, 502, 504] {
            assert!(!is_retried(status, false), "{status}");
        }
        let policy = RetryPolicy::default();
        assert!(policy.decide(&situation(Verdict::of_failure(false), false)).is_some());
        assert!(policy.decide(&situation(Verdict::of_failure(true), false)).is_none());
        assert!(policy.decide(&situation(Verdict::of_failure(true), true)).is_some());
    }

    #[test]
    fn the_wait_is_the_server_s_or_else_grows() {
        let policy = RetryPolicy::default().max_retries(100).total(Duration::MAX);
        let mut headers = HeaderMap::new();
        let own = |attempts| policy.decide(&Situation { attempts, ..situation(Verdict::NotDone, true) }).unwrap();
        assert_eq!((own(1), own(3), own(60)), (policy.base_delay, policy.base_delay * 4, policy.max_delay));
        for (text, expected) in [("3", Duration::from_secs(3)), ("soon", policy.base_delay)] {
            headers.insert("retry-after", text.parse().unwrap());
            let told = Situation { headers: Some(&headers), ..situation(Verdict::NotDone, true) };
            assert_eq!(policy.decide(&told), Some(expected), "{text}");
        }
    }

    #[test]
    fn attempts_and_total_time_are_bounded() {
        let policy = RetryPolicy::default();
        assert!(policy.decide(&Situation { attempts: 3, ..situation(Verdict::NotDone, true) }).is_none());
        let late = Situation { elapsed: Duration::from_secs(180), ..situation(Verdict::NotDone, true) };
        assert!(policy.decide(&late).is_none());
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "3600".parse().unwrap());
        assert!(policy.decide(&Situation { headers: Some(&headers), ..situation(Verdict::NotDone, true) }).is_none());
    }

    #[test]
    fn for_ever_is_a_long_time_and_a_server_cannot_make_it_longer() {
        let policy = RetryPolicy::default().total(Duration::MAX).delays(Duration::MAX, Duration::MAX);
        assert!(policy.decide(&situation(Verdict::NotDone, true)).is_some());
        for asked in ["3601", "1e15", "99999999999999999999999"] {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", asked.parse().unwrap());
            let told = Situation { headers: Some(&headers), ..situation(Verdict::NotDone, true) };
            assert_eq!(policy.decide(&told), None, "{asked}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_setting_makes_the_loop_panic() {
        for limit in [Duration::MAX, Duration::ZERO] {
            let policy = RetryPolicy::default().total(limit).delays(limit, limit);
            assert!(run(&policy, true, |_, _| async { Lost }).await.1 >= 1);
        }
    }
}
