//! Whose work is this? Each way in which a scope could bill the wrong customer, and a property test over all of them.

use std::future::Future;
use std::pin::Pin;

use paid::testing::Recorder;
use paid::types::{CustomerId, ProductId};
use paid::{FutureExt, Scope, Signal, scope};
use proptest::prelude::*;

/// `customer/product` of every signal, in order.
fn billed(recorder: &Recorder) -> Vec<String> {
    let id = |json: &serde_json::Value| {
        json.as_object().and_then(|ids| ids.values().next()).and_then(|id| id.as_str()).unwrap_or("-").to_owned()
    };
    let signals = recorder.signals();
    let jsons = signals.iter().map(Signal::to_json);
    jsons.map(|json| format!("{}/{}", id(&json["customer"]), id(&json["attribution"]))).collect()
}

fn emit() {
    paid::emit(Signal::new("work_done"));
}

#[tokio::test]
async fn what_an_inner_scope_sets_wins_the_rest_shines_through_and_all_is_restored() {
    let recorder = Recorder::new();
    recorder
        .run(scope().customer("a").product("p").run(async {
            emit();
            scope().customer(CustomerId::from("b")).run(async { emit() }).await;
            emit();
            scope().product(ProductId::from("q")).run_sync(emit);
            scope().run(async { emit() }).await;
            emit();
        }))
        .await;
    assert_eq!(billed(&recorder), ["a/p", "b/p", "a/p", "a/q", "a/p", "a/p"]);
    recorder.run_sync(emit);
    assert_eq!(recorder.failures().len(), 1, "nothing is left after the outer scope");
}

#[tokio::test]
async fn errors_panics_and_cancellation_restore_exactly() {
    let recorder = Recorder::new();
    recorder
        .run(scope().customer("outer").run(async {
            let failed: Result<(), ()> = scope().customer("x").run(async { Err(()) }).await;
            assert!(failed.is_err());
            emit();
            let caught = std::panic::catch_unwind(|| scope().customer("x").run_sync(|| panic!("on purpose")));
            assert!(caught.is_err());
            emit();
            let task = std::panic::AssertUnwindSafe(scope().customer("x").run(async { panic!("on purpose") }));
            assert!(futures_util::FutureExt::catch_unwind(task).await.is_err());
            emit();
            let mut cancelled = Box::pin(scope().customer("x").run(std::future::pending::<()>()));
            assert!(futures_util::poll!(cancelled.as_mut()).is_pending());
            emit();
            drop(cancelled);
            emit();
        }))
        .await;
    assert_eq!(billed(&recorder), ["outer/-"; 5]);
}

