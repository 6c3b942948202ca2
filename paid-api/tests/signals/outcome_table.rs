//! Return types of annotated functions, one row a type: what fails is never billed, what succeeds is, once.
//!
//! What the compiler cannot decide does not compile: `paid-macros/tests/ui/fail/outcome_*.rs` and `future_*.rs`.

#![expect(clippy::redundant_allocation, reason = "a box in a box is a return type too")]

use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use crate::outcomes::{Fallible, LocalWork, ignore, sent, sent_by};

/// A function that returns what it is told, annotated with both macros in either order.
macro_rules! returns {
    ($($name:ident: $ty:ty, $fails:expr, $succeeds:expr;)*) => { $(
        #[test]
        fn $name() {
            #[paid::signal("tried")]
            fn plain(value: $ty) -> $ty {
                value
            }

            #[paid::signal("tried")]
            #[paid::trace(customer = "acme")]
            async fn later(value: $ty) -> $ty {
                value
            }

            #[paid::trace(customer = "acme")]
            #[paid::signal("tried")]
            fn boxed(value: $ty) -> LocalWork<'static, $ty> {
                Box::pin(async move { value })
            }

            let counts = |value: fn() -> $ty| {
                (sent(|| ignore(plain(value()))).len(), sent_by(|| later(value())), sent_by(|| boxed(value())))
            };
            assert_eq!(counts(|| $fails), (0, 0, 0), "it failed");
            assert_eq!(counts(|| $succeeds), (1, 1, 1), "it succeeded");
        }
    )* };
}

mod own {
    /// A type of the user's, called as the standard library's.
    #[derive(Debug)]
    pub(super) struct Result<T>(pub(super) T);
}

type Answer = Result<u32, String>;
type Nested = Result<Answer, u8>;
type Maybe<T> = Option<Result<T, String>>;

fn no<T>() -> Result<T, String> {
    Err("no".into())
}

