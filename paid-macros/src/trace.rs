//! `#[paid::trace(...)]`: input (what was written, and is it allowed), output (the work in a traced scope).

mod input;
mod output;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostics::Errors;
use crate::function::{Function, traced_mark};

/// The item is emitted whatever is wrong with the arguments, so that one mistake is one error.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let function = match Function::parse(item.clone(), "trace") {
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
    let mark = traced_mark(&parsed.krate, &arguments, &function);
    output::function(&parsed, &function, mark)
}
