//! What the macros expand into. No part of the public API: it changes with the macros.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;

use serde::Serialize;

use crate::emit;
use crate::listener::{self, Emit};
use crate::signal::value::{self, AsCost, AsQuantity, AsTimestamp};
use crate::signal::{Data, PaidSignal, Signal};
use crate::types::{
    CustomerAttribution, CustomerId, ExternalCustomerId, ExternalProductId, ProductAttribution, ProductId,
};

/// Calls a function once; makes the compiler see a body as a function that may give away what it captures.
#[inline(always)]
pub fn call<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Never called: gives a type to a place that is never reached.
pub fn never<T>() -> T {
    panic!("this is never called")
}

/// A signal between the entry of a function and its end; empty when nobody listens.
pub struct Pending {
    name: &'static str,
    inner: Option<Box<PendingSignal>>,
}

struct PendingSignal {
    route: Route,
    signal: Signal,
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
    #[inline]
    pub fn start(name: &'static str) -> Self {
        match emit::current() {
            Some(emitter) => Self::over(name, Route::Emitter(emitter)),
            None => Self { name, inner: None },
        }
    }

    /// For functions that return a future: it may be polled in another scope than it was made in.
    #[inline]
    pub fn start_future(name: &'static str) -> Self {
        if listener::anybody_listens() { Self::over(name, Route::Listener) } else { Self { name, inner: None } }
    }

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
        self.change(|signal| signal.cost_attributed = true);
    }

    fn over(name: &'static str, route: Route) -> Self {
        Self { name, inner: Some(Box::new(PendingSignal { route, signal: Signal::new(name) })) }
    }

    /// Whether anybody listens: only then are expressions evaluated.
    #[inline]
    pub fn listens(&self) -> bool {
        self.inner.is_some()
    }

    fn change(&mut self, change: impl FnOnce(&mut Signal)) {
        if let Some(inner) = &mut self.inner {
            change(&mut inner.signal);
        }
    }

    /// The catalogue's product, for when neither annotation nor scope names one.
    pub fn default_product(&mut self, product: &'static str) {
        self.change(|signal| signal.data.product_by_default(product));
    }

    pub fn field<T: value::Json + ?Sized>(&mut self, key: &str, value: &T) {
        self.change(|signal| value.write_to(&mut signal.data, key));
    }

    pub fn customer(&mut self, id: Option<Cow<'_, str>>) {
        self.change(|signal| signal.customer = customer(id));
    }

    pub fn customer_id(&mut self, id: Option<Cow<'_, str>>) {
        self.change(|signal| signal.customer = customer_id(id));
    }

    pub fn product(&mut self, id: Option<Cow<'_, str>>) {
        self.change(|signal| signal.product = product(id));
    }

    pub fn product_id(&mut self, id: Option<Cow<'_, str>>) {
        self.change(|signal| signal.product = product_id(id));
    }

    pub fn idempotency_key(&mut self, key: Option<Cow<'_, str>>) {
        self.change(|signal| {
            signal.idempotency_key = key.map(|key| crate::signal::IdempotencyKey::Given(key.into_owned()))
        });
    }

    pub fn user(&mut self, user: Option<Cow<'_, str>>) {
        self.change(|signal| write_user(&mut signal.data, user));
    }

    pub fn timestamp<T: AsTimestamp + ?Sized>(&mut self, time: &T) {
        self.change(|signal| signal.timestamp = time.as_timestamp());
    }

    pub fn quantity<T: AsQuantity + ?Sized>(&mut self, quantity: &T) {
        self.change(|signal| write_quantity(&mut signal.data, quantity));
    }

    pub fn cost<T: AsCost + ?Sized>(&mut self, cost: &T) {
        self.change(|signal| write_cost(&mut signal.data, cost));
    }

    /// Takes the place of what the annotation did not set.
    fn payload<S: PaidSignal + ?Sized>(&mut self, payload: &S) {
        self.name = S::NAMES.first().copied().unwrap_or_default();
        self.change(|signal| {
            let own = payload.to_signal();
            let set = std::mem::replace(signal, own);
            signal.customer = set.customer.or(signal.customer.take());
            signal.product = set.product.or(signal.product.take());
            signal.idempotency_key = set.idempotency_key.or(signal.idempotency_key.take());
            signal.timestamp = set.timestamp.or(signal.timestamp);
            signal.cost_attributed |= set.cost_attributed;
            signal.data.append(set.data);
        });
    }

    #[inline]
    pub fn emit(self) {
        match self.inner {
            None => listener::lost(self.name),
            Some(inner) => inner.emit(),
        }
    }
}

impl PendingSignal {
    fn emit(self: Box<Self>) {
        match self.route {
            Route::Emitter(emitter) => emit::accept(&*emitter, self.signal),
            Route::Listener => emit::emit(self.signal),
            Route::Function(emit) => emit(self.signal),
        }
    }
}

/// The features that an annotation may need.
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

#[cfg(feature = "trace")]
mod traced;
#[cfg(feature = "trace")]
pub use traced::*;

/// For a success value that is a signal.
pub fn fill_with<S: PaidSignal + ?Sized>(pending: &mut Pending, value: &S) {
    pending.payload(value);
}

/// A success value that is made into a signal.
pub struct Made<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Made<'_, T> {
    pub fn fill<S: MadeFrom<T>>(self, pending: &mut Pending) {
        if pending.listens() {
            pending.payload(&S::made_from(self.0));
        } else {
            pending.name = S::NAMES.first().copied().unwrap_or_default();
        }
    }
}

