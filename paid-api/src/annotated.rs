//! What the macros expand into. Not part of the public API: it changes with the macros.

mod answers;
mod ended;
mod held;
mod later;
mod optional;
mod outcome;
mod protected;
mod success;
mod supposed;
pub mod text;
#[cfg(feature = "trace")]
mod traced;
mod tried;
pub mod ways;
mod words;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;

use crate::Timestamp;
use crate::emit;
use crate::foreign;
use crate::listener::{self, Emit};
pub use crate::signal::guard::Protections;
use crate::signal::value::{self, AsCost, AsQuantity, AsTimestamp};
use crate::signal::{Data, PaidSignal, Signal};
use crate::types::{ExternalProductId, ProductAttribution};

pub use ended::{Ended, ended};
pub use held::{Kind, kinds};
pub use later::{Called, calls, outcomes_to_come};
pub use optional::{Held, can_be_none, fields};
pub use outcome::{Probe, outcomes, unless_it_is_work};
pub use protected::{protect, write_protected};
pub use success::success;
pub use supposed::{Named, Parameter, Supposed, supposed_types};
pub use text::{by_str, joined, role, role_of_text, write};
#[cfg(feature = "trace")]
pub use traced::*;
pub use tried::{FromResidual, Try};
pub use words::{Message, Spoken, Unspoken, has_word, word_beyond};

/// The traits whose methods an annotated function calls, without names.
pub mod all {
    pub use super::outcomes::*;
    pub use super::ways::all::*;
}

/// Calls a function once: so the compiler treats a body as an `FnOnce`, which may move out what it captures.
#[inline(always)]
pub fn call<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Never called: gives a type to a place that is never reached.
pub fn never<T>() -> T {
    panic!("this is never called")
}

/// True, which the compiler does not see before it optimises.
#[inline(always)]
pub fn always() -> bool {
    true
}

/// What a body returns in which no `return` is left: a macro that returns cannot be followed in a function with
/// `#[track_caller]`, so its `return` has to be written where the macro is called.
pub struct WriteReturnOutsideOfMacros;

/// The same for a body that makes a future, whose output is known before its type is.
#[inline(always)]
pub fn call_for_future<O, F: Future<Output = O>>(body: impl FnOnce() -> F) -> F {
    body()
}

/// The same for a future in a pinned box.
#[inline(always)]
pub fn call_for_boxed_future<O, F: Future<Output = O>>(body: impl FnOnce() -> Pin<Box<F>>) -> Pin<Box<F>> {
    body()
}

/// A future whose output is known before its type is.
#[inline(always)]
pub fn future<O, F: Future<Output = O>>(future: F) -> F {
    future
}

/// The same for a future in a pinned box.
#[inline(always)]
pub fn boxed_future<O, F: Future<Output = O>>(future: Pin<Box<F>>) -> Pin<Box<F>> {
    future
}

/// A future that is never ready.
#[inline(always)]
pub fn forever<F: Future<Output = Infallible>>(future: F) -> F {
    future
}

/// Tells the compiler that a body is called once.
#[inline(always)]
pub fn once<R, F: FnOnce() -> R>(body: F) -> F {
    body
}

/// A signal between the entry of a function and its end; empty if no emitter is installed.
pub struct Pending {
    /// Whether anybody listens. Only then are roles and fields evaluated whose expressions may run the user's code; `when`, `via`
    /// and `success` always are. It is a field because rustc needs less time for one than for a method.
    pub listens: bool,
    name: &'static str,
    inner: Option<Box<PendingSignal>>,
}

struct PendingSignal {
    route: Route,
    signal: Signal,
}

impl PendingSignal {
    /// A value whose code panics makes a signal that is reported and not sent. Kept out of the annotated function, so that it
    /// costs little where nobody listens.
    #[inline(never)]
    fn change(&mut self, what: &str, change: impl FnOnce(&mut Signal)) {
        if let Err(panic) = foreign::call(|| change(&mut self.signal)) {
            self.signal.data.refuse(what, panic.to_string());
        }
    }
}

/// Where a signal goes.
enum Route {
    /// To this emitter.
    Emitter(Arc<dyn Emit>),
    /// To whoever listens when it is emitted.
    Listener,
    /// Elsewhere.
    Function(fn(Signal)),
}

impl Pending {
    /// For `via = emitter`.
    pub fn start_via(name: &'static str, emitter: impl Emit) -> Self {
        Self::over(name, Route::Emitter(Arc::new(emitter)))
    }

