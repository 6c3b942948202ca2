//! The traits that a value must implement to be used in a signal: as a field of its data, or in a role. The macros
//! generate these bounds, so that a wrong type is a compile error at the value, which says what to write instead. You
//! can implement all of them for your own types.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64,
    NonZeroUsize,
};
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, TimeZone, Utc};
use serde::Serialize;
use serde_json::Number as JsonNumber;

pub use super::hashed::Protected;
use super::{CostAmount, CostData, CostUsage};
use crate::types::{CustomerId, ExternalCustomerId, ExternalProductId, ProductId};
use crate::{JsonObject, Timestamp};

/// A type that can be a field of a signal's data: every type that serde can serialize, and [`Hashed`](crate::Hashed).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written as JSON",
    label = "this cannot be a field of a signal's data",
    note = "a field must implement `serde::Serialize`: derive it for `{Self}`, or leave the field out with `#[paid(skip)]`"
)]
pub trait Json {
    /// Adds the value to the data.
    #[doc(hidden)]
    fn write_to(&self, data: &mut super::Data, key: &str);
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Json for T {
    fn write_to(&self, data: &mut super::Data, key: &str) {
        data.serialized(key, self);
    }
}

/// What a map in a signal's data can be indexed by: anything that JSON can write as text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key in JSON",
    label = "the keys of a JSON object are strings",
    note = "turn the keys into strings first, or send a list of pairs"
)]
pub trait MapKey {}

/// A type that can be flattened into a signal's data: a struct that lists its fields, or a map.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be flattened into a signal's data",
    label = "`flatten` takes maps with string keys, and structs that list their fields",
    note = "`impl paid::signal::value::Flatten for {Self} {{ const FIELDS: &'static [&'static str] = &[..]; }}` lists its fields, so that the compiler can check that no field is written twice"
)]
pub trait Flatten {
    /// The serialized names of the fields; empty for a map, whose keys are known only at run time.
    const FIELDS: &'static [&'static str];
}

/// An enum that is serialized as one of these words. `#[derive(SignalValue)]` implements it; where the catalogue has
/// `enum = [...]` for a field of a derived signal, the compiler compares the two.
pub trait Words {
    /// What serde writes for its variants.
    const WORDS: &'static [&'static str];
}

impl<T: Words + ?Sized> Words for &T {
    const WORDS: &'static [&'static str] = T::WORDS;
}
impl<T: Words + ?Sized> Words for Box<T> {
    const WORDS: &'static [&'static str] = T::WORDS;
}
impl<T: Words> Words for Option<T> {
    const WORDS: &'static [&'static str] = T::WORDS;
}

