//! Streams are billed once at their end, or for each item, by the rules for functions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::{FutureExt as _, StreamExt as _, stream};
use paid::testing::Recorder;
use paid::{Signal, StreamExt as _};
use serde_json::{Value, json};

type Item = Result<u32, &'static str>;

fn recorded(work: impl FnOnce()) -> (Vec<Value>, usize) {
    let recorder = Recorder::new();
    recorder.run_sync(|| paid::scope().customer("acme").run_sync(work));
    let data = recorder.signals().iter().map(|signal| signal.to_json()["data"].clone()).collect();
    (data, recorder.failures().len())
}

fn sent(work: impl FnOnce()) -> Vec<Value> {
    recorded(work).0
}

fn page(number: &u32) -> Signal {
    Signal::new("page_read").field("number", number)
}

fn book(pages: u64) -> Signal {
    Signal::new("book_read").field("pages", &pages)
}

fn read(items: impl IntoIterator<Item = Item>) -> Vec<Value> {
    let stream = stream::iter(items).signal_at_end(book);
    sent(|| assert!(stream.count().now_or_never().is_some()))
}

#[test]
fn a_stream_that_ends_well_is_billed_once() {
    assert_eq!(read([Ok(1), Ok(2)]), [json!({"pages": 2})]);
    assert_eq!(read([]), [json!({"pages": 0})]);
}

#[test]
fn an_error_anywhere_leaves_the_end_unbilled() {
    for items in [vec![Err("no")], vec![Ok(1), Err("no")], vec![Err("no"), Ok(2)], vec![Ok(1), Err("no"), Ok(3)]] {
        assert_eq!(read(items), [Value::Null; 0]);
    }
}

#[test]
fn a_stream_that_is_dropped_early_is_not_billed() {
    let signals = sent(|| {
        let mut stream = stream::iter([Item::Ok(1), Ok(2)]).signal_at_end(book);
        assert_eq!(stream.next().now_or_never(), Some(Some(Ok(1))));
        assert_eq!(stream.next().now_or_never(), Some(Some(Ok(2))));
        drop(stream);
        drop(stream::pending::<Item>().signal_at_end(book));
    });
    assert_eq!(signals, [Value::Null; 0]);
}

#[test]
fn the_end_is_billed_once_however_often_it_is_polled() {
    let signals = sent(|| {
        let mut stream = stream::iter([Item::Ok(1)]).fuse().signal_at_end(book);
        for _ in 0..4 {
            let _ = stream.next().now_or_never();
        }
    });
    assert_eq!(signals.len(), 1);
}

#[test]
fn a_stream_that_panics_is_not_billed_even_if_it_is_polled_to_its_end() {
    let signals = sent(|| {
        let items = stream::iter(0..3).map(|number| {
            assert!(number != 1, "page 1 is torn");
            Item::Ok(number)
        });
        let mut stream = items.signal_at_end(book);
        let mut panics = 0;
        loop {
            match catch_unwind(AssertUnwindSafe(|| stream.next().now_or_never())) {
                Err(_) => panics += 1,
                Ok(Some(None)) => break,
                Ok(_) => {}
            }
        }
        assert_eq!(panics, 1);
    });
    assert_eq!(signals, [Value::Null; 0]);
}

#[test]
fn each_ok_is_billed_and_no_error_is() {
    let signals = sent(|| {
        let stream = stream::iter([Ok(1), Err("no"), Ok(3)]).signal_each(page);
        assert_eq!(stream.collect::<Vec<_>>().now_or_never().unwrap(), [Ok(1), Err("no"), Ok(3)]);
    });
    assert_eq!(signals, [json!({"number": 1}), json!({"number": 3})]);
}

#[test]
fn items_are_billed_when_they_are_yielded_and_not_before() {
    let signals = sent(|| {
        let mut stream = stream::iter([Item::Ok(1), Ok(2)]).signal_each(page);
        let _ = stream.next().now_or_never();
    });
    assert_eq!(signals, [json!({"number": 1})]);
}

#[test]
fn other_items_are_judged_by_a_function() {
    let signals = sent(|| {
        let statuses = || stream::iter([200_u32, 404]);
        let _ = statuses().signal_each_if(|status| *status < 400, page).count().now_or_never();
        let _ = statuses().signal_at_end_if(|status| *status < 400, book).count().now_or_never();
        let _ = statuses().signal_at_end_if(|_| true, book).count().now_or_never();
    });
    assert_eq!(signals, [json!({"number": 200}), json!({"pages": 2})]);
}

#[test]
fn a_closure_that_panics_is_reported_and_the_stream_goes_on() {
    let (signals, failures) = recorded(|| {
        let stream = stream::iter([Item::Ok(1), Ok(2)]).signal_each(|number| {
            assert!(*number != 1, "not this one");
            page(number)
        });
        assert_eq!(stream.count().now_or_never(), Some(2));
    });
    assert_eq!((signals, failures), (vec![json!({"number": 2})], 1));
}

#[test]
fn items_can_be_billed_by_a_closure_that_is_a_signal_block() {
    let signals = sent(|| {
        let pages = stream::iter([Item::Ok(1), Err("no")]);
        let pages = pages.map(paid::signal_block!("page_read", data(number = *ret), |page: Item| page));
        assert_eq!(pages.count().now_or_never(), Some(2));
    });
    assert_eq!(signals, [json!({"number": 1})]);
}
