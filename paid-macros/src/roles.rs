//! The roles that a value can have in a signal, and every fact about each: one table, which all three macros read.
//!
//! A role that lacks a fact does not compile. What a role does when the program runs is in the library: in
//! `annotated/text.rs` if it is text, else in `annotated.rs`, under its key.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Expr, ExprLit, Lit, LitStr, Path};

use crate::diagnostics::Errors;
use crate::values;

/// What is true of a role.
pub(crate) struct Facts {
    /// The key, as it is written in all macros; also the name of what the library does for it.
    pub(crate) key: &'static str,
    /// What an editor shows for the key.
    pub(crate) doc: &'static str,
    /// What kind of value it takes.
    pub(crate) takes: Takes,
    /// Where the signal holds it.
    pub(crate) holder: Holder,
    /// The macros that have it.
    pub(crate) stands_in: &'static [Macro],
    /// Whether the scope fills it in where it is left out.
    pub(crate) in_scope: bool,
    /// Whether it can go over the collector.
    pub(crate) over_trace: OverTrace,
}

/// What kind of value a role takes, and which literals are mistakes.
#[derive(Clone, Copy)]
pub(crate) enum Takes {
    /// An id: text that must not be empty.
    Id,
    /// The signal's key: text that must not be the same for every call.
    Key,
    /// A point in time.
    Time,
    /// A number above zero.
    Quantity,
    /// Money or usage.
    Cost,
}

/// Where a signal holds what a role says. Two roles with one holder exclude each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// In a field of its own, which a method of `PaidSignal` returns.
    Method(Method),
    /// In this field of its data, which no other field may be called.
    Data(&'static str),
}

/// A method of `PaidSignal` that returns an `Option`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Method {
    pub(crate) name: &'static str,
    /// What is in the `Option`.
    pub(crate) returns: Returns,
    /// What it says about the signal, after "they both say".
    says: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returns {
    Text,
    /// A type of the library, by its path there.
    Type(&'static [&'static str]),
}

/// The macros that have roles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Macro {
    /// `#[paid::signal]`.
    Signal,
    /// `#[derive(PaidSignal)]`.
    Derive,
    /// `#[paid::trace]`.
    Trace,
}

/// Whether a role can go over the collector.
#[derive(Clone, Copy)]
pub(crate) enum OverTrace {
    Yes,
    /// Paid's own id cannot; this role, which is the user's own id of the same thing, can.
    OwnIdOnly(Role),
    No,
}

const CUSTOMER: Holder = Holder::Method(Method {
    name: "customer",
    returns: Returns::Type(&["types", "CustomerAttribution"]),
    says: "whose work it is",
});
const PRODUCT: Holder = Holder::Method(Method {
    name: "product",
    returns: Returns::Type(&["types", "ProductAttribution"]),
    says: "which product it is",
});
const UNIT: Holder =
    Holder::Method(Method { name: "unit", returns: Returns::Text, says: "which unit it counts toward" });
const KEY: Holder =
    Holder::Method(Method { name: "idempotency_key", returns: Returns::Text, says: "what identifies the signal" });
const TIME: Holder =
    Holder::Method(Method { name: "timestamp", returns: Returns::Type(&["Timestamp"]), says: "when it happened" });

const EVERYWHERE: &[Macro] = &[Macro::Signal, Macro::Derive, Macro::Trace];
const ON_SIGNALS: &[Macro] = &[Macro::Signal, Macro::Derive];

macro_rules! roles {
    ($($role:ident { $($fact:ident: $value:expr,)* })*) => {
        /// What a value says about a signal.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Role { $($role),* }

        impl Role {
            /// All roles, in the order in which they are shown.
            pub(crate) const ALL: &[Self] = &[$(Self::$role),*];

            pub(crate) const fn facts(self) -> &'static Facts {
                match self { $(Self::$role => &Facts { $($fact: $value),* },)* }
            }
        }
    };
}

