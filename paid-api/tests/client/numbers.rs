//! Numbers of a signal's data, as a server gets them: digit for digit, or not at all.

use std::time::Duration;

use paid::{DeliveryError, Emitter, PaidSignal, Signal};
use serde_json::value::RawValue;

use super::client;
use super::server::{Server, accepts};

const SOON: Duration = Duration::from_secs(20);
/// The first whole number that an `f64` cannot hold.
const PAST_F64: u64 = (1 << 53) + 1;

#[derive(PaidSignal)]
#[paid(signal = "derived")]
struct Derived {
    #[paid(customer)]
    customer: String,
    most: u128,
    least: i128,
    past_f64: u64,
    most_u64: u64,
    least_i64: i64,
    many: Vec<i128>,
}

#[derive(PaidSignal)]
#[paid(signal = "flat")]
struct Flat {
    #[paid(customer)]
    customer: String,
    #[paid(flatten)]
    nested: std::collections::BTreeMap<String, u128>,
}

#[paid::signal("annotated", customer = "acme", data(most = u128::MAX, least = i128::MIN, past_f64 = PAST_F64))]
fn annotated() {}

fn all(emitter: &Emitter) {
    let customer = || "acme".to_owned();
    emitter.emit(Derived {
        customer: customer(),
        most: u128::MAX,
        least: i128::MIN,
        past_f64: PAST_F64,
        most_u64: u64::MAX,
        least_i64: i64::MIN,
        many: vec![i128::MAX, -1],
    });
    emitter.emit(Flat { customer: customer(), nested: [("inner".to_owned(), u128::MAX - 1)].into() });
    emitter.emit(Signal::new("by_field").customer("acme").field("n", &(u128::MAX - 2)).field("m", &-i128::MAX));
    // The digits are the user's own.
    let decimal: &RawValue = serde_json::from_str("0.10000000000000000000000000000000001").unwrap();
    emitter.emit(Signal::new("raw").customer("acme").field("exact", decimal));
    paid::scope().emitter(emitter.clone()).run_sync(annotated);
}

#[tokio::test]
async fn whole_numbers_of_any_size_arrive_digit_for_digit_from_memory_and_from_disk() {
    let folder = tempfile::tempdir().unwrap();
    for has_outbox in [false, true] {
        let server = Server::start(accepts);
        if has_outbox {
            // Written by one run and sent by the next.
            let builder = Emitter::builder(client("http://127.0.0.1:1")).outbox(folder.path());
            let emitter = builder.patience(Duration::ZERO).build().unwrap();
            all(&emitter);
            drop(emitter.store(Signal::new("last").customer("acme")).await.unwrap());
            let _ = emitter.shutdown(Duration::ZERO).await;
        }
        let builder = Emitter::builder(client(&server.url));
        let builder = if has_outbox { builder.outbox(folder.path()) } else { builder };
        let emitter = builder.build().unwrap();
        if !has_outbox {
            all(&emitter);
        }
        emitter.flush(SOON).await.unwrap();
        // As text: `serde_json::Value` would round what is past 64 bits.
        let bodies: Vec<_> =
            server.seen().into_iter().map(|request| String::from_utf8(request.body).unwrap()).collect();
        let text = bodies.concat();
        for digits in [
            r#""most":340282366920938463463374607431768211455,"least":-170141183460469231731687303715884105728"#,
            r#""past_f64":9007199254740993,"most_u64":18446744073709551615,"least_i64":-9223372036854775808"#,
            r#""many":[170141183460469231731687303715884105727,-1]"#,
            r#""inner":340282366920938463463374607431768211454"#,
            r#""n":340282366920938463463374607431768211453,"m":-170141183460469231731687303715884105727"#,
            r#""exact":0.10000000000000000000000000000000001"#,
            r#"340282366920938463463374607431768211455,"least":-170141183460469231731687303715884105728,"past_f64":9007199254740993}"#,
        ] {
            assert!(text.contains(digits), "outbox {has_outbox}: {digits} is not in {text}");
        }
    }
}

#[tokio::test]
async fn numbers_that_json_does_not_have_are_refused_and_nothing_is_sent_for_them() {
    let server = Server::start(accepts);
    let emitter = Emitter::builder(client(&server.url)).on_error(|_| ()).build().unwrap();
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for signal in [
            Signal::new("plain").customer("acme").field("n", &number),
            Signal::new("nested").customer("acme").field("n", &vec![Some(number)]),
        ] {
            let Err(DeliveryError::Data { problem, .. }) = emitter.send(signal).await else { panic!("{number}") };
            assert_eq!(problem.field, "n", "{problem}");
            println!("{problem}");
        }
    }
    emitter.flush(SOON).await.unwrap();
    assert_eq!((server.seen().len(), emitter.stats().refused), (0, 6));
}
