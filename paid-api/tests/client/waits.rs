//! A wait that a server asks for in one of several answers.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use paid::costs::{CostEmitter, CostRecord};
use paid::{Currency, Emitter, Money, Signal};

use super::server::{Request, Server, accepts, answer};
use super::{client, wait_until};

/// How many requests are in progress when the server asks for a wait.
const AT_ONCE: usize = 4;
const ASKED: Duration = Duration::from_secs(2);
const QUICK: Duration = Duration::from_millis(1);
const SOON: Duration = Duration::from_secs(30);

/// When each request arrived, and when the wait was asked for.
#[derive(Default)]
struct Times {
    arrived: Vec<Instant>,
    asked: Option<Instant>,
}

/// Refuses the requests that arrive together with 429. The answer to the first one asks for a wait and is sent before the
/// others, which ask for none. Accepts whatever comes later.
fn asking_once() -> (Server, Arc<Mutex<Times>>) {
    let times = Arc::<Mutex<Times>>::default();
    let shared = Arc::clone(&times);
    let server = Server::start(move |request: &Request| {
        let place = {
            let mut times = shared.lock().unwrap();
            times.arrived.push(Instant::now());
            times.arrived.len()
        };
        if place > AT_ONCE {
            return accepts(request);
        }
        wait_until("all requests are there", || shared.lock().unwrap().arrived.len() >= AT_ONCE);
        if place == 1 {
            shared.lock().unwrap().asked = Some(Instant::now());
            return answer(429, &[("retry-after", &ASKED.as_secs().to_string())], "{}");
        }
        wait_until("the first is answered", || shared.lock().unwrap().asked.is_some());
        // The answer that asks for the wait has been read by then.
        std::thread::sleep(Duration::from_millis(300));
        answer(429, &[], "{}")
    });
    (server, times)
}

/// Emits for one customer each: some that are on their way when the server asks for the wait, and some that come later.
async fn all_wait(times: &Mutex<Times>, mut emit: impl FnMut(usize)) {
    (0..AT_ONCE).for_each(&mut emit);
    let asks = || times.lock().unwrap().asked.is_some();
    let until_it_asks = async {
        while !asks() {
            tokio::time::sleep(QUICK).await;
        }
    };
    tokio::time::timeout(SOON, until_it_asks).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    (AT_ONCE..AT_ONCE * 2).for_each(emit);
}

/// Every request after the first ones came when the wait was over, and brought each record once.
fn kept_the_wait(server: &Server, times: &Mutex<Times>) {
    let times = times.lock().unwrap();
    let begun = times.asked.unwrap();
    let waits: Vec<_> = times.arrived[AT_ONCE..].iter().map(|arrived| arrived.duration_since(begun)).collect();
    assert!(waits.len() >= AT_ONCE && waits.iter().all(|wait| *wait >= ASKED), "{waits:?}");
    let records: usize = server.seen()[AT_ONCE..].iter().map(Request::records).sum();
    assert_eq!(records, AT_ONCE * 2);
}

#[tokio::test]
async fn a_wait_that_the_server_asks_for_in_one_answer_holds_for_all_requests_of_signals() {
    let (server, times) = asking_once();
    let builder = Emitter::builder(client(&server.url)).in_flight(AT_ONCE).max_batch(1).linger(Duration::ZERO);
    let emitter = builder.retry_delays(QUICK, QUICK).build().unwrap();
    all_wait(&times, |number| drop(emitter.emit(Signal::new("sent").customer(format!("c{number}"))))).await;
    emitter.flush(SOON).await.unwrap();
    kept_the_wait(&server, &times);
    assert_eq!((emitter.stats().delivered, emitter.stats().duplicates), (AT_ONCE as u64 * 2, 0));
}

#[tokio::test]
async fn a_wait_that_the_server_asks_for_in_one_answer_holds_for_all_requests_of_cost_records() {
    let (server, times) = asking_once();
    let builder = CostEmitter::builder(client(&server.url)).in_flight(AT_ONCE).max_batch(1).linger(Duration::ZERO);
    let costs = builder.retry_delays(QUICK, QUICK).build().unwrap();
    all_wait(&times, |number| {
        let record = CostRecord::amount(Money::parse("0.01", Currency::USD).unwrap());
        drop(costs.record(record.customer(format!("c{number}"))));
    })
    .await;
    costs.flush(SOON).await.unwrap();
    kept_the_wait(&server, &times);
    assert_eq!((costs.stats().delivered, costs.uncertain()), (AT_ONCE as u64 * 2, 0));
}
