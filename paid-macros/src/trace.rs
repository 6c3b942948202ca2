//! `#[paid::trace(...)]`: input (what was written, and is it allowed), output (the work in a traced scope).

mod input;
mod output;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostics::Errors;
use crate::function::Function;

/// The item is emitted whatever is wrong with the arguments, so that one mistake is one error.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut function = match Function::parse(item.clone(), "trace") {
        Ok(function) => function,
        Err(error) => {
            errors.push(error);
            let errors = errors.into_tokens();
            return quote!(#errors #item);
        }
    };
    let parsed = input::Arguments::parse(arguments.clone(), &mut errors);
    if !errors.is_empty() {
        let (errors, function) = (errors.into_tokens(), function.into_tokens(&TokenStream::new()));
        return quote!(#errors #[allow(unused)] #function);
    }
    // Signals are emitted inside the scope: they expand first, and this attribute after them.
    let is_signal =
        |attribute: &syn::Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "signal");
    if function.attributes.iter().any(is_signal) {
        let krate = &parsed.krate;
        function.attributes.push(syn::parse_quote!(#[#krate::trace(#arguments)]));
        return function.into_tokens(&TokenStream::new());
    }
    output::function(&parsed, &function)
}
