//! What a cargo may choose: ranks, partial success; and waits that the server asks for.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_makes_way_does_so_in_a_full_queue_and_only_for_what_does_not() {
    let rig = Rig::start([Act::Hang], Settings { queue: 2, max_batch: 2, ..Settings::default() });
    let modest = rig.emit_for(0, "modest", "a");
    let first = rig.emit_for(0, "good", "b");
    let refused = rig.emit_for(0, "modest", "c");
    let instead = rig.emit_for(0, "good", "d");
    assert!(matches!(modest.await, Err(DeliveryError::Dropped { name, .. }) if name == "modest"));
    assert!(matches!(refused.await, Err(DeliveryError::QueueFull { name, .. }) if name == "modest"));
    assert!(matches!(rig.emit_for(0, "good", "e").await, Err(DeliveryError::QueueFull { .. })));
    drop((first, instead));
}

#[tokio::test(start_paused = true)]
async fn a_partial_success_that_cannot_be_repeated_is_counted_and_reported_and_not_sent_again() {
    let rig = Rig::start([], Settings { partial: Partial::Keep, ..Settings::default() });
    for (name, key) in [("good", "a"), ("failing", "b"), ("good", "c")] {
        rig.emit(name, key).await;
    }
    rig.flush().await;
    let (server, shared, failures) = rig.close().await;
    assert_eq!(sizes(&server), [3]);
    let stats = shared.counts.read();
    assert_eq!((stats.delivered, stats.rejected, stats.queued()), (2, 1, 0));
    assert_eq!(
        failures,
        ["the server refused 1 record(s) of a batch without saying which; 3 signals in the batch may be missing"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_server_asks_for_is_kept() {
    let rig = Rig::start([Act::Ask(600)], Settings::default());
    let begun = Instant::now();
    rig.emit("x", "a").await;
    rig.flush().await;
    let waited = begun.elapsed().as_secs();
    assert!((600..602).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_no_wait_gets_a_pause_all_the_same() {
    let acts = (0..5).map(|_| Act::Ask(0));
    let rig = Rig::start(acts, Settings::default());
    let begun = Instant::now();
    rig.emit("x", "a").await;
    rig.flush().await;
    // A tenth of 0.5, 1, 2, 4 and 8 seconds at least.
    assert!(begun.elapsed() >= Duration::from_millis(1_550), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_goes_first_is_not_dropped_for_what_makes_way() {
    let settings = Settings { queue: 2, max_batch: 2, overflow: Overflow::DropOldest, ..Settings::default() };
    let rig = Rig::start([Act::Hang], settings);
    let (first, second) = (rig.emit_for(0, "good", "a"), rig.emit_for(0, "good", "b"));
    assert!(matches!(rig.emit_for(0, "modest", "c").await, Err(DeliveryError::QueueFull { .. })));
    let third = rig.emit_for(0, "good", "d");
    assert!(matches!(first.await, Err(DeliveryError::Dropped { .. })));
    drop((second, third));
}

#[tokio::test(start_paused = true)]
async fn a_flush_after_the_end_is_answered_at_once() {
    let rig = Rig::start([], Settings::default());
    let queue = Arc::clone(&rig.queue);
    rig.close().await;
    let (tell, told) = crate::dispatch::tell::channel();
    assert!(!queue.flush(FlushTell::Task(tell)));
    assert!(told.await.is_err());
}
