//! The roles that are text, and what each does to a signal: one row a role, in the tables below. The macros expand into
//! what the tables make of a row; its name is the role's key.

use std::borrow::Cow;
use std::fmt::Display;

use super::Pending;
use crate::foreign;
use crate::signal::{Data, IdempotencyKey, Signal, check, value};
use crate::types::{
    CustomerAttribution, CustomerId, ExternalCustomerId, ExternalProductId, ProductAttribution, ProductId,
};

type Text<'a> = Option<Cow<'a, str>>;

/// A value of a type that is `AsRef<str>`.
pub struct AsText<'a, T: ?Sized>(pub(super) &'a T);
/// A value of a type that is `Display`.
pub struct AsDisplay<'a, T: ?Sized>(pub(super) &'a T);
/// An `Option` of text.
pub struct AsOption<'a, T>(pub(super) &'a Option<T>);
/// An `Option` of what is `Display`.
pub struct AsDisplayedOption<'a, T>(pub(super) &'a Option<T>);
/// A value of any other type: each role takes those that implement its trait, and refuses the rest with its message.
pub struct AsNothing<'a, T: ?Sized>(pub(super) &'a T);

/// The text that a value says of itself. If its code panics, the signal is refused, but not the function's own value.
#[inline(always)]
fn told<'a>(text: impl FnOnce() -> Text<'a>) -> Text<'a> {
    foreign::call(text).unwrap_or(Some(Cow::Borrowed(check::UNREADABLE)))
}

/// The text of a value whose type is known to be text.
#[inline(always)]
pub fn by_str<T: AsRef<str> + ?Sized>(value: &T) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(value.as_ref()))
}

/// A role that is `None` leaves what a payload says of it.
pub(super) fn set_if_there<T>(role: &mut Option<T>, value: Option<T>) {
    *role = value.or(role.take());
}

fn set_customer(signal: &mut Signal, customer: Option<CustomerAttribution>) {
    set_if_there(&mut signal.customer, customer);
    signal.customer_was_none = signal.customer.is_none();
}

/// The parts of a key as one text, which no other parts make: `\` and `:` in a part are escaped, and a part that is `None`
/// is `\0`.
pub fn joined(parts: &[Text<'_>]) -> Text<'static> {
    let mut key = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            key.push(':');
        }
        match part.as_deref() {
            Some(check::UNREADABLE) => return Some(Cow::Borrowed(check::UNREADABLE)),
            Some(text) => key.push_str(&text.replace('\\', "\\\\").replace(':', "\\:")),
            None => key.push_str("\\0"),
        }
    }
    Some(Cow::Owned(key))
}

/// `role, how a macro sets it (trait): how the text becomes what PaidSignal returns => its type, where the signal keeps it;`
macro_rules! of_the_signal {
    ($($role:ident, $set_role:ident ($($class:tt)*): |$text:ident| $value:expr => $returns:ty, |$signal:ident, $set:ident| $keep:expr;)*) => {
        texts! { $($role, $set_role ($($class)*);)* }

        /// What `PaidSignal` returns for a text.
        pub mod role {
            use super::*;
            $(pub fn $role(text: Text<'_>) -> Option<$returns> {
                text.map(|text| {
                    let $text = text.into_owned();
                    $value
                })
            })*
        }

        /// The same for types that are text by their name.
        pub mod role_of_text {
            use super::*;
            $(pub fn $role<T: AsRef<str> + ?Sized>(value: &T) -> Option<$returns> {
                role::$role(by_str(value))
            })*
        }

        impl Pending {
            $(pub fn $role(&mut self, text: Text<'_>) {
                self.change(stringify!($role), |$signal| {
                    let $set = role::$role(text);
                    $keep
                });
            })*
        }
    };
}

/// `role, how a macro sets it (trait): the field of the data that it writes;`
macro_rules! of_the_data {
    ($($role:ident, $set_role:ident ($($class:tt)*): $field:literal;)*) => {
        texts! { $($role, $set_role ($($class)*);)* }

        /// Writes a text into the data.
        pub mod write {
            use super::*;
            $(pub fn $role(data: &mut Data, text: Text<'_>) {
                match text {
                    Some(text) if text == check::UNREADABLE => data.refuse(stringify!($role), check::PANICKED.to_owned()),
                    Some(text) => data.field($field, &text),
                    None => {}
                }
            })*
        }

        impl Pending {
            $(pub fn $role(&mut self, text: Text<'_>) {
                self.change(stringify!($role), |signal| write::$role(&mut signal.data, text));
            })*
        }
    };
}

