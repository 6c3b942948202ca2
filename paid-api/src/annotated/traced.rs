//! What `#[paid::trace]` expands into.

use std::borrow::Cow;
use std::fmt::Display;

use super::{Features, HasTrace};
use crate::scope::{Scope, Stay, scope};
use crate::signal::Signal;
use crate::trace::{self, TracingToken, fail};

impl HasTrace for Features {
    fn emit_over_trace(signal: Signal) {
        trace::emit(signal);
    }
}

/// The scope of a function's work, with what its annotation says.
pub struct TraceScope(Scope);

impl TraceScope {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(scope().traced())
    }

    fn change(&mut self, change: impl FnOnce(Scope) -> Scope) {
        let before = std::mem::replace(&mut self.0, scope());
        self.0 = change(before);
    }

    pub fn customer(&mut self, id: Option<Cow<'_, str>>) {
        if let Some(id) = id {
            self.change(|scope| scope.customer(&*id));
        }
    }

    pub fn product(&mut self, id: Option<Cow<'_, str>>) {
        if let Some(id) = id {
            self.change(|scope| scope.product(&*id));
        }
    }

    pub fn unit(&mut self, id: Option<Cow<'_, str>>) {
        if let Some(id) = id {
            self.change(|scope| scope.unit(id));
        }
    }

    pub fn store_prompts(&mut self, store: bool) {
        self.change(|scope| scope.store_prompts(store));
    }

    pub fn token(&mut self, token: TracingToken) {
        self.change(|scope| scope.tracing_token(token));
    }

    pub fn metadata<T: serde::Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        self.change(|scope| scope.metadata(key, value));
    }

    pub fn finish(self) -> Scope {
        self.0
    }
}

/// A traced scope around a body that stands in the function itself.
pub struct Entered(Stay);

impl Entered {
    pub fn new(scope: Scope) -> Self {
        Self(scope.stay())
    }

    pub fn done(self) {
        self.0.done();
    }
}

/// An error that a function ended with: with its text, if it has one.
pub struct Failed<'a, E: ?Sized>(pub &'a E);

pub trait FailedByDisplay {
    fn __paid_fail(&self);
}

impl<E: Display + ?Sized> FailedByDisplay for &Failed<'_, E> {
    fn __paid_fail(&self) {
        fail(self.0);
    }
}

pub trait FailedByType {
    fn __paid_fail(&self);
}

impl<E: ?Sized> FailedByType for Failed<'_, E> {
    fn __paid_fail(&self) {
        fail(std::any::type_name::<E>());
    }
}