macro_rules! classes {
    ($($(#[$meta:meta])* $name:ident: $($ty:ty),*;)*) => {
        $(
            $(#[$meta])*
            pub trait $name {}
            $(impl $name for $ty {})*
            impl<T: $name + ?Sized> $name for &T {}
            impl<T: $name + ?Sized> $name for &mut T {}
            impl<T: $name + ?Sized> $name for Box<T> {}
            impl<T: $name + ?Sized> $name for Rc<T> {}
            impl<T: $name + ?Sized> $name for Arc<T> {}
            impl<T: $name> $name for Option<T> {}
            impl $name for serde_json::Value {}
        )*
    };
}

classes! {
    /// A type that is serialized as a string: `type = "string"` in the catalogue.
    #[diagnostic::on_unimplemented(
        message = "the catalogue says that this field is a string, which `{Self}` is not",
        label = "expected a string",
        note = "if `{Self}` is written as a string, say so: `impl paid::signal::value::Text for {Self} {{}}`"
    )]
    Text: str, String, char, uuid::Uuid, Timestamp, chrono::NaiveDate, chrono::NaiveDateTime;
    /// A type that is serialized as a whole number: `type = "integer"` in the catalogue.
    #[diagnostic::on_unimplemented(
        message = "the catalogue says that this field is an integer, which `{Self}` is not",
        label = "expected an integer",
        note = "if `{Self}` is written as a whole number, say so: `impl paid::signal::value::Integer for {Self} {{}}`"
    )]
    Integer: i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, NonZeroI8, NonZeroI16, NonZeroI32,
        NonZeroI64, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize;
    /// A type that is serialized as a number: `type = "number"` in the catalogue.
    #[diagnostic::on_unimplemented(
        message = "the catalogue says that this field is a number, which `{Self}` is not",
        label = "expected a number",
        note = "if `{Self}` is written as a number, say so: `impl paid::signal::value::Number for {Self} {{}}`"
    )]
    Number: f32, f64, i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, NonZeroI8, NonZeroI16,
        NonZeroI32, NonZeroI64, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize, JsonNumber;
    /// A type that is serialized as `true` or `false`: `type = "boolean"` in the catalogue.
    #[diagnostic::on_unimplemented(
        message = "the catalogue says that this field is a boolean, which `{Self}` is not",
        label = "expected a bool",
        note = "if `{Self}` is written as true or false, say so: `impl paid::signal::value::Boolean for {Self} {{}}`"
    )]
    Boolean: bool;
    /// A type that is serialized as a list: `type = "array"` in the catalogue.
    #[diagnostic::on_unimplemented(
        message = "the catalogue says that this field is an array, which `{Self}` is not",
        label = "expected a list",
        note = "if `{Self}` is written as a list, say so: `impl paid::signal::value::Array for {Self} {{}}`"
    )]
    Array: ;
    /// A type that is serialized as keys and values: `type = "object"` in the catalogue.
    #[diagnostic::on_unimplemented(
        message = "the catalogue says that this field is an object, which `{Self}` is not",
        label = "expected a map or struct",
        note = "if `{Self}` is written as keys and values, say so: `impl paid::signal::value::Object for {Self} {{}}`"
    )]
    Object: JsonObject, CostData, CostAmount, CostUsage;
}

impl Text for Cow<'_, str> {}
impl<Z: TimeZone> Text for DateTime<Z> {}
impl<T> Array for Vec<T> {}
impl<T> Array for [T] {}
impl<T, const N: usize> Array for [T; N] {}
impl<T> Array for VecDeque<T> {}
impl<T> Array for BTreeSet<T> {}
impl<T, S> Array for HashSet<T, S> {}
impl<K: MapKey, V> Object for BTreeMap<K, V> {}
impl<K: MapKey, V, S> Object for HashMap<K, V, S> {}

impl MapKey for str {}
impl MapKey for String {}
impl MapKey for char {}
impl MapKey for uuid::Uuid {}
impl MapKey for Cow<'_, str> {}
impl<T: MapKey + ?Sized> MapKey for &T {}
impl<T: MapKey + ?Sized> MapKey for Box<T> {}
impl<T: MapKey + ?Sized> MapKey for Arc<T> {}

impl Flatten for JsonObject {
    const FIELDS: &'static [&'static str] = &[];
}
impl<K: MapKey, V> Flatten for BTreeMap<K, V> {
    const FIELDS: &'static [&'static str] = &[];
}
impl<K: MapKey, V, S> Flatten for HashMap<K, V, S> {
    const FIELDS: &'static [&'static str] = &[];
}
impl<T: Flatten> Flatten for Option<T> {
    const FIELDS: &'static [&'static str] = T::FIELDS;
}
impl<T: Flatten + ?Sized> Flatten for &T {
    const FIELDS: &'static [&'static str] = T::FIELDS;
}
impl<T: Flatten + ?Sized> Flatten for Box<T> {
    const FIELDS: &'static [&'static str] = T::FIELDS;
}

/// A point in time: `timestamp`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a point in time",
    label = "this cannot be a signal's timestamp",
    note = "use a `chrono::DateTime`, a `paid::Timestamp` or a `std::time::SystemTime`; text is parsed with `text.parse::<paid::Timestamp>()`"
)]
pub trait AsTimestamp {
    /// The time; `None` omits the role.
    fn as_timestamp(&self) -> Option<Timestamp>;
}

