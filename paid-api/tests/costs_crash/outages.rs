//! An outage that loses the answers to some requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::restarts::until;
use super::server::{Answer, MS, SECOND, Server, builder, cost};

/// A lost answer does not count: it shows neither that other records get through nor that this one is to blame.
#[tokio::test]
async fn in_an_outage_that_loses_answers_no_cost_record_is_set_aside() {
    let is_up = Arc::new(AtomicBool::new(false));
    let server = Server::start({
        let is_up = Arc::clone(&is_up);
        move |vendors| match vendors {
            _ if is_up.load(Ordering::SeqCst) => Answer::STORED,
            [one] if one == "waits" => Answer::of(false, 503),
            _ => Answer::of(true, 500),
        }
    });
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let hears = Arc::clone(&heard);
    let costs = builder(server.url(), 5 * SECOND).max_batch(1).on_error(move |failure| {
        hears.lock().unwrap().push(failure.to_string());
    });
    let costs = costs.linger(MS).retry_delays(MS, 5 * MS).build().unwrap();
    let waits = costs.record(cost("waits", "a"));
    let tries = || server.seen().iter().filter(|vendor| *vendor == "waits").count();
    for round in 0..30 {
        let before = tries();
        assert!(costs.record(cost(&format!("lost {round}"), "b")).await.is_err());
        until("it is tried again", || tries() > before || costs.stats().set_aside > 0).await;
    }
    assert_eq!(costs.stats().set_aside, 0, "{heard:?}");
    is_up.store(true, Ordering::SeqCst);
    waits.await.unwrap();
    assert_eq!((costs.stats().delivered, costs.uncertain()), (1, 30));
}
