//! `#[paid::signal(...)]`: input (what was written), check (is it allowed), output (what to emit).

mod check;
mod input;
mod output;

use proc_macro2::TokenStream;
use quote::quote;

use crate::catalog;
use crate::diagnostics::Errors;
use crate::function::Function;

/// The item is emitted whatever is wrong with the arguments, so that one mistake is one error.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let function = match Function::parse(item.clone(), "signal") {
        Ok(function) => function,
        Err(error) => {
            errors.push(error);
            let errors = errors.into_tokens();
            return quote!(#errors #item);
        }
    };
    let arguments = input::Arguments::parse(arguments, &mut errors);
    let loaded = catalog::load();
    let checked = check::check(&arguments, &function, &loaded, &mut errors);
    let editor = output::completion(&arguments);
    if !errors.is_empty() {
        let (errors, function) = (errors.into_tokens(), function.into_tokens(&editor));
        return quote!(#errors #[allow(unused)] #function);
    }
    output::function(&arguments, &function, &checked, &loaded, &editor)
}
