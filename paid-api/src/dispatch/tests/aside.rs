//! One record on which the server fails for ever, among others that get through.

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn poison(how: Poison) -> Arc<Server> {
    Arc::new(Server { poison: Mutex::new(Some(how)), ..Server::default() })
}

fn rig(server: &Arc<Server>, settings: Settings) -> Rig {
    Rig::assemble(Arc::clone(server), settings, |worker, _| worker)
}

fn heal(rig: &Rig) {
    *rig.server.poison.lock().unwrap() = None;
}

/// How many reports say that a record is set aside.
fn set_aside(failures: &[String]) -> usize {
    failures.iter().filter(|failure| failure.contains("is set aside")).count()
}

#[tokio::test(start_paused = true)]
async fn a_record_on_which_the_server_fails_holds_up_nobody_else() {
    for how in [Poison::Status(500), Poison::Status(504), Poison::Status(403), Poison::Status(404)] {
        for place in [0, 1, 250, 499, 500, 777, 999] {
            let rig = rig(&poison(how), Settings::default());
            for number in 0..1_000 {
                let name = if number == place { "poison" } else { "ok" };
                drop(rig.emit_for(number % 100, name, &number.to_string()));
            }
            tokio::time::sleep(MINUTE).await;
            let stats = rig.shared.counts.read();
            assert_eq!((stats.delivered, stats.set_aside, stats.queued()), (999, 1, 1), "{how:?} at {place}");
            assert_eq!(set_aside(&rig.failures.lock().unwrap()), 1);
            heal(&rig);
            tokio::time::sleep(10 * MINUTE).await;
            let stats = rig.shared.counts.read();
            assert_eq!((stats.delivered, stats.set_aside, stats.queued()), (1_000, 0, 0), "{how:?} at {place}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_is_busy_or_panics_because_of_one_record_holds_up_nobody_else_for_long() {
    for how in [Poison::Hang, Poison::Status(503), Poison::Panic] {
        let rig = rig(&poison(how), Settings::default());
        for number in 0..100 {
            drop(rig.emit_for(number % 10, if number == 40 { "poison" } else { "ok" }, &number.to_string()));
        }
        tokio::time::sleep(30 * MINUTE).await;
        let stats = rig.shared.counts.read();
        assert_eq!((stats.delivered, stats.set_aside), (99, 1), "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_alone_in_its_request_is_set_aside_for_those_behind_it() {
    for customers in [1, 5] {
        let rig = rig(&poison(Poison::Status(500)), Settings::default());
        drop(rig.emit_for(0, "poison", "p"));
        tokio::time::sleep(MINUTE).await;
        for number in 0..20 {
            drop(rig.emit_for(number % customers, "ok", &number.to_string()));
        }
        tokio::time::sleep(30 * MINUTE).await;
        let stats = rig.shared.counts.read();
        assert_eq!((stats.delivered, stats.set_aside), (20, 1), "{customers} customers");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_tried_again_at_growing_intervals_and_reported_once() {
    let rig = rig(&poison(Poison::Status(500)), Settings::default());
    for (name, key) in [("poison", "p"), ("ok", "a"), ("ok", "b")] {
        rig.emit(name, key).await;
    }
    tokio::time::sleep(10 * MINUTE).await;
    let soon = sizes(&rig.server).len();
    tokio::time::sleep(24 * 60 * MINUTE).await;
    let later = sizes(&rig.server).len() - soon;
    assert!((24..100).contains(&later), "{later} attempts in a day");
    assert_eq!(set_aside(&rig.failures.lock().unwrap()), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outage_sets_nothing_aside() {
    for status in [500, 503, 401, 404] {
        let down = std::iter::repeat_n(Act::Status(status), 300);
        let rig = Rig::start([Act::Take].into_iter().chain(down), Settings::default());
        rig.emit("ok", "first").await;
        rig.flush().await;
        for number in 0..50 {
            drop(rig.emit_for(number % 7, "ok", &number.to_string()));
        }
        rig.flush().await;
        assert_eq!(*rig.failures.lock().unwrap(), [""; 0], "{status}");
        assert_eq!(rig.shared.counts.read().delivered, 51);
    }
}

#[tokio::test(start_paused = true)]
async fn the_later_records_of_its_customer_wait_if_the_order_is_kept() {
    let rig = rig(&poison(Poison::Status(500)), Settings { keeps_order: true, ..Settings::default() });
    for number in 0..60 {
        drop(rig.emit_for(number % 3, if number == 6 { "poison" } else { "ok" }, &format!("{number:02}")));
    }
    tokio::time::sleep(MINUTE).await;
    for number in 60..90 {
        drop(rig.emit_for(number % 3, "ok", &format!("{number:02}")));
    }
    tokio::time::sleep(MINUTE / 2).await;
    let is_first_customer_s = |key: &&String| key.parse::<u32>().unwrap() % 3 == 0;
    let order = rig.server.order.lock().unwrap().clone();
    assert_eq!(order.len(), 62);
    assert_eq!(order.iter().filter(is_first_customer_s).collect::<Vec<_>>(), ["00", "03"]);
    heal(&rig);
    tokio::time::sleep(5 * MINUTE).await;
    let order = rig.server.order.lock().unwrap().clone();
    assert_eq!(order.len(), 90);
    assert!(order.iter().filter(is_first_customer_s).is_sorted(), "{order:?}");
}

#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_it_and_says_that_it_is_lost() {
    let rig = rig(&poison(Poison::Status(500)), Settings::default());
    drop(rig.emit_for(0, "poison", "p"));
    rig.emit_for(1, "ok", "a").await.unwrap();
    tokio::time::sleep(MINUTE).await;
    let begun = Instant::now();
    let (_, shared, failures) = rig.close().await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let stats = shared.counts.read();
    assert_eq!((stats.delivered, stats.dropped, stats.set_aside, stats.queued()), (1, 1, 0, 0));
    assert_eq!(failures.len(), 2, "{failures:?}");
}

#[tokio::test(start_paused = true)]
async fn many_are_set_aside_only_up_to_a_limit() {
    let rig = rig(&poison(Poison::Status(500)), Settings { queue: 40, ..Settings::default() });
    for number in 0..40 {
        drop(rig.emit_for(number, if number % 2 == 0 { "poison" } else { "ok" }, &number.to_string()));
    }
    tokio::time::sleep(30 * MINUTE).await;
    let stats = rig.shared.counts.read();
    assert_eq!((stats.set_aside, stats.dropped, stats.rejected), (10, 0, 0), "{stats:?}");
    heal(&rig);
    tokio::time::sleep(120 * MINUTE).await;
    assert_eq!(rig.shared.counts.read().delivered, 40);
}

#[tokio::test(start_paused = true)]
async fn an_end_under_a_wrong_key_makes_few_requests() {
    let rig = Rig::start([Act::Status(401); 100], Settings::default());
    rig.emit("ok", "a").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = sizes(&rig.server).len();
    let (server, shared, _) = rig.close().await;
    assert!(sizes(&server).len() - before <= 2, "{:?}", sizes(&server));
    assert_eq!(shared.counts.read().dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn a_customer_whose_record_of_a_failing_batch_is_decided_does_not_wait_for_it() {
    let acts = Mutex::new(std::iter::repeat_n(Act::Status(400), 3).collect());
    let server = Arc::new(Server { acts, ..Server::default() });
    let rig = rig(&server, Settings { keeps_order: true, ..Settings::default() });
    for (lane, name) in [(0, "bad"), (1, "poison"), (1, "poison"), (1, "poison")] {
        drop(rig.emit_for(lane, name, &server.requests.lock().unwrap().len().to_string()));
    }
    while rig.shared.counts.read().rejected == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // From now on nothing else gets through, which would tell a bad record from an outage.
    *server.poison.lock().unwrap() = Some(Poison::Status(500));
    drop(rig.emit_for(0, "ok", "later"));
    tokio::time::sleep(MINUTE).await;
    assert_eq!(*server.order.lock().unwrap(), ["later"]);
}
