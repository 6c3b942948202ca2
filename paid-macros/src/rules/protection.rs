//! Fields that the catalogue keeps from being sent in the clear: `pii` and `secret`.

use paid_catalog::Protection;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Path;

use super::Event;
use crate::roles::Role;

impl Event<'_> {
    fn protection(&self, key: &str) -> Protection {
        let field = self.known.and_then(|known| known.data.get(key));
        field.map_or(Protection::None, |field| field.protection())
    }

    /// Whether only a wrapped value compiles in this field.
    pub(crate) fn is_wrapped(&self, key: &str) -> bool {
        self.protection(key) == Protection::Wrapped
    }

    /// What a protected field has to be: text that can be hashed, or a wrapper.
    pub(super) fn class_of_protected(&self, key: &str) -> Option<Ident> {
        let name = match self.protection(key) {
            Protection::None => return None,
            Protection::Hashed => "string",
            Protection::Wrapped => "wrapped",
        };
        Some(Ident::new(name, Span::call_site()))
    }

    /// The fields with this protection.
    pub(crate) fn fields_with(&self, protection: Protection) -> Vec<&str> {
        let fields = self.known.iter().flat_map(|known| &known.data);
        fields.filter(|(_, field)| field.protection() == protection).map(|(name, _)| name.as_str()).collect()
    }

    /// The fields that are not sent in the clear.
    pub(crate) fn protected(&self) -> Vec<&str> {
        [Protection::Hashed, Protection::Wrapped].into_iter().flat_map(|kind| self.fields_with(kind)).collect()
    }

    /// What is wrong with the value of a protected field in a role.
    pub(crate) fn objection_in_the_clear(&self, role: Role, field: &str) -> String {
        let (role, shown) = (role.key(), self.shown());
        let known = self.known.and_then(|known| known.data.get(field));
        let is_secret = known.is_some_and(|known| known.secret);
        let (says, allow) = match self.protection(field) {
            _ if is_secret => ("secret = true", ""),
            Protection::Hashed => ("pii = \"hash\"", "; if it may be sent, write `pii = \"allow\"` there"),
            _ => ("pii = \"refuse\"", "; if it may be sent, write `pii = \"allow\"` there"),
        };
        format!(
            "`{role}` is sent in the clear, but {shown} protects `{field}` (`{says}`): give it another id, or a hash, \
             `key.hash(&{field})` with your `paid::HashKey`; if this is another value, call it by another name{allow}"
        )
    }

    /// What tells the library which fields are protected; `None` if none is.
    pub(crate) fn protections(&self, krate: &Path) -> Option<TokenStream> {
        let (hashed, wrapped) = (self.fields_with(Protection::Hashed), self.fields_with(Protection::Wrapped));
        if hashed.is_empty() && wrapped.is_empty() {
            return None;
        }
        let catalogue = self.shown();
        Some(quote! {
            &#krate::__private::Protections { catalogue: #catalogue, hashed: &[#(#hashed),*], wrapped: &[#(#wrapped),*] }
        })
    }
}