/// What a payload type needs.
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

pub fn customer(id: Option<Cow<'_, str>>) -> Option<CustomerAttribution> {
    id.map(|id| ExternalCustomerId::from(id.into_owned()).into())
}

pub fn customer_id(id: Option<Cow<'_, str>>) -> Option<CustomerAttribution> {
    id.map(|id| CustomerId::from(id.into_owned()).into())
}

pub fn product(id: Option<Cow<'_, str>>) -> Option<ProductAttribution> {
    id.map(|id| ExternalProductId::from(id.into_owned()).into())
}

pub fn constant_product(id: &'static str) -> Option<ProductAttribution> {
    Some(ExternalProductId::from_static(id).into())
}

pub fn product_id(id: Option<Cow<'_, str>>) -> Option<ProductAttribution> {
    id.map(|id| ProductId::from(id.into_owned()).into())
}

macro_rules! texts {
    ($($name:ident: $function:ident -> $returns:ty;)*) => {
        $(pub fn $name<T: AsRef<str> + ?Sized>(value: &T) -> Option<$returns> {
            $function(by_str(value))
        })*
    };
}

// For types that are text by their name.
texts! {
    customer_text: customer -> CustomerAttribution;
    customer_id_text: customer_id -> CustomerAttribution;
    product_text: product -> ProductAttribution;
    product_id_text: product_id -> ProductAttribution;
}

pub fn key_text<T: AsRef<str> + ?Sized>(value: &T) -> Option<String> {
    Some(value.as_ref().to_owned())
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

pub fn write_user(data: &mut Data, user: Option<Cow<'_, str>>) {
    if let Some(user) = user {
        data.field("external_user_id", &user);
    }
}

pub fn write_quantity<T: AsQuantity + ?Sized>(data: &mut Data, quantity: &T) {
    if quantity.is_given() {
        data.field("quantity", quantity);
    }
}

pub fn write_cost<T: AsCost + ?Sized>(data: &mut Data, cost: &T) {
    if let Some(cost) = cost.as_cost() {
        data.field("costData", &cost);
    }
}

/// Whether no name of one list is in the other; for a check while compiling.
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

/// What the catalogue says of a field's type, as bounds. Written out, so that errors do not speak of a macro.
pub mod class {
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
    pub fn key<T: value::Key + ?Sized>() {}
}

/// How a function ended: what success is depends on what it returns.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// A `Result`, also through an alias.
pub trait OfResult<'a> {
    type Ok: ?Sized;
    type Err: ?Sized;
    fn outcome(&self) -> Result<&'a Self::Ok, &'a Self::Err>;
}

impl<'a, T, E> OfResult<'a> for Probe<'a, Result<T, E>> {
    type Ok = T;
    type Err = E;
    #[inline(always)]
    fn outcome(&self) -> Result<&'a T, &'a E> {
        self.0.as_ref()
    }
}

/// Anything else is a success.
pub trait OfAnything<'a> {
    type Ok: ?Sized;
    fn outcome(&self) -> Result<&'a Self::Ok, &'a Infallible>;
}

impl<'a, T: ?Sized> OfAnything<'a> for &Probe<'a, T> {
    type Ok = T;
    #[inline(always)]
    fn outcome(&self) -> Result<&'a T, &'a Infallible> {
        Ok(self.0)
    }
}

/// What `on = "error"` needs.
#[diagnostic::on_unimplemented(
    message = "`on = \"error\"` needs a function that returns a `Result`",
    label = "this can never be an error",
    note = "return a `Result`, or leave `on` out to emit whenever the function returns"
)]
pub trait Fallible {}

impl<T, E> Fallible for Result<T, E> {}

pub fn can_fail<R: Fallible>(_: &R) {}

/// Text that needs no way to be found: the type is known to be some.
#[inline(always)]
pub fn by_str<T: AsRef<str> + ?Sized>(value: &T) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(value.as_ref()))
}

/// A value whose way to text is looked for.
pub struct Way<'a, T: ?Sized>(pub &'a T);

pub mod ways;

/// The keys of the annotation, for completion in editors.
#[allow(non_camel_case_types)]
pub mod keys {
    macro_rules! keys {
        ($($(#[$meta:meta])* $key:ident,)*) => { $($(#[$meta])* pub struct $key;)* };
    }

    keys! {
        /// `customer = expr`: your own id of whose work it is.
        customer,
        /// `customer_id = expr`: Paid's id of whose work it is.
        customer_id,
        /// `product = expr`: your own id of the product that does it.
        product,
        /// `product_id = expr`: Paid's id of the product that does it.
        product_id,
        /// `idempotency_key = expr`: what tells this signal from every other.
        idempotency_key,
        /// `timestamp = expr`: when it happened.
        timestamp,
        /// `quantity = expr`: how many.
        quantity,
        /// `user = expr`: your own id of the user at the customer.
        user,
        /// `cost = expr`: what the work cost you.
        cost,
        /// `data(field = expr, ...)`: what else there is to say.
        data,
        /// `cost_attributed`: takes what its traced scope cost with it.
        cost_attributed,
        /// `over = "trace"`: as a span to the collector instead of to the API.
        over,
        /// `on = "success" | "error" | "always"`: when the signal is emitted.
        on,
        /// `when = expr`: only then.
        when,
        /// `via = expr`: another emitter.
        via,
        /// `ret = name`: another name for the success value.
        ret,
    }
}