roles! {
    Customer {
        key: "customer",
        doc: "`customer = expr`: your own id of the customer whose work it is.",
        takes: Takes::Id,
        holder: CUSTOMER,
        stands_in: EVERYWHERE,
        in_scope: true,
        over_trace: OverTrace::Yes,
    }
    CustomerId {
        key: "customer_id",
        doc: "`customer_id = expr`: Paid's id of the customer whose work it is.",
        takes: Takes::Id,
        holder: CUSTOMER,
        stands_in: ON_SIGNALS,
        in_scope: true,
        over_trace: OverTrace::OwnIdOnly(Role::Customer),
    }
    Product {
        key: "product",
        doc: "`product = expr`: your own id of the product that does the work.",
        takes: Takes::Id,
        holder: PRODUCT,
        stands_in: EVERYWHERE,
        in_scope: true,
        over_trace: OverTrace::Yes,
    }
    ProductId {
        key: "product_id",
        doc: "`product_id = expr`: Paid's id of the product that does the work.",
        takes: Takes::Id,
        holder: PRODUCT,
        stands_in: ON_SIGNALS,
        in_scope: true,
        over_trace: OverTrace::OwnIdOnly(Role::Product),
    }
    Unit {
        key: "unit",
        doc: "`unit = expr`: your own id of the customer's unit that the spend counts toward.",
        takes: Takes::Id,
        holder: UNIT,
        stands_in: EVERYWHERE,
        in_scope: true,
        over_trace: OverTrace::No,
    }
    IdempotencyKey {
        key: "idempotency_key",
        doc: "`idempotency_key = expr`: identifies the signal; Paid bills a key once.",
        takes: Takes::Key,
        holder: KEY,
        stands_in: ON_SIGNALS,
        in_scope: false,
        over_trace: OverTrace::Yes,
    }
    Timestamp {
        key: "timestamp",
        doc: "`timestamp = expr`: when it happened; the time of emission if left out.",
        takes: Takes::Time,
        holder: TIME,
        stands_in: ON_SIGNALS,
        in_scope: false,
        over_trace: OverTrace::Yes,
    }
    Quantity {
        key: "quantity",
        doc: "`quantity = expr`: the quantity to bill.",
        takes: Takes::Quantity,
        holder: Holder::Data("quantity"),
        stands_in: ON_SIGNALS,
        in_scope: false,
        over_trace: OverTrace::Yes,
    }
    User {
        key: "user",
        doc: "`user = expr`: your own id of the customer's user.",
        takes: Takes::Id,
        holder: Holder::Data("external_user_id"),
        stands_in: ON_SIGNALS,
        in_scope: false,
        over_trace: OverTrace::Yes,
    }
    Cost {
        key: "cost",
        doc: "`cost = expr`: what the work cost you.",
        takes: Takes::Cost,
        holder: Holder::Data("costData"),
        stands_in: ON_SIGNALS,
        in_scope: false,
        over_trace: OverTrace::Yes,
    }
}

impl Role {
    /// The roles of a macro.
    pub(crate) fn of(place: Macro) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |role| role.facts().stands_in.contains(&place))
    }

    /// The role with this key, in this macro.
    pub(crate) fn find(key: &str, place: Macro) -> Option<Self> {
        Self::of(place).find(|role| role.key() == key)
    }

    /// The role that writes this field of the data, which has a meaning to Paid.
    pub(crate) fn that_writes(field: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.field() == Some(field))
    }

    pub(crate) fn key(self) -> &'static str {
        self.facts().key
    }

    /// The field of the data that it writes.
    pub(crate) fn field(self) -> Option<&'static str> {
        match self.facts().holder {
            Holder::Data(field) => Some(field),
            Holder::Method(_) => None,
        }
    }

    /// The method of `PaidSignal` that returns it.
    pub(crate) fn method(self) -> Option<Method> {
        match self.facts().holder {
            Holder::Method(method) => Some(method),
            Holder::Data(_) => None,
        }
    }

    /// Whether it names the product.
    pub(crate) fn is_product(self) -> bool {
        self.facts().holder == PRODUCT
    }

    /// Whether it identifies the signal.
    pub(crate) fn is_key(self) -> bool {
        matches!(self.facts().takes, Takes::Key)
    }

    pub(crate) fn is_text(self) -> bool {
        match self.facts().takes {
            Takes::Id | Takes::Key => true,
            Takes::Time | Takes::Quantity | Takes::Cost => false,
        }
    }

    /// Why it cannot stand beside another role.
    pub(crate) fn objection_to(self, other: Self) -> Option<String> {
        if self == other || self.facts().holder != other.facts().holder {
            return None;
        }
        let says = self.method().map_or("the same", |method| method.says);
        let (own, paids) = if self.own_id().is_some() { (other, self) } else { (self, other) };
        let (own, paids) = (own.key(), paids.key());
        Some(format!("`{own}` and `{paids}` both say {says}; keep `{own}` for your own id or `{paids}` for Paid's"))
    }

    /// For Paid's own ids: the role of the user's own id of the same thing.
    fn own_id(self) -> Option<Self> {
        match self.facts().over_trace {
            OverTrace::OwnIdOnly(own) => Some(own),
            OverTrace::Yes | OverTrace::No => None,
        }
    }

    /// Why it cannot go over the collector, and what to write instead.
    pub(crate) fn objection_over_trace(self) -> Option<String> {
        match self.facts().over_trace {
            OverTrace::Yes => None,
            OverTrace::No => Some(format!("the collector does not take `{}`; leave it out", self.key())),
            OverTrace::OwnIdOnly(own) => {
                Some(format!("the collector takes your own ids only; write `{} = ...` with yours", own.key()))
            }
        }
    }

    /// Reports a literal that is a mistake.
    pub(crate) fn check_literal(self, value: &Expr, errors: &mut Errors) {
        match self.facts().takes {
            Takes::Id => {
                if let Some(text) = text(value) {
                    self.check_not_empty(&text, errors);
                }
            }
            Takes::Key if values::is_constant(value) => errors.at(
                value,
                "this idempotency key is the same for every call, so Paid would bill the first signal only; use what identifies the event, or leave it out",
            ),
            Takes::Quantity => values::check_quantity(value, errors),
            Takes::Key | Takes::Time | Takes::Cost => {}
        }
    }

    /// Reports an id that is empty.
    pub(crate) fn check_not_empty(self, text: &LitStr, errors: &mut Errors) {
        if text.value().trim().is_empty() {
            let key = self.key();
            let instead = if self.facts().in_scope { " to use the scope's" } else { "" };
            errors.at(text, format!("`{key}` is empty; write an id, or leave `{key}` out{instead}"));
        }
    }
}