impl AsTimestamp for Timestamp {
    fn as_timestamp(&self) -> Option<Timestamp> {
        Some(*self)
    }
}

impl<Z: TimeZone> AsTimestamp for DateTime<Z> {
    fn as_timestamp(&self) -> Option<Timestamp> {
        Some(self.with_timezone(&Utc).into())
    }
}

impl AsTimestamp for SystemTime {
    fn as_timestamp(&self) -> Option<Timestamp> {
        Some(Timestamp::of_system_time(*self))
    }
}

impl<T: AsTimestamp> AsTimestamp for Option<T> {
    fn as_timestamp(&self) -> Option<Timestamp> {
        self.as_ref().and_then(T::as_timestamp)
    }
}

impl<T: AsTimestamp + ?Sized> AsTimestamp for &T {
    fn as_timestamp(&self) -> Option<Timestamp> {
        T::as_timestamp(self)
    }
}

/// What can stand for `quantity`: how many units a signal counts as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a quantity",
    label = "this cannot be a signal's quantity",
    note = "use a number, such as `u32` or `f64`"
)]
pub trait AsQuantity: Serialize {
    /// Returns false for `None`.
    #[doc(hidden)]
    fn is_given(&self) -> bool {
        true
    }
}

macro_rules! quantities {
    ($($ty:ty),*) => { $(impl AsQuantity for $ty {})* };
}

quantities!(
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    isize,
    u8,
    u16,
    u32,
    u64,
    usize,
    NonZeroU8,
    NonZeroU16,
    NonZeroU32,
    NonZeroU64,
    NonZeroUsize,
    JsonNumber
);

impl<T: AsQuantity> AsQuantity for Option<T> {
    fn is_given(&self) -> bool {
        self.is_some()
    }
}

impl<T: AsQuantity + ?Sized> AsQuantity for &T {
    fn is_given(&self) -> bool {
        T::is_given(self)
    }
}

/// What can stand for `cost`: the money or the usage that work took.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cost",
    label = "this cannot be a signal's cost",
    note = "use `paid::signal::CostData::amount(vendor, money)` or `CostData::usage(vendor, model)`"
)]
pub trait AsCost {
    /// The cost; `None` omits the role.
    fn as_cost(&self) -> Option<CostData>;
}

impl AsCost for CostData {
    fn as_cost(&self) -> Option<CostData> {
        Some(self.clone())
    }
}

impl AsCost for CostAmount {
    fn as_cost(&self) -> Option<CostData> {
        Some(self.clone().into())
    }
}

impl AsCost for CostUsage {
    fn as_cost(&self) -> Option<CostData> {
        Some(self.clone().into())
    }
}

impl<T: AsCost> AsCost for Option<T> {
    fn as_cost(&self) -> Option<CostData> {
        self.as_ref().and_then(T::as_cost)
    }
}

impl<T: AsCost + ?Sized> AsCost for &T {
    fn as_cost(&self) -> Option<CostData> {
        T::as_cost(self)
    }
}

/// What can stand for `customer`: your own id, as text or as a type that reads as text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not your own id of a customer",
    label = "this cannot be `customer`",
    note = "`customer` takes your own id: text, an `ExternalCustomerId`, or a type that implements `AsRef<str>` or `Display`; for Paid's id, a `CustomerId`, write `customer_id`"
)]
pub trait CustomerText {
    /// The text; `None` omits the role.
    fn text(&self) -> Option<Cow<'_, str>>;
}

/// What can stand for `customer_id`: Paid's own id (`cus_…`), as text or as its type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not Paid's id of a customer",
    label = "this cannot be `customer_id`",
    note = "`customer_id` takes Paid's id: text, a `CustomerId`, or a type that implements `AsRef<str>` or `Display`; for your own id, an `ExternalCustomerId`, write `customer`"
)]
pub trait CustomerIdText {
    /// The text; `None` omits the role.
    fn text(&self) -> Option<Cow<'_, str>>;
}

