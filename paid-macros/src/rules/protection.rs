//! Fields that the catalogue keeps from being sent in the clear: `pii` and `secret`.

use paid_catalog::Protection;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Path;

use super::Event;

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