    /// For `over = "trace"`.
    pub fn start_over_trace<F: HasTrace>(name: &'static str) -> Self {
        Self::over(name, Route::Function(F::emit_over_trace))
    }

    /// For `cost_attributed`.
    pub fn cost_attributed<F: HasTrace>(&mut self) {
        self.change("cost_attributed", |signal| signal.cost_attributed = true);
    }

    fn over(name: &'static str, route: Route) -> Self {
        Self { listens: true, name, inner: Some(Box::new(PendingSignal { route, signal: Signal::new(name) })) }
    }

    #[inline]
    fn unheard(name: &'static str) -> Self {
        Self { listens: false, name, inner: None }
    }

    /// Changes the signal for a role or field, if anybody listens.
    #[inline]
    fn change(&mut self, what: &str, change: impl FnOnce(&mut Signal)) {
        if let Some(inner) = &mut self.inner {
            inner.change(what, change);
        }
    }

    /// The catalogue's product, for when neither annotation nor scope names one.
    pub fn default_product(&mut self, product: &'static str) {
        self.change("product", |signal| signal.data.product_by_default(product));
    }

    #[inline]
    pub fn timestamp<T: AsTimestamp + ?Sized>(&mut self, time: &T) {
        self.change("timestamp", |signal| text::set_if_there(&mut signal.timestamp, timestamp(time)));
    }

    #[inline]
    pub fn quantity<T: AsQuantity + ?Sized>(&mut self, number: &T) {
        self.change("quantity", |signal| quantity(&mut signal.data, number));
    }

    #[inline]
    pub fn cost<T: AsCost + ?Sized>(&mut self, value: &T) {
        self.change("cost", |signal| cost(&mut signal.data, value));
    }

    /// Makes the payload the signal; what the annotation sets comes before what the payload says.
    fn payload<S: PaidSignal + ?Sized>(&mut self, payload: impl FnOnce() -> Signal) {
        self.name = S::NAMES.first().copied().unwrap_or_default();
        let name = self.name;
        self.change("to_signal", |signal| {
            // For a report, if the payload does not even say its name.
            signal.name = name.into();
            let own = payload();
            let set = std::mem::replace(signal, own);
            signal.customer = set.customer.or(signal.customer.take());
            let was_none = set.customer_was_none || signal.customer_was_none;
            signal.customer_was_none = was_none && signal.customer.is_none();
            signal.product = set.product.or(signal.product.take());
            signal.unit = set.unit.or(signal.unit.take());
            signal.idempotency_key = set.idempotency_key.or(signal.idempotency_key.take());
            signal.timestamp = set.timestamp.or(signal.timestamp);
            signal.cost_attributed |= set.cost_attributed;
            signal.data.append(set.data);
        });
    }
}

// What nearly every annotated function calls is a function and no method: rustc needs less time for its path.

/// The signal of a function that is entered.
#[inline]
pub fn start(name: &'static str) -> Pending {
    match emit::current() {
        Some(emitter) => Pending::over(name, Route::Emitter(emitter)),
        None => Pending::unheard(name),
    }
}

/// For functions that return a future: it may be polled in another scope than it was made in.
#[inline]
pub fn start_future(name: &'static str) -> Pending {
    if listener::anybody_listens() { Pending::over(name, Route::Listener) } else { Pending::unheard(name) }
}

/// Sets a field, if anybody listens.
#[inline]
pub fn field<T: value::Json + ?Sized>(pending: &mut Pending, key: &str, value: &T) {
    pending.change(key, |signal| value.write_to(&mut signal.data, key));
}

/// At the end of a function that did what the signal says.
#[inline]
pub fn send(pending: Pending) {
    match pending.inner {
        None => listener::lost(pending.name),
        Some(inner) => inner.emit(),
    }
}

impl PendingSignal {
    fn emit(self: Box<Self>) {
        match self.route {
            Route::Emitter(emitter) => {
                emit::accept(&*emitter, self.signal);
                // It may be the last handle of an emitter of the user's.
                let _ = foreign::call(|| drop(emitter));
            }
            Route::Listener => emit::emit(self.signal),
            Route::Function(emit) => emit(self.signal),
        }
    }
}

/// The library's features that an annotation may need.
pub struct Features;

