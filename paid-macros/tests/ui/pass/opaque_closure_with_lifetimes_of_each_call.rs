#![deny(warnings)]
#![allow(dead_code)]
use std::borrow::Cow;
use std::cell::Ref;
use std::fmt::{self, Display, Formatter};
use std::task::{Context, Poll};

struct Db;
trait Database {}
impl Database for Db {}
struct Transaction<'a, D: Database>(&'a D);

#[paid::trace(customer = "acme")]
fn formats() -> impl Fn(&mut fmt::Formatter<'_>) -> fmt::Result {
    |f| f.write_str("x")
}
#[paid::trace(customer = "acme")]
#[allow(elided_lifetimes_in_paths)]
fn formats_elided(n: u32) -> impl Fn(&mut fmt::Formatter) -> fmt::Result {
    move |f| write!(f, "{n}")
}
#[paid::trace(customer = "acme")]
#[allow(elided_lifetimes_in_paths)]
fn formats_imported(n: u32) -> impl Fn(&mut Formatter) -> fmt::Result {
    move |f| write!(f, "{n}")
}
#[paid::signal("scorer_made")]
fn trims() -> impl Fn(&str) -> &str {
    |text| text.trim()
}
#[paid::signal("scorer_made")]
fn resets<T: Default>() -> impl for<'a> FnMut(&'a mut T) {
    |v| *v = T::default()
}
#[paid::signal("scorer_made")]
fn named<T: Clone>() -> impl for<'a> Fn(&'a [T], usize) -> Option<&'a T> {
    |values, at| values.get(at)
}
#[paid::signal("scorer_made")]
fn boxed() -> Box<dyn Fn(&String) -> Option<&str>> {
    Box::new(|s| s.get(1..))
}
#[paid::signal("scorer_made")]
fn boxed_named() -> Box<dyn for<'a> Fn(&'a String) -> Option<&'a str>> {
    Box::new(|s| s.get(1..))
}
#[paid::signal("scorer_made")]
fn pointer() -> for<'a> fn(&'a String) -> Option<&'a str> {
    |s| s.get(1..)
}
#[paid::trace]
async fn later() -> impl Fn(&str) -> &str {
    |text| text.trim()
}
#[paid::signal("scorer_made")]
async fn later_too<T: Clone + Send>(v: T) -> impl Fn(&mut Vec<T>) -> Cow<'_, [T]> + Send {
    move |text| {
        text.push(v.clone());
        Cow::Borrowed(text)
    }
}
#[paid::signal("scorer_made")]
fn transacts() -> impl Fn(&mut Transaction<'_, Db>) -> u32 {
    |t| {
        let _ = t.0;
        1
    }
}
#[paid::signal("scorer_made")]
fn transacts_any<D: Database>() -> impl Fn(&mut Transaction<'_, D>) -> u32 {
    |t| {
        let _ = t.0;
        1
    }
}
#[paid::signal("scorer_made")]
fn transacts_where<D>() -> impl FnOnce(Transaction<'_, D>) -> u32
where
    D: Database + Clone,
{
    |t| {
        let _ = t.0.clone();
        1
    }
}
#[paid::trace]
fn polls() -> impl FnMut(&mut Context<'_>) -> Poll<u32> {
    |cx| {
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
#[paid::signal("scorer_made", on = "always")]
fn displays() -> impl Fn(&dyn Display, &mut dyn fmt::Write) -> fmt::Result {
    |it, out| write!(out, "{it}")
}
#[paid::signal("scorer_made")]
fn displays_static<'x>(y: &'x str) -> impl Fn(&Ref<'_, &'x str>, Box<dyn Display>) -> usize + 'x {
    move |it, other| it.len() + other.to_string().len() + y.len()
}
#[paid::signal("scorer_made")]
async fn asks() -> impl AsyncFn(&str) -> usize {
    async |text| text.len()
}
#[paid::signal("scorer_made")]
fn calls() -> impl Fn(&dyn Fn(&str) -> usize) -> usize {
    |f| f("x")
}
#[paid::signal("scorer_made")]
fn tuples() -> impl Fn((&str, &u32), &[&str]) -> usize {
    |(a, b), all| a.len() + *b as usize + all.len()
}
struct S<'x, T>(&'x T);
impl<'x, T: Clone + 'static> S<'x, T> {
    #[paid::trace]
    fn f(&self) -> impl FnMut(&mut Vec<T>, &mut fmt::Formatter<'_>) -> Option<T> + use<'_, 'x, T> {
        move |t, _| {
            t.push(self.0.clone());
            t.pop()
        }
    }
    #[paid::signal("scorer_made")]
    fn g(&self, n: usize) -> impl for<'a> Fn(&'a Self, Ref<'a, Option<T>>) -> Option<&'a T> {
        move |a, b| if n > 3 && b.is_some() { Some(a.0) } else { None }
    }
    #[paid::signal("scorer_made")]
    fn typed(&self) -> impl for<'a> Fn(&'a Self, Transaction<'_, Db>) -> Option<&'a T> {
        move |a: &Self, _: Transaction<'_, Db>| Some(a.0)
    }
}
fn main() {}