#[tokio::test]
async fn what_a_cancelled_future_drops_is_dropped_in_its_scope() {
    struct EmitsWhenDropped;
    impl Drop for EmitsWhenDropped {
        fn drop(&mut self) {
            emit();
        }
    }
    let recorder = Recorder::new();
    let mut future = Box::pin(recorder.run(scope().customer("inner").run(async {
        let _guard = EmitsWhenDropped;
        std::future::pending::<()>().await;
    })));
    assert!(futures_util::poll!(future.as_mut()).is_pending());
    drop(future);
    assert_eq!(billed(&recorder), ["inner/-"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_tasks_beneath_one_scope_never_see_each_others() {
    let recorder = Recorder::new();
    recorder
        .run(scope().product("p").run(async {
            let work = |name: &'static str| {
                scope().customer(name).run(async move {
                    for _ in 0..20 {
                        emit();
                        tokio::task::yield_now().await;
                    }
                })
            };
            let (_, _, c, d) =
                tokio::join!(work("a"), work("b"), paid::spawn(work("c")), tokio::spawn(work("d").in_scope()));
            c.and(d).unwrap();
        }))
        .await;
    let mut counts = std::collections::BTreeMap::new();
    for who in billed(&recorder) {
        *counts.entry(who).or_insert(0) += 1;
    }
    let expected = [("a/p", 20), ("b/p", 20), ("c/p", 20), ("d/p", 20)];
    assert_eq!(counts, expected.map(|(who, count)| (who.to_owned(), count)).into());
}

#[tokio::test]
async fn tasks_and_threads_get_the_scope_when_asked_and_none_when_not() {
    let recorder = Recorder::new();
    recorder
        .run(scope().customer("a").run(async {
            paid::spawn(async { emit() }).await.unwrap();
            paid::spawn_thread(emit).join().unwrap();
            let current = Scope::current();
            std::thread::spawn(move || current.run_sync(emit)).join().unwrap();
            tokio::spawn(async { assert!(format!("{:?}", Scope::current()).contains("customer: None")) })
                .await
                .unwrap();
        }))
        .await;
    assert_eq!(billed(&recorder), ["a/-"; 3]);
}

#[tokio::test]
async fn a_future_that_was_made_elsewhere_belongs_to_the_scope_it_is_awaited_in() {
    let recorder = Recorder::new();
    let made = scope().product("p").run(async { emit() });
    recorder.run(scope().customer("a").run(made)).await;
    assert_eq!(billed(&recorder), ["a/p"]);
}

/// A tree of scopes: what each sets, how it is entered, and what happens inside.
#[derive(Clone, Debug)]
enum Step {
    Emit,
    Yield,
    Nest { customer: Option<u8>, product: Option<u8>, how: How, inside: Vec<Step> },
    Join(Vec<Vec<Step>>),
}

#[derive(Clone, Copy, Debug)]
enum How {
    Await,
    Sync,
    Spawn,
    Cancel,
    Panic,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let leaf = prop_oneof![Just(Step::Emit), Just(Step::Yield)];
    let step = leaf.prop_recursive(4, 24, 4, |inner| {
        let how = prop_oneof![Just(How::Await), Just(How::Sync), Just(How::Spawn), Just(How::Cancel), Just(How::Panic)];
        let nested = (any::<Option<u8>>(), any::<Option<u8>>(), how, prop::collection::vec(inner.clone(), 0..4))
            .prop_map(|(customer, product, how, inside)| Step::Nest { customer, product, how, inside });
        prop_oneof![
            3 => nested,
            1 => prop::collection::vec(prop::collection::vec(inner, 0..3), 2..4).prop_map(Step::Join)
        ]
    });
    prop::collection::vec(step, 1..6)
}

type Who = (Option<u8>, Option<u8>);

/// Runs the steps; every signal says in its data whom it should be billed to.
fn play(steps: Vec<Step>, who: Who) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        for step in steps {
            match step {
                Step::Emit => emit_expecting(who),
                Step::Yield => tokio::task::yield_now().await,
                Step::Join(branches) => {
                    futures_util::future::join_all(branches.into_iter().map(|branch| play(branch, who))).await;
                }
                Step::Nest { customer, product, how, inside } => {
                    let inner = (customer.or(who.0), product.or(who.1));
                    let mut nested = scope();
                    if let Some(customer) = customer {
                        nested = nested.customer(customer.to_string());
                    }
                    if let Some(product) = product {
                        nested = nested.product(product.to_string());
                    }
                    match how {
                        How::Await => nested.run(play(inside, inner)).await,
                        How::Sync => nested.run_sync(|| emit_expecting(inner)),
                        How::Spawn => paid::spawn(nested.run(play(inside, inner))).await.unwrap(),
                        How::Cancel => {
                            let mut future = Box::pin(nested.run(async move {
                                play(inside, inner).await;
                                std::future::pending::<()>().await;
                            }));
                            assert!(futures_util::poll!(future.as_mut()).is_pending());
                        }
                        How::Panic => {
                            let future = nested.run(async move {
                                play(inside, inner).await;
                                std::panic::resume_unwind(Box::new("on purpose"));
                            });
                            let caught =
                                futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(future)).await;
                            assert!(caught.is_err());
                        }
                    }
                    emit_expecting(who);
                }
            }
        }
    })
}

fn emit_expecting((customer, product): Who) {
    paid::emit(Signal::new("work_done").field("customer", &customer).field("product", &product));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_nesting_or_interleaving_bills_anyone_else(steps in steps()) {
        let recorder = Recorder::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(recorder.run(scope().customer("255").run(play(steps, (Some(255), None)))));
        prop_assert!(recorder.failures().is_empty());
        for signal in recorder.signals() {
            let json = signal.to_json();
            let text = |value: &serde_json::Value| value.as_u64().map(|id| id.to_string());
            prop_assert_eq!(
                json["customer"]["externalCustomerId"].as_str().map(str::to_owned),
                text(&json["data"]["customer"])
            );
            prop_assert_eq!(
                json["attribution"]["externalProductId"].as_str().map(str::to_owned),
                text(&json["data"]["product"])
            );
        }
    }
}
