//! Which functions are billed: those that succeeded, whatever their return type is called.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;

use paid::testing::Recorder;
use serde_json::{Value, json};

pub(crate) type Fallible<T> = Result<T, String>;
type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;
pub(crate) type LocalWork<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Some of what is returned cannot be dropped, as a lint says.
pub(crate) fn ignore<T>(_: T) {}

pub(crate) fn sent(work: impl FnOnce()) -> Vec<Value> {
    let recorder = Recorder::new();
    recorder.run_sync(|| paid::scope().customer("acme").run_sync(work));
    recorder.signals().iter().map(paid::signal::Signal::to_json).collect()
}

/// What is sent when the future is awaited; when it is only made, nothing may be.
pub(crate) fn sent_by<F: Future>(make: impl Fn() -> F) -> usize {
    assert!(sent(|| ignore(make())).is_empty(), "a future that is dropped sends nothing");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    sent(|| ignore(runtime.block_on(make()))).len()
}

trait Service {
    type Future;
    fn call(&self, fails: bool) -> Self::Future;
}

struct Mailer;

impl Service for Mailer {
    type Future = Work<Fallible<u32>>;

    #[paid::signal("email_sent")]
    fn call(&self, fails: bool) -> Self::Future {
        Box::pin(async move { if fails { Err("refused".to_owned()) } else { Ok(1) } })
    }
}

macro_rules! from_macro {
    ($name:ident, $returns:ty) => {
        #[paid::signal("email_sent")]
        fn $name(fails: bool) -> $returns {
            Box::pin(async move { if fails { Err("refused".to_owned()) } else { Ok(1) } })
        }
    };
}

from_macro!(boxed, Pin<Box<dyn Future<Output = Fallible<u32>> + Send>>);
from_macro!(shared, Pin<Box<dyn Future<Output = Fallible<u32>> + Send + Sync>>);
from_macro!(alias, Work<Fallible<u32>>);

#[test]
fn a_future_by_another_name_is_billed_when_it_has_succeeded() {
    assert_eq!((sent_by(|| Mailer.call(true)), sent_by(|| Mailer.call(false))), (0, 1));
    assert_eq!((sent_by(|| boxed(true)), sent_by(|| boxed(false))), (0, 1));
    assert_eq!((sent_by(|| shared(true)), sent_by(|| shared(false))), (0, 1));
    assert_eq!((sent_by(|| alias(true)), sent_by(|| alias(false))), (0, 1));
}

#[test]
fn a_closure_says_what_succeeded() {
    #[paid::signal("job_done", success = |out| out.as_ref(), data(rows = ret))]
    fn run<E>(job: impl FnOnce() -> Result<u32, E>) -> Result<u32, E> {
        job()
    }

    #[paid::signal("page_read", success = |status| *status < 400, data(status = *ret))]
    fn read(status: u16) -> u16 {
        status
    }

    #[paid::signal("row_found", success = |flow| match flow { ControlFlow::Break(row) => Some(row), _ => None }, data(row = ret))]
    async fn find(row: Option<u32>) -> ControlFlow<u32> {
        row.map_or(ControlFlow::Continue(()), ControlFlow::Break)
    }

    assert!(sent(|| ignore(run(|| Err("no")))).is_empty());
    assert_eq!(sent(|| ignore(run(|| Ok::<_, ()>(7))))[0]["data"], json!({"rows": 7}));
    assert!(sent(|| ignore(read(404))).is_empty());
    assert_eq!(sent(|| ignore(read(200)))[0]["data"], json!({"status": 200}));
    assert_eq!((sent_by(|| find(None)), sent_by(|| find(Some(7)))), (0, 1));
}

#[test]
fn a_result_that_a_type_parameter_hides_is_not_billed() {
    struct Runner<T>(T);

    impl<T: Unpin> Runner<T> {
        #[paid::signal("job_done")]
        fn take(self) -> T {
            self.0
        }

        #[paid::signal("job_done")]
        fn boxed(self) -> Option<Box<T>> {
            Some(Box::new(self.0))
        }
    }

    fn run<T: Unpin>(value: T) -> T {
        Runner(value).take()
    }

    assert!(sent(|| ignore(Runner(Err::<u32, _>("no")).boxed())).is_empty());
    assert_eq!(sent(|| ignore(Runner(7).boxed())).len(), 1);
    assert!(sent(|| ignore(run(Err::<u32, _>("no")))).is_empty());
    assert!(sent(|| ignore(run(Ok::<u32, &str>(7)))).is_empty(), "whether it is an `Err` cannot be seen");
    assert_eq!(sent(|| ignore(run(7))).len(), 1);
}

