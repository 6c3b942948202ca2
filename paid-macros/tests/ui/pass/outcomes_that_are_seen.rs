#![deny(warnings)]
#![allow(dead_code)]

use std::fmt::Display;
use std::marker::PhantomPinned;
use std::sync::Arc;

struct Meeting;
struct Page<T>(Vec<T>);
type Fallible<T> = Result<T, String>;
type Maybe<T> = Option<Result<T, String>>;

#[paid::signal("read")]
fn of_a_reference(meeting: Option<&Meeting>) -> Option<&Meeting> {
    meeting
}

#[paid::signal("read")]
async fn of_references(text: &str) -> Option<Vec<&str>> {
    Some(vec![text])
}

#[paid::signal("read")]
fn of_several() -> (u8, Meeting, Arc<Meeting>) {
    (1, Meeting, Arc::new(Meeting))
}

#[paid::signal("read")]
fn numbers() -> impl Iterator<Item = u32> {
    0..3
}

#[paid::signal("read")]
fn callable() -> Box<dyn Fn(&str) -> String> {
    Box::new(|text| text.to_owned())
}

#[paid::signal("read")]
fn shown() -> [impl Display; 2] {
    [1, 2]
}

#[paid::signal("read")]
fn generic<T: Clone + Send + 'static>(rows: Vec<T>) -> Page<T> {
    Page(rows)
}

#[paid::signal("read")]
fn result_by_an_alias<T>(value: T) -> Fallible<T> {
    Ok(value)
}

#[paid::signal("read")]
fn optional_result_by_an_alias<T>(value: T) -> Maybe<T> {
    Some(Ok(value))
}

struct Queue<T>(Vec<T>, PhantomPinned);

impl<T> Queue<T> {
    #[paid::signal("read")]
    fn new(rows: Vec<T>) -> Self {
        Self(rows, PhantomPinned)
    }

    #[paid::signal("read")]
    pub fn with(mut self, row: T) -> Self {
        self.0.push(row);
        self
    }
}

fn main() {}
