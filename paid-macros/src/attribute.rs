//! `#[paid::signal(...)]` and `paid::signal_block!(...)`: input (what was written), check (is it allowed), output (what to
//! emit).

mod block;
mod check;
mod editor;
mod in_the_clear;
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
            return if is_closure(&item) { quote!({ #errors #item }) } else { quote!(#errors #item) };
        }
    };
    let arguments = input::Arguments::parse(arguments, &mut errors);
    let loaded = catalog::load();
    let checked = check::check(&arguments, &function, &loaded, &mut errors);
    let editor = editor::completion(&arguments, checked.event.as_ref());
    if !errors.is_empty() {
        let (errors, function) = (errors.into_tokens(), function.into_tokens(&editor));
        // An editor takes the first token that stands at a key: that of an error has no completions.
        return quote!(#[allow(unused)] #function #errors);
    }
    output::function(&arguments, &function, &checked, &loaded, &editor)
}

/// Whether it stands where an expression does: behind an error without braces, `||` would join the two.
fn is_closure(item: &TokenStream) -> bool {
    syn::parse2::<syn::ExprClosure>(item.clone()).is_ok()
}

/// The same for a part of a function, or a closure.
pub(crate) fn expand_block(tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let (arguments, written) = block::split(tokens);
    let written = match block::Block::parse(written.clone()) {
        Ok(block) => block,
        Err(error) => {
            errors.push(error);
            let (errors, written) = (errors.into_tokens(), syn::parse2::<syn::Expr>(written).ok());
            return quote!({ #errors #written });
        }
    };
    let arguments = input::Arguments::parse(arguments, &mut errors);
    let loaded = catalog::load();
    let checked = check::check(&arguments, &written.function, &loaded, &mut errors);
    let editor = editor::completion(&arguments, checked.event.as_ref());
    if !errors.is_empty() {
        let errors = errors.into_tokens();
        return written.without_signal(&quote!(#editor #errors));
    }
    let contents = output::contents(&arguments, &written.function, &checked, &loaded, &editor);
    written.around(&contents)
}

/// What `signal_block!` takes for the block, if it is one.
#[cfg(test)]
pub(crate) fn block_in(tokens: TokenStream) -> Option<TokenStream> {
    let written = block::split(tokens).1;
    block::Block::parse(written.clone()).is_ok().then_some(written)
}