/// How a value becomes the text of a role, and how a role is set to it, for each way that a type can be text.
macro_rules! texts {
    ($($role:ident, $set_role:ident ($($class:tt)*);)*) => {
        texts! { @way [T: AsRef<str> + ?Sized] AsText, |value| by_str(value), $($role $set_role)* }
        texts! { @way [T: Display + ?Sized] AsDisplay, |value| Some(Cow::Owned(value.to_string())), $($role $set_role)* }
        texts! { @way [T: AsRef<str>] AsOption, |value| value.as_ref().and_then(by_str), $($role $set_role)* }
        texts! {
            @way [T: Display] AsDisplayedOption, |value| value.as_ref().map(|value| Cow::Owned(value.to_string())),
            $($role $set_role)*
        }

        // Errors show the trait in the row, since its tokens come from there: a `path` would show this macro instead.
        impl<'a, T: ?Sized> AsNothing<'a, T> {
            $(#[inline(always)]
            pub fn $role(self) -> Text<'a>
            where
                T: $($class)*,
            {
                told(|| self.0.text())
            }

            #[inline(always)]
            pub fn $set_role(self, pending: &mut Pending)
            where
                T: $($class)*,
            {
                if pending.listens {
                    pending.$role(self.$role());
                }
            })*
        }
    };
    (@way [$($bounds:tt)*] $way:ident, |$value:ident| $text:expr, $($role:ident $set_role:ident)*) => {
        impl<'a, $($bounds)*> $way<'a, T> {
            $(#[inline(always)]
            pub fn $role(self) -> Text<'a> {
                let $value = self.0;
                told(|| $text)
            }

            #[inline(always)]
            pub fn $set_role(self, pending: &mut Pending) {
                if pending.listens {
                    pending.$role(self.$role());
                }
            })*
        }
    };
}

of_the_signal! {
    customer, set_customer (value::CustomerText):
        |id| ExternalCustomerId::from(id).into() => CustomerAttribution,
        |signal, customer| set_customer(signal, customer);
    customer_id, set_customer_id (value::CustomerIdText):
        |id| CustomerId::from(id).into() => CustomerAttribution,
        |signal, customer| set_customer(signal, customer);
    product, set_product (value::ProductText):
        |id| ExternalProductId::from(id).into() => ProductAttribution,
        |signal, product| set_if_there(&mut signal.product, product);
    product_id, set_product_id (value::ProductIdText):
        |id| ProductId::from(id).into() => ProductAttribution,
        |signal, product| set_if_there(&mut signal.product, product);
    unit, set_unit (value::UnitText):
        |id| id => String,
        |signal, unit| set_if_there(&mut signal.unit, unit);
    idempotency_key, set_idempotency_key (value::KeyText):
        |key| key => String,
        |signal, key| set_if_there(&mut signal.idempotency_key, key.map(IdempotencyKey::Given));
}

of_the_data! {
    user, set_user (value::UserText): "external_user_id";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[Option<&str>]) -> String {
        let parts: Vec<Text<'_>> = parts.iter().map(|part| part.map(Cow::Borrowed)).collect();
        joined(&parts).map(Cow::into_owned).unwrap_or_default()
    }

    #[test]
    fn other_parts_make_another_key() {
        assert_eq!(key(&[Some("lead-7"), Some("2026-07-01")]), "lead-7:2026-07-01");
        let all = [
            key(&[Some("a:b"), Some("c")]),
            key(&[Some("a"), Some("b:c")]),
            key(&[Some("a"), Some("b"), Some("c")]),
            key(&[Some("a\\"), Some("b"), Some("c")]),
            key(&[Some("a"), Some(""), Some("c")]),
            key(&[Some("a"), None, Some("c")]),
            key(&[Some("a"), Some("\\0"), Some("c")]),
            key(&[Some("a:b:c")]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{one}");
        }
    }
}
