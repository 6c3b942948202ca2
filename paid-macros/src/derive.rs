//! `#[derive(PaidSignal)]`: input (what was written), check (is it allowed), output (what to emit).

mod check;
mod input;
mod output;
mod words;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::catalog;
use crate::diagnostics::Errors;

/// An implementation is emitted whatever is wrong with the item, so that one mistake is one error.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    let container = input::Container::read(&item, &mut errors);
    let loaded = catalog::load();
    let signals = check::check(&container, &loaded, &mut errors);
    if errors.is_empty() {
        return output::implementation(&container, &signals, &loaded);
    }
    let (errors, stub) = (errors.into_tokens(), output::stub(&container));
    quote!(#errors #stub)
}