// What fails, and what succeeds. Each row is a plain function, an `async fn` and one that returns a future in a box.
returns! {
    result: Result<u32, String>, no(), Ok(1);
    result_by_its_path: std::result::Result<u32, String>, no(), Ok(1);
    result_by_an_absolute_path: ::core::result::Result<u32, String>, no(), Ok(1);
    result_by_an_alias: Fallible<u32>, no(), Ok(1);
    result_by_an_alias_without_parameters: Answer, no(), Ok(1);
    result_of_io: std::io::Result<()>, Err(std::io::Error::other("no")), Ok(());
    result_of_fmt: std::fmt::Result, Err(std::fmt::Error), Ok(());
    result_of_parsing: Result<u8, std::num::ParseIntError>, "x".parse::<u8>(), Ok(1);
    result_of_anything: Result<(), Box<dyn std::error::Error>>, Err("no".into()), Ok(());
    result_of_a_unit_error: Result<u32, ()>, Err(()), Ok(1);
    result_of_a_reference: Result<&'static str, &'static str>, Err("no"), Ok("yes");
    result_in_an_option_in_a_result: Result<Option<Answer>, u8>, Ok(Some(no())), Ok(Some(Ok(1)));
    result_in_a_box_in_a_result: Result<Box<Answer>, u8>, Ok(Box::new(no())), Ok(Box::new(Ok(1)));
    result_in_two_boxes: Box<Box<Answer>>, Box::new(Box::new(no())), Box::new(Box::new(Ok(1)));
    result_in_a_pinned_box: std::pin::Pin<Box<Answer>>, Box::pin(no()), Box::pin(Ok(1));
    result_in_an_option_in_an_rc: Rc<Option<Answer>>, Rc::new(Some(no())), Rc::new(Some(Ok(1)));
    result_behind_two_references: &'static &'static Answer, Box::leak(Box::new(&*Box::leak(Box::new(no())))), &&Ok(1);
    result_that_may_be_borrowed: std::borrow::Cow<'static, Answer>, std::borrow::Cow::Owned(no()), std::borrow::Cow::Owned(Ok(1));
    option_in_a_box: Box<Option<u8>>, Box::new(None), Box::new(Some(1));
    option_in_a_poll: Poll<Option<u8>>, Poll::Ready(None), Poll::Ready(Some(1));
    result_of_a_pair: Result<(u32, u32), String>, no(), Ok((1, 2));
    result_of_a_list: Result<Vec<u32>, String>, no(), Ok(vec![1]);
    result_of_a_box: Result<Box<dyn Fn() -> u32>, String>, no(), Ok(Box::new(|| 1));
    result_of_an_option: Result<Option<u32>, String>, no(), Ok(None);
    result_in_a_box: Box<Fallible<u32>>, Box::new(no()), Box::new(Ok(1));
    result_in_an_arc: Arc<Fallible<u32>>, Arc::new(no()), Arc::new(Ok(1));
    result_in_an_rc: Rc<Fallible<u32>>, Rc::new(no()), Rc::new(Ok(1));
    result_behind_a_reference: &'static Fallible<u32>, Box::leak(Box::new(no())), &Ok(1);
    result_behind_a_mutable_reference: &'static mut Fallible<u32>, Box::leak(Box::new(no())), Box::leak(Box::new(Ok(1)));
    result_behind_an_alias_and_a_reference: &'static Answer, Box::leak(Box::new(no())), &Ok(1);
    result_in_a_result: Result<Fallible<u32>, u8>, Ok(no()), Ok(Ok(1));
    result_in_a_failed_result: Result<Fallible<u32>, u8>, Err(7), Ok(Ok(1));
    result_in_a_result_by_an_alias: Nested, Ok(no()), Ok(Ok(1));
    option: Option<u32>, None, Some(1);
    option_by_its_path: std::option::Option<u32>, None, Some(1);
    option_of_a_reference: Option<&'static str>, None, Some("yes");
    option_of_a_box: Option<Box<u32>>, None, Some(Box::new(1));
    option_behind_a_reference: &'static Option<u32>, &None, &Some(1);
    option_of_a_result: Option<Fallible<u32>>, Some(no()), Some(Ok(1));
    option_of_nothing: Option<Fallible<u32>>, None, Some(Ok(1));
    option_of_a_result_by_an_alias: Maybe<u32>, Some(no()), Some(Ok(1));
    poll: Poll<u32>, Poll::Pending, Poll::Ready(1);
    poll_of_a_result: Poll<Fallible<u32>>, Poll::Ready(no()), Poll::Ready(Ok(1));
    poll_of_a_result_to_come: Poll<Fallible<u32>>, Poll::Pending, Poll::Ready(Ok(1));
    poll_of_a_stream: Poll<Option<Fallible<u32>>>, Poll::Ready(Some(no())), Poll::Ready(Some(Ok(1)));
    poll_of_an_end: Poll<Option<Fallible<u32>>>, Poll::Ready(None), Poll::Ready(Some(Ok(1)));
    poll_of_io: Poll<std::io::Result<usize>>, Poll::Ready(Err(std::io::Error::other("no"))), Poll::Ready(Ok(1));
}

/// The same where nothing can fail: every value of the type is a success.
macro_rules! always_succeeds {
    ($($name:ident: $ty:ty, $value:expr;)*) => { $(
        #[test]
        fn $name() {
            #[paid::signal("tried")]
            fn plain(value: $ty) -> $ty {
                value
            }

            #[paid::trace(customer = "acme")]
            #[paid::signal("tried")]
            async fn later(value: $ty) -> $ty {
                value
            }

            assert_eq!((sent(|| ignore(plain($value))).len(), sent_by(|| later($value))), (1, 1));
        }
    )* };
}

always_succeeds! {
    nothing: (), ();
    number: u32, 0;
    truth: bool, false;
    text: String, String::new();
    borrowed_text: &'static str, "";
    list: Vec<u32>, Vec::new();
    list_of_options: Vec<Option<u32>>, vec![None];
    array: [u8; 2], [0, 0];
    boxed_number: Box<u32>, Box::new(0);
    pair: (u32, bool), (0, false);
    own_type_called_result: own::Result<u32>, own::Result(0);
    ordering: std::cmp::Ordering, std::cmp::Ordering::Less;
}

