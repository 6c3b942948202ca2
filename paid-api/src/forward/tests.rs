//! Forwarding in virtual time.

mod rig;

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::time::{Instant, sleep};

use super::*;
use crate::{Overflow, Signal};
use rig::{ACK_WAIT, JetStream, Paid, Rig};

const HOUR: Duration = Duration::from_secs(3_600);

/// Forwards until everything is acknowledged, or for an hour.
async fn until_empty(rig: &Rig, messages: usize) {
    let decided = || rig.stream.acks(Ack::Done).len() + rig.stream.acks(Ack::Never).len();
    let give_up = Instant::now() + HOUR;
    while decided() < messages && Instant::now() < give_up {
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn messages_wait_for_room_through_an_outage_and_none_is_reported_or_delivered_twice() {
    let rig =
        Rig::new(JetStream::of_signals(0..200, 10_000), |builder| builder.queue_bytes(256 << 10).keep_order(true));
    rig.set(Paid::Down);
    let outage = async {
        sleep(HOUR).await;
        assert_eq!(rig.reports(), [""; 0]);
        rig.set(Paid::Up);
        until_empty(&rig, 200).await;
    };
    let forwarded = rig.forward(outage).await.unwrap();
    assert_eq!((forwarded.delivered, forwarded.refused, forwarded.returned), (200, 0, 0));
    assert_eq!(rig.keys(), (0..200).map(|number| format!("{number:04}")).collect::<Vec<_>>());
    assert_eq!((rig.emitter.stats().refused, rig.reports().len(), rig.stream.redelivered()), (0, 0, 0));
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn stop_ends_the_forwarder_within_its_patience_and_returns_what_paid_has_not_answered() {
    for (paid, patience) in [(Paid::Down, 5), (Paid::Hangs, 5), (Paid::Down, 0), (Paid::Hangs, 60)] {
        let set = |builder: crate::EmitterBuilder| builder.queue(10).patience(Duration::from_secs(patience));
        let rig = Rig::new(JetStream::of_signals(0..50, 10), set);
        rig.set(paid);
        let begun = Instant::now();
        let forwarded = rig.forward(sleep(Duration::from_secs(100))).await.unwrap();
        let took = begun.elapsed().as_secs() - 100;
        assert_eq!((took, forwarded.delivered, forwarded.returned), (patience, 0, 50));
        let mut returned = rig.stream.acks(Ack::Again(None));
        returned.sort_unstable();
        assert_eq!(returned, (0..50).collect::<Vec<_>>());
        assert_eq!(rig.reports(), [""; 0]);
        rig.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_being_sent_at_the_stop_is_still_acknowledged() {
    let rig = Rig::new(JetStream::of_signals(0..50, 10), |builder| builder.linger(Duration::from_secs(2)));
    // All of them are in the emitter and wait for others.
    let forwarded = rig.forward(sleep(Duration::from_secs(1))).await.unwrap();
    assert_eq!((forwarded.delivered, forwarded.returned), (50, 0));
    assert_eq!(rig.stream.acks(Ack::Done).len(), 50);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_larger_than_the_queue_passes_alone() {
    let stream = JetStream::of_signals(0..20, 10);
    let large = Signal::new("e").customer("c").idempotency_key("large").field("text", &"x".repeat(50_000));
    stream.publish(20, large.to_json().to_string().as_bytes());
    let after = Signal::new("e").customer("c").idempotency_key("last");
    stream.publish(21, after.to_json().to_string().as_bytes());
    let rig = Rig::new(stream, |builder| builder.queue_bytes(10_000));
    let forwarded = rig.forward(until_empty(&rig, 22)).await.unwrap();
    assert_eq!((forwarded.delivered, rig.reports().len()), (22, 0));
    assert_eq!(rig.keys()[20..], ["large", "last"]);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_will_never_be_delivered_is_removed_and_reported() {
    let stream = JetStream::of_signals(0..3, 10);
    stream.publish(3, b"no signal");
    let rig = Rig::new(stream, |builder| builder);
    rig.set(Paid::Refuses);
    let forwarded = rig.forward(until_empty(&rig, 4)).await.unwrap();
    assert_eq!((forwarded.delivered, forwarded.refused, forwarded.returned), (0, 4, 0));
    assert_eq!((rig.stream.acks(Ack::Never).len(), rig.reports().len()), (4, 4));
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn many_signals_on_which_paid_fails_are_dead_letters_and_the_forwarder_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let stream = JetStream::default();
    for number in 0..60 {
        let signal = Signal::new("e").customer(format!("c{number}")).idempotency_key(format!("{number:04}"));
        stream.publish(number, signal.to_json().to_string().as_bytes());
    }
    let rig = Rig::new(stream, |builder| builder.queue(10).outbox(folder.path()));
    rig.set(Paid::Fails);
    // Two may stand aside.
    let forwarded = rig.forward(until_empty(&rig, 58)).await.unwrap();
    assert_eq!((forwarded.delivered, forwarded.refused, forwarded.returned), (56, 2, 2), "{:?}", rig.reports());
    assert_eq!(rig.emitter.stats().rejected, 2);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_again_while_it_is_sent_is_sent_once() {
    let stream = JetStream::of_signals(0..1, 10);
    let rig = Rig::new(stream.clone(), |builder| builder);
    rig.set(Paid::Down);
    // The first delivery, and a second one as from a server that has lost its memory.
    let twice = async {
        sleep(Duration::from_secs(10)).await;
        let body = Signal::new("e").customer("c").idempotency_key("0000").to_json().to_string();
        stream.publish(0, body.as_bytes());
        sleep(Duration::from_secs(10)).await;
        rig.set(Paid::Up);
        until_empty(&rig, 1).await;
    };
    let forwarded = rig.forward(twice).await.unwrap();
    assert_eq!((forwarded.delivered, rig.emitter.stats().accepted), (1, 1));
    assert_eq!((rig.stream.redelivered(), rig.stream.acks(Ack::Done)), (1, vec![0]));
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_forwarder_whose_emitter_is_shut_down_ends_and_returns_everything_unreported() {
    let rig = Rig::new(JetStream::of_signals(0..50, 10), |builder| builder.queue(10));
    rig.set(Paid::Down);
    let shut_down = async {
        sleep(Duration::from_secs(5)).await;
        let _ = rig.emitter.shutdown(Duration::from_secs(1)).await;
        std::future::pending::<()>().await;
    };
    let begun = Instant::now();
    let forwarded = rig.forward(shut_down).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!((forwarded.delivered, forwarded.returned), (0, 50));
    // What the emitter had accepted, it reports as at every end.
    assert_eq!((rig.emitter.stats().refused, rig.emitter.stats().dropped), (0, 10));
    assert!(rig.reports().iter().all(|report| report.contains("not delivered")), "{:?}", rig.reports());
}

#[tokio::test(start_paused = true)]
async fn messages_that_are_dropped_for_other_signals_come_back_ever_later() {
    let set = |builder: crate::EmitterBuilder| builder.queue(10).max_batch(1).overflow(Overflow::DropOldest);
    let rig = Rig::new(JetStream::of_signals(0..10, 10), set);
    rig.set(Paid::Hangs);
    let others = async {
        // Half of the messages are being sent, and half are in the queue.
        sleep(Duration::from_secs(1)).await;
        for _ in 0..5 {
            drop(rig.emitter.emit(Signal::new("e").customer("c")));
        }
        sleep(Duration::from_secs(1)).await;
    };
    rig.forward(others).await.unwrap();
    let again: Vec<_> = rig.stream.look(|state| {
        let waits = state.acks.iter().filter_map(|(_, ack)| if let Ack::Again(wait) = ack { *wait } else { None });
        waits.map(|wait| wait.as_secs()).collect()
    });
    assert_eq!(again, [1, 2, 4, 8, 16]);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn acknowledgements_that_fail_are_repeated_and_those_that_hang_hold_nothing_up() {
    let rig = Rig::new(JetStream::of_signals(0..3, 10), |builder| builder);
    rig.stream.look(|state| state.acks_to_fail = 5);
    let forwarded = rig.forward(until_empty(&rig, 3)).await.unwrap();
    assert_eq!((forwarded.delivered, rig.stream.acks(Ack::Done).len(), rig.stream.redelivered()), (3, 3, 0));
    rig.end().await;

    let rig = Rig::new(JetStream::of_signals(0..3, 10), |builder| builder.patience(Duration::from_secs(1)));
    rig.stream.look(|state| state.acks_hang = true);
    let begun = Instant::now();
    let forwarded = rig.forward(sleep(HOUR)).await.unwrap();
    assert_eq!(forwarded.delivered, 3);
    assert!(begun.elapsed() < HOUR + Duration::from_secs(4), "{:?}", begun.elapsed() - HOUR);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_acknowledgement_is_lost_comes_again_and_is_not_sent_again() {
    let rig = Rig::new(JetStream::of_signals(0..3, 10), |builder| builder);
    rig.stream.look(|state| state.acks_to_fail = 9);
    let forwarded = rig.forward(until_empty(&rig, 3)).await.unwrap();
    assert_eq!((forwarded.delivered, rig.stream.acks(Ack::Done).len(), rig.stream.redelivered()), (3, 3, 3));
    assert_eq!((rig.emitter.stats().accepted, rig.keys().len()), (3, 3));
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_cannot_be_read_is_an_error_after_what_is_being_sent() {
    let rig = Rig::new(JetStream::of_signals(0..3, 10), |builder| builder.linger(Duration::from_secs(2)));
    let delete = async {
        sleep(Duration::from_secs(1)).await;
        rig.stream.look(|state| state.is_deleted = true);
        std::future::pending::<()>().await;
    };
    let error = rig.forward(delete).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read the stream: deleted");
    assert_eq!(rig.stream.acks(Ack::Done).len(), 3);
    rig.end().await;
    let rig = Rig::new(JetStream::default(), |builder| builder);
    let none = stream::iter([]).map(|nothing: std::convert::Infallible| match nothing {});
    let ended = forward_messages::<rig::Message>(none, ACK_WAIT, &rig.emitter, std::future::pending()).await;
    assert!(ended.is_err());
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_emitter_that_sends_nothing_takes_no_message() {
    type Set = fn(crate::EmitterBuilder) -> crate::EmitterBuilder;
    for set in [(|builder| builder.dry_run(true)) as Set, |builder| builder.enabled(false)] {
        let rig = Rig::new(JetStream::of_signals(0..3, 10), set);
        let forwarded = rig.forward(sleep(Duration::from_secs(60))).await.unwrap();
        assert_eq!(forwarded, Forwarded::default());
        rig.stream.look(|state| assert_eq!(state.acks, []));
        rig.end().await;
    }
}

#[test]
fn the_shortest_silence_that_a_consumer_bears_counts() {
    let seconds = Duration::from_secs;
    let config = |ack_wait, backoff: &[u64]| consumer::Config {
        ack_wait: seconds(ack_wait),
        backoff: backoff.iter().copied().map(seconds).collect(),
        ..Default::default()
    };
    assert_eq!(ack_wait(&config(0, &[])), seconds(30));
    assert_eq!(ack_wait(&config(6, &[])), seconds(6));
    assert_eq!(ack_wait(&config(30, &[2, 5, 60])), seconds(2));
}
