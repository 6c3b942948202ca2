//! What the macros expand into. No part of the public API: it changes with the macros.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;

use crate::emit::{self, Emit};
use crate::signal::value::{self, AsCost, AsQuantity, AsTimestamp};
use crate::signal::{Data, PaidSignal, Signal};
use crate::types::{
    CustomerAttribution, CustomerId, ExternalCustomerId, ExternalProductId, ProductAttribution, ProductId,
};

/// Counts a signal that nobody listens for.
#[inline]
pub fn lost(name: &str) {
    emit::lost(name);
}

/// The end of a function whose success value is a signal.
pub fn finish_value<S: PaidSignal + ?Sized>(pending: Option<Box<Pending>>, value: &S, more: impl FnOnce(&mut Pending)) {
    match pending {
        Some(mut pending) => {
            pending.payload(value);
            more(&mut pending);
            pending.emit();
        }
        None => emit::lost(S::NAMES.first().copied().unwrap_or_default()),
    }
}

/// A success value that is made into a signal.
pub struct Made<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Made<'_, T> {
    /// The end of the function.
    pub fn finish<S: MadeFrom<T>>(self, pending: Option<Box<Pending>>, more: impl FnOnce(&mut Pending)) {
        match pending {
            Some(mut pending) => {
                pending.payload(&S::made_from(self.0));
                more(&mut pending);
                pending.emit();
            }
            None => emit::lost(S::NAMES.first().copied().unwrap_or_default()),
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

/// Calls a function once; makes the compiler see a body as a function that may give away what it captures.
#[inline(always)]
pub fn call<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// A signal between the entry of a function and its end.
pub struct Pending {
    /// `None` is whoever listens when it is emitted.
    emitter: Option<Arc<dyn Emit>>,
    signal: Signal,
}

impl Pending {
    /// `None` when nobody listens.
    #[inline]
    pub fn start(name: &'static str) -> Option<Box<Self>> {
        emit::current().map(|emitter| Self::over(name, Some(emitter)))
    }

    /// For functions that return a future: it may be polled in another scope than it was made in.
    #[inline]
    pub fn start_future(name: &'static str) -> Option<Box<Self>> {
        emit::anybody_listens().then(|| Self::over(name, None))
    }

    /// For `via = emitter`.
    pub fn start_via(name: &'static str, emitter: impl Emit + 'static) -> Option<Box<Self>> {
        Some(Self::over(name, Some(Arc::new(emitter))))
    }

    fn over(name: &'static str, emitter: Option<Arc<dyn Emit>>) -> Box<Self> {
        Box::new(Self { emitter, signal: Signal::new(name) })
    }

    /// The catalogue's product, for when neither annotation nor scope names one.
    pub fn default_product(&mut self, product: &'static str) {
        self.signal.data.product_by_default(product);
    }

    pub fn field<T: value::Json + ?Sized>(&mut self, key: &str, value: &T) {
        value.write_to(&mut self.signal.data, key);
    }

    pub fn customer(&mut self, id: Option<Cow<'_, str>>) {
        self.signal.customer = customer(id).or(self.signal.customer.take());
    }

    pub fn customer_id(&mut self, id: Option<Cow<'_, str>>) {
        self.signal.customer = customer_id(id).or(self.signal.customer.take());
    }

    pub fn product(&mut self, id: Option<Cow<'_, str>>) {
        self.signal.product = product(id).or(self.signal.product.take());
    }

    pub fn product_id(&mut self, id: Option<Cow<'_, str>>) {
        self.signal.product = product_id(id).or(self.signal.product.take());
    }

    pub fn idempotency_key(&mut self, key: Option<Cow<'_, str>>) {
        self.signal.idempotency_key = key.map(Cow::into_owned).or(self.signal.idempotency_key.take());
    }

    pub fn user(&mut self, user: Option<Cow<'_, str>>) {
        write_user(&mut self.signal.data, user);
    }

    pub fn timestamp<T: AsTimestamp + ?Sized>(&mut self, time: &T) {
        self.signal.timestamp = time.as_timestamp().or(self.signal.timestamp);
    }

    pub fn quantity<T: AsQuantity + ?Sized>(&mut self, quantity: &T) {
        write_quantity(&mut self.signal.data, quantity);
    }

    pub fn cost<T: AsCost + ?Sized>(&mut self, cost: &T) {
        write_cost(&mut self.signal.data, cost);
    }

    /// Takes the place of what the annotation did not set.
    pub fn payload<S: PaidSignal + ?Sized>(&mut self, payload: &S) {
        let own = payload.to_signal();
        let set = std::mem::replace(&mut self.signal, own);
        let signal = &mut self.signal;
        signal.customer = set.customer.or(signal.customer.take());
        signal.product = set.product.or(signal.product.take());
        signal.idempotency_key = set.idempotency_key.or(signal.idempotency_key.take());
        signal.timestamp = set.timestamp.or(signal.timestamp);
    }

    pub fn emit(self: Box<Self>) {
        match self.emitter.or_else(emit::current) {
            Some(emitter) => emit::accept(&*emitter, self.signal),
            None => emit::lost(&self.signal.name),
        }
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

pub fn product_id(id: Option<Cow<'_, str>>) -> Option<ProductAttribution> {
    id.map(|id| ProductId::from(id.into_owned()).into())
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
        data.field("costData", cost);
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

/// A value in the place of an id or key.
pub struct As<'a, R, T: ?Sized>(&'a T, PhantomData<R>);

impl<'a, R, T: ?Sized> As<'a, R, T> {
    pub fn new(value: &'a T) -> Self {
        Self(value, PhantomData)
    }
}

/// Which way a value becomes text; the first that fits is taken: refused, optional, `AsRef<str>`, `Display`, none.
pub mod kind {
    use super::*;

    pub struct ByStr;
    pub struct ByDisplay;
    pub struct ByOption;
    pub struct Unfit<R>(PhantomData<R>);

    impl ByStr {
        pub fn text<T: AsRef<str> + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
            Some(Cow::Borrowed(value.as_ref()))
        }
    }

    impl ByDisplay {
        pub fn text<T: Display + ?Sized>(self, value: &T) -> Option<Cow<'_, str>> {
            Some(Cow::Owned(value.to_string()))
        }
    }

    impl ByOption {
        pub fn text<T: AsRef<str>>(self, value: &Option<T>) -> Option<Cow<'_, str>> {
            value.as_ref().map(|value| Cow::Borrowed(value.as_ref()))
        }
    }

    /// For a glob import that names nothing.
    pub mod ways {
        pub use super::{First as _, Fourth as _, Last as _, Second as _, Third as _};
    }

    pub trait First<R> {
        fn kind(&self) -> Unfit<R> {
            Unfit(PhantomData)
        }
    }
    impl<R: Refuses<T>, T: ?Sized> First<R> for &&&&As<'_, R, T> {}

    pub trait Second {
        fn kind(&self) -> ByOption {
            ByOption
        }
    }
    impl<R, T: AsRef<str>> Second for &&&As<'_, R, Option<T>> {}

    pub trait Third {
        fn kind(&self) -> ByStr {
            ByStr
        }
    }
    impl<R, T: AsRef<str> + ?Sized> Third for &&As<'_, R, T> {}

    pub trait Fourth {
        fn kind(&self) -> ByDisplay {
            ByDisplay
        }
    }
    impl<R, T: Display + ?Sized> Fourth for &As<'_, R, T> {}

    pub trait Last<R> {
        fn kind(&self) -> Unfit<R> {
            Unfit(PhantomData)
        }
    }
    impl<R, T: ?Sized> Last<R> for As<'_, R, T> {}
}

/// Says that a type does not belong in a place although it could be made text.
pub trait Refuses<T: ?Sized> {}

macro_rules! roles {
    ($($role:ident refuses $($ty:ty),*;)*) => {
        $(
            /// A place for text.
            pub struct $role;
            $(impl Refuses<$ty> for $role {}
            impl Refuses<&$ty> for $role {}
            impl Refuses<Option<$ty>> for $role {})*
        )*
    };
}

roles! {
    Customer refuses CustomerId, ProductId, ExternalProductId;
    CustomerIdRole refuses ExternalCustomerId, ProductId, ExternalProductId;
    Product refuses ProductId, CustomerId, ExternalCustomerId;
    ProductIdRole refuses ExternalProductId, CustomerId, ExternalCustomerId;
    Key refuses f32, f64, bool, CustomerId, ExternalCustomerId, ProductId, ExternalProductId;
    User refuses f32, f64, bool, CustomerId, ExternalCustomerId, ProductId, ExternalProductId;
}

// Never called: the bounds are the error messages. Written out, so that those do not speak of a macro.

impl kind::Unfit<Customer> {
    pub fn text<T: value::CustomerText + ?Sized>(self, _: &T) -> Option<Cow<'_, str>> {
        None
    }
}

impl kind::Unfit<CustomerIdRole> {
    pub fn text<T: value::CustomerIdText + ?Sized>(self, _: &T) -> Option<Cow<'_, str>> {
        None
    }
}

impl kind::Unfit<Product> {
    pub fn text<T: value::ProductText + ?Sized>(self, _: &T) -> Option<Cow<'_, str>> {
        None
    }
}

impl kind::Unfit<ProductIdRole> {
    pub fn text<T: value::ProductIdText + ?Sized>(self, _: &T) -> Option<Cow<'_, str>> {
        None
    }
}

impl kind::Unfit<Key> {
    pub fn text<T: value::KeyText + ?Sized>(self, _: &T) -> Option<Cow<'_, str>> {
        None
    }
}

impl kind::Unfit<User> {
    pub fn text<T: value::UserText + ?Sized>(self, _: &T) -> Option<Cow<'_, str>> {
        None
    }
}

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