impl Method {
    /// The methods that roles fill, each once.
    pub(crate) fn all() -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for method in Role::ALL.iter().filter_map(|role| role.method()) {
            if !all.contains(&method) {
                all.push(method);
            }
        }
        all
    }

    /// The type that it returns.
    pub(crate) fn return_type(self, krate: &Path) -> TokenStream {
        let inner = match self.returns {
            Returns::Text => quote!(::std::string::String),
            Returns::Type(path) => {
                let path = path.iter().map(|part| Ident::new(part, Span::call_site()));
                quote!(#krate #(::#path)*)
            }
        };
        quote!(::core::option::Option<#inner>)
    }
}

/// A text literal.
pub(crate) fn text(value: &Expr) -> Option<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.clone()),
        // As it comes out of a `macro_rules!`.
        Expr::Group(group) => self::text(&group.expr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_one_role_and_every_field_of_the_data_is_written_by_one() {
        for (index, role) in Role::ALL.iter().enumerate() {
            for other in &Role::ALL[..index] {
                assert_ne!(role.key(), other.key());
                assert!(role.field().is_none() || role.field() != other.field(), "{role:?} and {other:?}");
            }
            assert!(role.facts().doc.starts_with(&format!("`{} = expr`: ", role.key())), "{role:?}");
        }
    }

    #[test]
    fn every_role_has_its_function_in_the_library() {
        let library = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../paid-api/src");
        let texts = std::fs::read_to_string(library.join("annotated/text.rs")).unwrap();
        let others = std::fs::read_to_string(library.join("annotated.rs")).unwrap();
        for role in Role::ALL {
            let key = role.key();
            let found = match (role.is_text(), role.field()) {
                (true, None) => texts.contains(&format!("\n    {key}, set_{key} (value::")),
                (true, Some(field)) => texts
                    .lines()
                    .any(|row| row.starts_with(&format!("    {key}, set_{key} (value::")) && row.contains(field)),
                (false, _) => others.contains(&format!("\npub fn {key}<")),
            };
            assert!(found, "{role:?}");
        }
    }

    #[test]
    fn your_own_id_excludes_paids_whichever_comes_first() {
        let message = Role::Customer.objection_to(Role::CustomerId).unwrap();
        assert_eq!(Role::CustomerId.objection_to(Role::Customer), Some(message.clone()));
        assert!(message.contains("keep `customer` for your own id or `customer_id` for Paid's"), "{message}");
        assert_eq!(Role::Customer.objection_to(Role::Product), None);
        assert_eq!(Role::Quantity.objection_to(Role::User), None);
    }
}
