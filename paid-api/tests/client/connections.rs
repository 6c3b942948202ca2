//! A connection lives on the runtime that opened it: no runtime holds up the requests of another.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use paid::costs::{CostEmitter, CostRecord};
use paid::{Batch, Client, Counts, Currency, Emitter, EmitterBuilder, Method, Money, Sink, SinkFuture};
use tokio::runtime::{Builder, Runtime};

use super::server::{Server, accepts, answer};
use super::{client, signal, wait_until};

const PATIENCE: Duration = Duration::from_secs(10);

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A request that leaves a connection in the pool of the current runtime.
async fn ask(client: &Client) {
    client.request(Method::GET, "/products/").await.unwrap();
}

fn cost() -> CostRecord<paid::costs::Spent> {
    CostRecord::amount(Money::parse("0.01", Currency::USD).unwrap()).customer("acme")
}

/// The sink of a user, over a client that the program uses, too.
struct Own(Client);

impl Sink for Own {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async move {
            ask(&self.0).await;
            Ok(Counts { ingested: batch.len() as u64, ..Counts::default() })
        })
    }
}

/// Signals and costs are delivered, whatever became of the runtime that made a request before.
fn is_delivered(client: &Client) {
    let folder = tempfile::tempdir().unwrap();
    let emitters = [
        Emitter::new(client.clone()).unwrap(),
        Emitter::builder(client.clone()).outbox(folder.path()).build().unwrap(),
        EmitterBuilder::over(Own(client.clone())).build().unwrap(),
    ];
    for emitter in &emitters {
        drop(emitter.emit(signal("k-1")));
    }
    let costs = CostEmitter::new(client.clone()).unwrap();
    drop(costs.record(cost()));
    // On this thread, which may be one that a runtime waits for.
    for emitter in &emitters {
        wait_until("the signal is delivered", || emitter.stats().delivered == 1);
    }
    wait_until("the cost is delivered", || costs.stats().delivered == 1);
    assert_eq!(costs.uncertain(), 0);
}

#[test]
fn a_runtime_that_is_not_driven_holds_up_no_emitter() {
    let server = Server::start(accepts);
    let client = client(&server.url);
    let runtime = current_thread();
    runtime.block_on(ask(&client));
    is_delivered(&client);
}

#[test]
fn a_runtime_that_is_blocked_holds_up_no_emitter() {
    let server = Server::start(accepts);
    let client = client(&server.url);
    current_thread().block_on(async {
        ask(&client).await;
        is_delivered(&client);
    });
}

#[test]
fn a_runtime_that_has_ended_holds_up_no_emitter() {
    let server = Server::start(accepts);
    let client = client(&server.url);
    let runtime = current_thread();
    runtime.block_on(ask(&client));
    drop(runtime);
    is_delivered(&client);
}

#[test]
fn one_client_serves_many_runtimes_whatever_becomes_of_them() {
    let server = Server::start(accepts);
    let client = client(&server.url);
    let idle = current_thread();
    idle.block_on(ask(&client));
    for _ in 0..3 {
        current_thread().block_on(ask(&client));
    }
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            std::thread::spawn(move || {
                Runtime::new().unwrap().block_on(async { tokio::join!(ask(&client), ask(&client)) })
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    idle.block_on(ask(&client));
}

#[test]
fn a_call_survives_the_end_of_an_emitter() {
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let server = Server::start(move |request| {
        if request.target() == "/slow/" {
            let _ = released.lock().unwrap().recv();
        }
        accepts(request)
    });
    let client = client(&server.url);
    let emitter = Emitter::new(client.clone()).unwrap();
    drop(emitter.emit(signal("k-1")));
    wait_until("the signal is delivered", || emitter.stats().delivered == 1);
    let slow = || server.seen().iter().filter(|request| request.target() == "/slow/").count();
    Runtime::new().unwrap().block_on(async {
        let call = client.request(Method::POST, "/slow/").body(&serde_json::json!({"name": "Acme"}));
        let call = tokio::spawn(call.into_future());
        tokio::task::block_in_place(|| wait_until("the request is there", || slow() == 1));
        emitter.shutdown(PATIENCE).await.unwrap();
        drop(emitter);
        release.send(()).unwrap();
        call.await.unwrap().unwrap();
    });
    assert_eq!(slow(), 1);
}

#[test]
fn a_hook_that_blocks_holds_up_no_call() {
    let server = Server::start(|request| match request.records() {
        0 => accepts(request),
        _ => answer(400, &[], "{}"),
    });
    let client = client(&server.url);
    let (release, released) = mpsc::channel::<()>();
    let (entered, has_entered) = mpsc::channel();
    let (released, entered) = (Mutex::new(released), Mutex::new(entered));
    let hook = move |_: &paid::DeliveryError| {
        let _ = entered.lock().unwrap().send(());
        let _ = released.lock().unwrap().recv();
    };
    let emitter = Emitter::builder(client.clone()).on_error(hook).build().unwrap();
    drop(emitter.emit(signal("k-1")));
    has_entered.recv_timeout(PATIENCE).unwrap();
    current_thread().block_on(ask(&client));
    drop(release);
}

#[tokio::test]
async fn an_emitter_paces_its_attempts_itself() {
    let server = Server::start(|_| answer(503, &[], "{}"));
    let eager = paid::RetryPolicy::default().max_retries(50).delays(Duration::ZERO, Duration::ZERO);
    let client = super::builder(&server.url).retry(eager).build().unwrap();
    let (failed, fails) = mpsc::channel();
    let failed = Mutex::new(failed);
    let builder = Emitter::builder(client).retry_delays(PATIENCE, PATIENCE).on_error(move |failure| {
        let _ = failed.lock().unwrap().send(failure.to_string());
    });
    let emitter = builder.build().unwrap();
    drop(emitter.emit(signal("k-1")));
    tokio::task::spawn_blocking(move || {
        wait_until("one attempt", move || !server.seen().is_empty() && server.seen().len() < 3)
    })
    .await
    .unwrap();
    let _ = emitter.shutdown(Duration::from_millis(10)).await;
    assert!(fails.recv().unwrap().contains("(1 attempt(s))") || fails.try_recv().is_err());
}

#[test]
fn a_call_outside_of_a_runtime_is_an_error_that_says_so() {
    use futures_util::FutureExt;
    let client = client("http://127.0.0.1:1");
    let outcome = client.request(Method::GET, "/products/").into_future().now_or_never().unwrap();
    assert!(outcome.unwrap_err().to_string().contains("tokio runtime"));
}

#[test]
fn a_runtime_without_io_or_timers_is_an_error_and_no_panic() {
    let server = Server::start(accepts);
    let client = client(&server.url);
    let bare = Builder::new_current_thread().build().unwrap();
    let error = bare.block_on(client.request(Method::GET, "/products/").into_future()).unwrap_err();
    assert!(matches!(error, paid::Error::Transport(_)), "{error}");
    current_thread().block_on(ask(&client));
}

#[test]
fn every_runtime_gets_the_settings_of_the_user() {
    let server = Server::start(accepts);
    let made = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&made);
    let client = super::builder(&server.url)
        .http(move |http| {
            *counted.lock().unwrap() += 1;
            http.default_headers([(reqwest::header::VIA, "proxy".parse().unwrap())].into_iter().collect())
        })
        .build()
        .unwrap();
    let idle = current_thread();
    idle.block_on(ask(&client));
    assert_eq!(*made.lock().unwrap(), 1);
    is_delivered(&client);
    assert!(*made.lock().unwrap() > 2);
    assert!(server.seen().iter().all(|request| request.header("via") == "proxy"));
}
