//! Collects every mistake of an item, so that all are reported together.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes so far.
#[derive(Default)]
pub(crate) struct Errors {
    all: Vec<syn::Error>,
}

impl Errors {
    /// A mistake at a token.
    pub(crate) fn at(&mut self, place: &impl ToTokens, message: impl std::fmt::Display) {
        self.all.push(syn::Error::new_spanned(place, message));
    }

    /// A mistake at a span.
    pub(crate) fn span(&mut self, span: Span, message: impl std::fmt::Display) {
        self.all.push(syn::Error::new(span, message));
    }

    /// A mistake that syn found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.all.push(error);
    }

    /// The mistakes of a part.
    pub(crate) fn append(&mut self, other: Self) {
        self.all.extend(other.all);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// One of the mistakes, if there are any.
    pub(crate) fn into_result(self) -> syn::Result<()> {
        self.all.into_iter().next().map_or(Ok(()), Err)
    }

    /// One `compile_error!` for each mistake.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.all.iter().map(syn::Error::to_compile_error).collect()
    }
}