/// What `cost_attributed` and `over = "trace"` need.
#[diagnostic::on_unimplemented(
    message = "this needs feature `trace` of `paid-api`",
    label = "costs and the collector come with tracing",
    note = "in Cargo.toml: `paid-api = {{ ..., features = [\"trace\"] }}`"
)]
pub trait HasTrace {
    fn emit_over_trace(signal: Signal);
}

/// For a success value that is itself a signal.
pub fn fill_with<S: PaidSignal + ?Sized>(pending: &mut Pending, value: &S) {
    pending.payload::<S>(|| value.to_signal());
}

/// A success value from which a signal is made.
pub struct Made<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Made<'_, T> {
    pub fn fill<S: MadeFrom<T>>(self, pending: &mut Pending) {
        if pending.listens {
            pending.payload::<S>(|| S::made_from(self.0).to_signal());
        } else {
            pending.name = S::NAMES.first().copied().unwrap_or_default();
        }
    }
}

/// What a payload type has to implement.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not made from `{T}`",
    label = "this signal is made from the success value",
    note = "write `impl From<&{T}> for {Self}`"
)]
pub trait MadeFrom<T: ?Sized>: PaidSignal + Sized {
    fn made_from(value: &T) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized, S: PaidSignal + for<'a> From<&'a T>> MadeFrom<T> for S {
    fn made_from(value: &T) -> Self {
        Self::from(value)
    }
}

pub fn constant_product(id: &'static str) -> Option<ProductAttribution> {
    Some(ExternalProductId::from_static(id).into())
}

pub fn timestamp<T: AsTimestamp + ?Sized>(time: &T) -> Option<Timestamp> {
    time.as_timestamp()
}

pub fn quantity<T: AsQuantity + ?Sized>(data: &mut Data, quantity: &T) {
    if quantity.is_given() {
        data.field("quantity", quantity);
    }
}

pub fn cost<T: AsCost + ?Sized>(data: &mut Data, cost: &T) {
    if let Some(cost) = cost.as_cost() {
        data.field("costData", &cost);
    }
}

pub fn write_field<T: value::Json + ?Sized>(data: &mut Data, key: &str, value: &T) {
    value.write_to(data, key);
}

pub fn write_field_unless_none<T: value::Json>(data: &mut Data, key: &str, value: &Option<T>) {
    if let Some(value) = value {
        value.write_to(data, key);
    }
}

pub fn write_flat<T: value::Flatten + Serialize + ?Sized>(data: &mut Data, key: &str, value: &T) {
    data.flatten(key, value);
}

/// Returns true if the two lists share no name. Evaluated at compile time.
pub const fn disjoint(one: &[&str], two: &[&str]) -> bool {
    let mut at = 0;
    while at < one.len() {
        let mut other = 0;
        while other < two.len() {
            if same(one[at].as_bytes(), two[other].as_bytes()) {
                return false;
            }
            other += 1;
        }
        at += 1;
    }
    true
}

const fn same(one: &[u8], two: &[u8]) -> bool {
    if one.len() != two.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != two[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// The type that the catalogue gives a field, as a bound. Written out, so that errors do not mention a macro.
pub mod class {
    pub use super::protected::wrapped;
    use super::value;

    #[inline(always)]
    pub fn string<T: value::Text + ?Sized>(value: &T) -> &T {
        value
    }

    #[inline(always)]
    pub fn integer<T: value::Integer + ?Sized>(value: &T) -> &T {
        value
    }

    #[inline(always)]
    pub fn number<T: value::Number + ?Sized>(value: &T) -> &T {
        value
    }

    #[inline(always)]
    pub fn boolean<T: value::Boolean + ?Sized>(value: &T) -> &T {
        value
    }

    #[inline(always)]
    pub fn array<T: value::Array + ?Sized>(value: &T) -> &T {
        value
    }

    #[inline(always)]
    pub fn object<T: value::Object + ?Sized>(value: &T) -> &T {
        value
    }

    /// For the keys of a map.
    pub fn key<T: value::MapKey + ?Sized>() {}
}

/// What `on = "error"` needs.
#[diagnostic::on_unimplemented(
    message = "`on = \"error\"` needs a function that returns a `Result`",
    label = "this type has no error",
    note = "return a `Result`, or leave `on` out to emit whenever the function returns"
)]
pub trait Fallible {}

impl<T, E> Fallible for Result<T, E> {}

pub fn can_fail<R: Fallible>(_: &R) {}

/// A value whose way to text is to be found, see [`ways`].
pub struct Way<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Clone for Way<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Way<'_, T> {}