/// What can stand for `product`: your own id, as text or as a type that reads as text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not your own id of a product",
    label = "this cannot be `product`",
    note = "`product` takes your own id: text, an `ExternalProductId`, or a type that implements `AsRef<str>` or `Display`; for Paid's id, a `ProductId`, write `product_id`"
)]
pub trait ProductText {
    /// The text; `None` omits the role.
    fn text(&self) -> Option<Cow<'_, str>>;
}

/// What can stand for `product_id`: Paid's own id (`prod_…`), as text or as its type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not Paid's id of a product",
    label = "this cannot be `product_id`",
    note = "`product_id` takes Paid's id: text, a `ProductId`, or a type that implements `AsRef<str>` or `Display`; for your own id, an `ExternalProductId`, write `product`"
)]
pub trait ProductIdText {
    /// The text; `None` omits the role.
    fn text(&self) -> Option<Cow<'_, str>>;
}

/// Text that identifies a signal: `idempotency_key`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an idempotency key",
    label = "this does not identify a signal",
    note = "use what identifies the event and nothing else: an order number, a `Uuid`, text; if you leave it out, the emitter makes a UUIDv7"
)]
pub trait KeyText {
    /// The text; `None` omits the role.
    fn text(&self) -> Option<Cow<'_, str>>;
}

/// What can stand for `unit`: your own id of a part of the customer that has its own cap.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a unit",
    label = "this cannot be `unit`",
    note = "`unit` takes your own id of the customer's unit: text, or a type that implements `AsRef<str>` or `Display`"
)]
pub trait UnitText {
    /// The text; `None` omits the role.
    fn text(&self) -> Option<Cow<'_, str>>;
}

/// What can stand for `user`: your own id of the person who spends the customer's credits.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a user",
    label = "this cannot be `user`",
    note = "`user` takes your own id of the user: text, an `ExternalUserId`, or a type that implements `AsRef<str>` or `Display`"
)]
pub trait UserText {
    /// The text; `None` omits the role.
    fn text(&self) -> Option<Cow<'_, str>>;
}

// Written out by hand, so that compile errors do not mention a macro.

impl CustomerText for ExternalCustomerId {
    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.as_str()))
    }
}

impl<T: CustomerText> CustomerText for &T {
    fn text(&self) -> Option<Cow<'_, str>> {
        T::text(self)
    }
}

impl<T: CustomerText> CustomerText for Option<T> {
    fn text(&self) -> Option<Cow<'_, str>> {
        self.as_ref().and_then(T::text)
    }
}

impl CustomerIdText for CustomerId {
    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.as_str()))
    }
}

impl<T: CustomerIdText> CustomerIdText for &T {
    fn text(&self) -> Option<Cow<'_, str>> {
        T::text(self)
    }
}

impl<T: CustomerIdText> CustomerIdText for Option<T> {
    fn text(&self) -> Option<Cow<'_, str>> {
        self.as_ref().and_then(T::text)
    }
}

impl ProductText for ExternalProductId {
    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.as_str()))
    }
}

impl<T: ProductText> ProductText for &T {
    fn text(&self) -> Option<Cow<'_, str>> {
        T::text(self)
    }
}

impl<T: ProductText> ProductText for Option<T> {
    fn text(&self) -> Option<Cow<'_, str>> {
        self.as_ref().and_then(T::text)
    }
}

impl ProductIdText for ProductId {
    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.as_str()))
    }
}

impl<T: ProductIdText> ProductIdText for &T {
    fn text(&self) -> Option<Cow<'_, str>> {
        T::text(self)
    }
}

impl<T: ProductIdText> ProductIdText for Option<T> {
    fn text(&self) -> Option<Cow<'_, str>> {
        self.as_ref().and_then(T::text)
    }
}