#[test]
fn an_answer_that_an_alias_hides_behind_a_bound_is_not_billed() {
    trait Job {
        type Out;
        fn run(self) -> Self::Out;
    }
    impl<T> Job for (T,) {
        type Out = T;
        fn run(self) -> T {
            self.0
        }
    }
    type Answer<J> = <J as Job>::Out;

    struct Page<T>(#[allow(dead_code)] T);

    struct Runner<J>(J);
    impl<J: Job> Runner<J> {
        #[paid::signal("job_done")]
        fn run(self) -> Answer<J> {
            self.0.run()
        }
    }

    #[paid::signal("job_done")]
    fn by_job<J: Job>(job: J) -> Answer<J> {
        job.run()
    }

    fn billed<T>(make: impl Fn() -> T) -> [usize; 2] {
        [sent(|| drop(by_job((make(),)))).len(), sent(|| drop(Runner((make(),)).run())).len()]
    }

    assert_eq!(billed(|| None::<u8>), [0, 0]);
    assert_eq!(billed(|| Some(Err::<u8, _>("no"))), [0, 0]);
    assert_eq!(billed(|| Box::new(None::<u8>)), [0, 0]);
    assert_eq!(billed(|| std::ops::ControlFlow::<u8>::Break(1)), [0, 0]);
    assert_eq!(billed(|| std::task::Poll::<u8>::Pending), [0, 0]);
    assert_eq!(billed(|| (Err::<u8, _>("no"), 1)), [0, 0]);
    assert_eq!(billed(|| (1, Err::<u8, _>("no"))), [0, 0]);
    assert_eq!(billed(|| Err::<u8, _>("no")), [0, 0]);
    let future = || -> std::pin::Pin<Box<dyn Future<Output = u8>>> { Box::pin(async { 1 }) };
    assert_eq!(billed(future), [0, 0]);
    // An `async` block has the name of a closure, and either has yet to do its work.
    assert_eq!(billed(|| async { 1 }), [0, 0]);
    assert_eq!(billed(|| || Err::<u8, _>("no")), [0, 0]);
    assert_eq!(billed(|| vec![Box::new(async { 1 })]), [0, 0]);
    // What holds no answer is one.
    assert_eq!(billed(|| 7), [1, 1]);
    assert_eq!(billed(|| (7, "yes")), [1, 1]);
    assert_eq!(billed(|| vec![Some(7)]), [1, 1]);
    assert_eq!(billed(|| Page(|| 7)), [1, 1]);
}

#[test]
fn a_future_out_of_an_async_function_is_billed_when_it_has_succeeded() {
    #[paid::signal("job_done", data(rows = rows, done = *ret))]
    async fn opaque(rows: u32) -> impl Future<Output = Fallible<u32>> {
        async move { rows.checked_sub(1).ok_or_else(|| "no rows".to_owned()) }
    }

    #[paid::signal("job_done")]
    async fn written_out(rows: Option<u32>) -> Pin<Box<dyn Future<Output = Option<u32>> + Send>> {
        Box::pin(async move { rows })
    }

    let twice = |rows| async move { opaque(rows).await.await };
    assert_eq!((sent_by(|| opaque(1)), sent_by(|| twice(0)), sent_by(|| twice(7))), (0, 0, 1));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(sent(|| ignore(runtime.block_on(twice(7))))[0]["data"], json!({"rows": 7, "done": 6}));
    let twice = |rows| async move { written_out(rows).await.await };
    assert_eq!((sent_by(|| written_out(Some(1))), sent_by(|| twice(None)), sent_by(|| twice(Some(7)))), (0, 0, 1));
}

mod renamed {
    use paid::{signal as billed, trace as traced};

    #[traced(customer = "globex", product = "ai-sdr")]
    #[billed("email_sent")]
    pub(super) fn send() {}

    #[paid::trace(customer = "globex")]
    #[inline]
    #[billed("email_sent")]
    pub(super) async fn later() {}
}

#[test]
fn a_signal_by_another_name_belongs_to_the_traced_scope() {
    let signal = &sent(renamed::send)[0];
    assert_eq!(signal["customer"]["externalCustomerId"], "globex");
    assert_eq!(signal["attribution"]["externalProductId"], "ai-sdr");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let signal = &sent(|| runtime.block_on(renamed::later()))[0];
    assert_eq!(signal["customer"]["externalCustomerId"], "globex");
}

#[test]
fn a_key_of_parts_is_the_same_for_the_same_work() {
    #[paid::signal("report_made", idempotency_key = [account, day, part])]
    fn report(account: &str, day: u32, part: Option<&str>) {}

    let key = |account, day, part| sent(|| report(account, day, part))[0]["idempotencyKey"].clone();
    assert_eq!(key("acme", 7, Some("a")), "acme:7:a");
    assert_eq!(key("ac:me", 7, None), "ac\\:me:7:\\0");
}

#[test]
fn a_function_keeps_its_caller() {
    use std::panic::Location;

    #[track_caller]
    fn plain() -> u32 {
        Location::caller().line()
    }

    #[paid::signal("line_read")]
    #[track_caller]
    fn signal(text: &str) -> Result<u32, std::num::ParseIntError> {
        let line = Location::caller().line();
        if text.is_empty() {
            return Ok(line);
        }
        text.parse::<u32>()?;
        Ok(line)
    }

    #[paid::trace(customer = "acme")]
    #[track_caller]
    fn trace() -> Option<u32> {
        let line = Some(Location::caller().line())?;
        Some(line)
    }

    let (line, lines) = (line!(), (plain(), signal("").unwrap(), signal("7").unwrap(), trace().unwrap()));
    assert_eq!(lines, (line, line, line, line));
    assert!(sent(|| assert!(signal("seven").is_err())).is_empty());
    assert_eq!(sent(|| ignore(signal("7"))).len(), 1);
}
