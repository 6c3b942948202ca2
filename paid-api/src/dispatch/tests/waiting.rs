//! What is seen of a server that does not answer, and of one that must be asked again.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_requests_and_never_answers_is_seen_at_once_and_said_after_seconds() {
    let rig = Rig::start([Act::Hang], Settings::default());
    drop(rig.emit("x", "a").await);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stats = rig.shared.counts.read();
    assert_eq!((stats.requests, stats.unanswered, stats.slow, stats.circuit_open), (0, 1, 0, false));
    assert_ne!(stats.unanswered_since, 0);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let stats = rig.shared.counts.read();
    assert_eq!((stats.requests, stats.unanswered, stats.slow, stats.circuit_open), (0, 1, 1, true));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_counted_and_an_answered_request_is_no_longer_waited_for() {
    let rig = Rig::start([Act::Status(503), Act::Status(503)], Settings::default());
    drop(rig.emit("x", "a").await);
    rig.flush().await;
    let stats = rig.shared.counts.read();
    assert_eq!((stats.requests, stats.retries, stats.delivered), (3, 2, 1));
    assert_eq!((stats.unanswered, stats.unanswered_since, stats.slow), (0, 0, 0));
}