/// Where the type does not tell, `success` does.
macro_rules! told_by_success {
    ($($name:ident: $ty:ty, $judge:expr, $fails:expr, $succeeds:expr;)*) => { $(
        #[test]
        fn $name() {
            #[paid::signal("tried", success = $judge)]
            fn plain(value: $ty) -> $ty {
                value
            }

            #[paid::signal("tried", success = $judge)]
            #[paid::trace(customer = "acme")]
            async fn later(value: $ty) -> $ty {
                value
            }

            assert_eq!((sent(|| ignore(plain($fails))).len(), sent_by(|| later($fails))), (0, 0), "it failed");
            assert_eq!((sent(|| ignore(plain($succeeds))).len(), sent_by(|| later($succeeds))), (1, 1), "it succeeded");
        }
    )* };
}

/// A response of an HTTP client.
struct Response {
    status: u16,
}

impl Response {
    fn of(status: u16) -> Self {
        Self { status }
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

told_by_success! {
    response: Response, |out| out.is_success(), Response::of(503), Response::of(201);
    response_in_a_box: Box<Response>, |out| out.is_success(), Box::new(Response::of(404)), Box::new(Response::of(200));
    response_in_a_result: Result<Response, String>, |out| out.as_ref().is_ok_and(Response::is_success), Ok(Response::of(500)), Ok(Response::of(200));
    response_that_never_came: Result<Response, String>, |out| out.as_ref().is_ok_and(Response::is_success), no(), Ok(Response::of(200));
    status: u16, |out| *out < 400, 500, 200;
    control_flow: ControlFlow<String, u32>, |out| matches!(out, ControlFlow::Continue(_)), ControlFlow::Break("no".into()), ControlFlow::Continue(1);
    control_flow_that_finds: ControlFlow<u32>, |out| out.is_break(), ControlFlow::Continue(()), ControlFlow::Break(1);
    list_of_results: Vec<Fallible<u32>>, |out| out.iter().all(Result::is_ok), vec![Ok(1), no()], vec![Ok(1)];
    array_of_results: [Fallible<u32>; 2], |out| out.iter().all(Result::is_ok), [Ok(1), no()], [Ok(1), Ok(2)];
    pair_with_a_result: (Fallible<u32>, u8), |out| out.0.as_ref(), (no(), 7), (Ok(1), 7);
    pair_that_ends_with_a_result: (u8, Fallible<u32>), |out| out.1.as_ref(), (7, no()), (7, Ok(1));
    result_of_a_found_option: Result<Option<u32>, String>, |out| out.as_ref().is_ok_and(Option::is_some), Ok(None), Ok(Some(1));
}

#[test]
fn generic_code_says_what_succeeded() {
    trait Job {
        type Out;
        fn out(self) -> Self::Out;
    }

    impl Job for Fallible<u32> {
        type Out = Self;
        fn out(self) -> Self {
            self
        }
    }

    #[paid::signal("tried", success = judge)]
    fn of_a_parameter<T>(value: T, judge: impl Fn(&T) -> bool) -> T {
        value
    }

    #[paid::signal("tried", success = judge)]
    #[paid::trace(customer = "acme")]
    fn of_an_associated_type<J: Job>(job: J, judge: impl Fn(&J::Out) -> bool) -> J::Out {
        job.out()
    }

    assert_eq!(sent(|| ignore(of_a_parameter(no::<u32>(), Result::is_ok))).len(), 0);
    assert_eq!(sent(|| ignore(of_a_parameter(Ok::<u32, String>(1), Result::is_ok))).len(), 1);
    assert_eq!(sent(|| ignore(of_an_associated_type(no::<u32>(), Result::is_ok))).len(), 0);
    assert_eq!(sent(|| ignore(of_an_associated_type(Ok::<u32, String>(1), Result::is_ok))).len(), 1);
}
