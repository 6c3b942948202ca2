//! A server that fails on one signal for ever: the others get through, and the one can be seen.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use paid::DeliveryError;

use super::*;

const SIGNALS: u64 = 300;
const SOON: Duration = Duration::from_secs(30);

/// Answers 500 to every request with the signal `poison`, until it is repaired. Runs until the test ends.
async fn failing_on_poison(is_repaired: Arc<AtomicBool>) -> String {
    let answer = move |body: String| async move {
        let body: Value = serde_json::from_str(&body).unwrap();
        let signals = body["signals"].as_array().unwrap();
        let is_poisoned = signals.iter().any(|signal| signal["eventName"] == "poison");
        if is_poisoned && !is_repaired.load(Ordering::SeqCst) {
            return (StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": "boom" }).to_string());
        }
        (StatusCode::OK, json!({ "ingested": signals.len(), "duplicates": 0, "failed": 0 }).to_string())
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/api/v2", listener.local_addr().unwrap());
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(post(answer))).await.unwrap() });
    url
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waits = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(SOON, waits).await.is_ok(), "never: {what}");
}

/// Emits for 50 customers. One signal in the middle is the one that the server fails on, if there is to be one.
fn emit(emitter: &Emitter, poison: Option<u64>) {
    for number in 0..SIGNALS {
        let name = if poison == Some(number) { "poison" } else { "good" };
        emitter
            .emit(Signal::new(name).customer(format!("c{}", number % 50)).idempotency_key(format!("{name}-{number}")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_fails_on_one_signal_for_ever_holds_up_no_other_and_the_one_is_shown() {
    for has_outbox in [false, true] {
        let is_repaired = Arc::new(AtomicBool::new(false));
        let client = Client::builder().api_key("paid_x").retry(RetryPolicy::never());
        let client = client.base_url(failing_on_poison(Arc::clone(&is_repaired)).await).build().unwrap();
        let (folder, heard) = (tempfile::tempdir().unwrap(), Arc::<Mutex<Vec<DeliveryError>>>::default());
        let hears = Arc::clone(&heard);
        let builder = Emitter::builder(client).retry_delays(Duration::from_millis(5), Duration::from_millis(20));
        let builder = builder.on_error(move |failure| hears.lock().unwrap().push(failure.clone()));
        let builder = if has_outbox { builder.outbox(folder.path()) } else { builder };
        let emitter = builder.build().unwrap();

        emit(&emitter, Some(SIGNALS / 2));
        until("the others get through", || emitter.stats().delivered == SIGNALS - 1).await;
        until("it is set aside", || emitter.stats().set_aside == 1).await;
        emit(&emitter, None);
        until("later ones get through", || emitter.stats().delivered == 2 * SIGNALS - 1).await;
        let is_it =
            |failure: &DeliveryError| matches!(failure, DeliveryError::SetAside { key, .. } if key == "poison-150");
        until("the hook hears of it", || heard.lock().unwrap().iter().any(is_it)).await;
        assert_eq!(heard.lock().unwrap().len(), 1, "once: {heard:?}");
        if has_outbox {
            // The emitter has the outbox open.
            let is_shown = || run(folder.path(), "list", &[]).out.contains("1 signal set aside: tried again");
            until("it is shown", is_shown).await;
            run(folder.path(), "list", &[]).ends(0, &["poison-150", "500"]);
            assert_eq!(paid::outbox::set_aside(folder.path()).unwrap()[0].letter.key, "poison-150");
        }
        is_repaired.store(true, Ordering::SeqCst);
        emitter.flush(SOON).await.unwrap();
        let stats = emitter.stats();
        assert_eq!((stats.delivered, stats.rejected, stats.dropped, stats.set_aside), (2 * SIGNALS, 0, 0, 0));
        emitter.shutdown(SOON).await.unwrap();
        drop(emitter);
        if has_outbox {
            let said = run(folder.path(), "list", &[]);
            said.ends(0, &["no pending signals"]);
            assert!(!said.both().contains("poison-150"), "{said:?}");
        }
    }
}
