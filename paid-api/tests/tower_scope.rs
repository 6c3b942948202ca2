//! `ScopeLayer`: a request's signals have the customer of the request.
#![allow(clippy::unwrap_used, missing_docs)]

use std::convert::Infallible;
use std::future::{Ready, ready};

use axum::Router;
use axum::http::request::Parts;
use axum::http::{Request, Response};
use axum::routing::get;
use paid::testing::Recorder;
use paid::tower::{RequestScope, ScopeLayer};
use paid::{Scope, Signal};
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceExt};

fn request(customer: &str) -> Request<axum::body::Body> {
    Request::get("/work").header("x-customer", customer).body(axum::body::Body::empty()).unwrap()
}

fn named(parts: &Parts) -> Option<Scope> {
    let customer = parts.headers.get("x-customer")?.to_str().ok().filter(|name| !name.is_empty())?;
    Some(paid::scope().customer(customer).product("ai-sdr").unit("sales"))
}

#[paid::signal("work_done")]
async fn work() -> &'static str {
    tokio::task::yield_now().await;
    "done"
}

/// What a server sends that handles these requests at once, and how many signals it could not.
async fn served<F, R>(whose: F, customers: &[&str]) -> (Vec<Value>, usize)
where
    F: Fn(&Parts) -> R + Send + Sync + 'static,
    R: RequestScope + 'static,
{
    let recorder = Recorder::new();
    let app = Router::new().route("/work", get(work)).layer(ScopeLayer::new(whose));
    let all = customers.iter().map(|customer| {
        let app = app.clone();
        async move {
            let response = app.oneshot(request(customer)).await.unwrap();
            assert_eq!(response.status(), 200);
        }
    });
    recorder.run(futures_util::future::join_all(all)).await;
    (recorder.signals().iter().map(Signal::to_json).collect(), recorder.failures().len())
}

#[tokio::test]
async fn each_request_has_a_scope_of_its_own() {
    let (signals, failures) = served(named, &["acme", "globex", "acme"]).await;
    let customers: Vec<_> = signals.iter().map(|signal| &signal["customer"]["externalCustomerId"]).collect();
    assert_eq!(customers, [&json!("acme"), &json!("globex"), &json!("acme")]);
    assert_eq!(failures, 0);
    assert_eq!(signals[1]["attribution"]["externalProductId"], "ai-sdr");
    assert_eq!(signals[1]["customerUnit"], json!({"externalCustomerUnitId": "sales"}));
}

#[tokio::test]
async fn a_request_of_nobody_is_served_and_bills_nobody() {
    assert_eq!(served(named, &["", "acme"]).await.1, 1);
    let refused = |parts: &Parts| named(parts).ok_or("no customer");
    let (signals, failures) = served(refused, &["", "acme"]).await;
    assert_eq!((signals.len(), failures), (1, 1));
    assert_eq!(signals[0]["customer"]["externalCustomerId"], "acme");
}

#[tokio::test]
async fn a_closure_that_panics_costs_the_scope_and_not_the_request() {
    let panics = |parts: &Parts| -> Scope { named(parts).unwrap() };
    let (signals, failures) = served(panics, &["", "acme"]).await;
    assert_eq!((signals.len(), failures), (1, 1));
}

#[tokio::test]
async fn a_body_that_is_made_later_is_made_in_the_scope_of_its_request() {
    async fn streams() -> axum::body::Body {
        let pieces = futures_util::stream::iter([Ok::<_, Infallible>("a"), Ok("b")]);
        axum::body::Body::from_stream(paid::StreamExt::signal_at_end(pieces, |pieces| {
            Signal::new("answer_written").field("pieces", &pieces)
        }))
    }
    let recorder = Recorder::new();
    let app = Router::new().route("/work", get(streams)).layer(ScopeLayer::new(named));
    let work = async {
        let response = app.oneshot(request("acme")).await.unwrap();
        // The handler has returned long ago.
        axum::body::to_bytes(response.into_body(), 100).await.unwrap()
    };
    assert_eq!(&*recorder.run(work).await, b"ab");
    assert_eq!(recorder.failures().len(), 0);
    paid::assert_emitted!(recorder, "answer_written", data.pieces == 2, customer == "acme");
}

#[tokio::test]
async fn a_body_that_is_dropped_in_the_middle_is_dropped_in_the_scope_of_its_request() {
    struct Emits;
    impl Drop for Emits {
        fn drop(&mut self) {
            paid::emit(Signal::new("reader_left"));
        }
    }
    async fn streams() -> axum::body::Body {
        let emits = Emits;
        axum::body::Body::from_stream(futures_util::stream::repeat_with(move || {
            let _ = &emits;
            Ok::<_, Infallible>("a")
        }))
    }
    let recorder = Recorder::new();
    let app = Router::new().route("/work", get(streams)).layer(ScopeLayer::new(named));
    recorder.run(async { drop(app.oneshot(request("acme")).await.unwrap()) }).await;
    assert_eq!(recorder.failures().len(), 0);
    paid::assert_emitted!(recorder, "reader_left", customer == "acme");
}

/// A service that works when it is called, and answers only when it was ready.
#[derive(Default)]
struct AtOnce {
    is_ready: bool,
}

impl Clone for AtOnce {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Request<()>> for AtOnce {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        self.is_ready = true;
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(self.is_ready, "called before it was ready");
        paid::emit(Signal::new("work_done"));
        ready(Ok(Response::new(())))
    }
}

#[tokio::test]
async fn a_service_that_works_in_its_call_is_in_the_scope() {
    let recorder = Recorder::new();
    let mut service = ScopeLayer::new(|_: &Parts| paid::scope().customer("acme")).layer(AtOnce::default());
    let work = async {
        for _ in 0..2 {
            service.ready().await.unwrap().call(Request::new(())).await.unwrap();
        }
    };
    recorder.run(work).await;
    assert_eq!(recorder.signals().len(), 2);
    assert_eq!(recorder.failures().len(), 0);
}
