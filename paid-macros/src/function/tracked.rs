//! The body of a `#[track_caller]` function, in place: `return` and `?` become a `break` out of a block. A macro of the user's
//! may hide a `return`, which would leave the function without its end: then a copy that never runs does not compile.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Block, Expr, Lifetime, Path, ReturnType};

use super::Function;
use super::hiding::{holds_an_impl, macro_that_may_return, need_a_macro_of, take_items};
use super::placeholders::without_impl;
use crate::leaving;
use crate::place::moved;

/// `None` if the body cannot be parsed; then its closure will tell what is wrong.
pub(crate) fn inline(krate: &Path, function: &Function) -> Option<TokenStream> {
    let mut block: Block = syn::parse2(function.body.to_token_stream()).ok()?;
    let calls = macro_that_may_return(function.body.to_token_stream());
    let hides = calls.is_some();
    let items = if hides { take_items(&mut block) } else { Vec::new() };
    let unseen = calls.filter(|_| holds_an_impl(block.to_token_stream()) || need_a_macro_of(&block, &items));
    let label = Lifetime::new("'__paid_body", Span::mixed_site());
    let mut left = false;
    leaving::each_in_block(&mut block, &mut |expr| left |= replace(expr, krate, &label));
    let body = if left { quote!({ #label: #block }) } else { block.into_token_stream() };
    let check = match unseen {
        Some(name) => cannot_be_seen(&name),
        None if hides => no_return_is_hidden(krate, function, &body),
        None => TokenStream::new(),
    };
    // A body that always panics would make what follows unreachable, of which the compiler would warn.
    let body = quote!(if #krate::__private::always() #body else { #krate::__private::never() });
    Some(match &function.signature.output {
        ReturnType::Default => quote!({ #(#items)* #check #body }),
        ReturnType::Type(_, ty) => {
            let ty = without_impl(ty.to_token_stream());
            quote!({ #(#items)* #check let returned: #ty = #body; returned })
        }
    })
}

/// Whether it was one of those that are replaced.
fn replace(expr: &mut Expr, krate: &Path, label: &Lifetime) -> bool {
    let span = expr.span();
    let instead = match expr {
        Expr::Return(of) => {
            let value = &of.expr;
            quote_spanned!(span=> break #label #value)
        }
        Expr::Try(of) => {
            let tried = &of.expr;
            // Lints would take parentheses at the user's place for the user's.
            let mut matched = Group::new(
                Delimiter::Parenthesis,
                quote_spanned! {span=>
                    match #krate::__private::Try::branch(#tried) {
                        ::core::ops::ControlFlow::Continue(value) => value,
                        ::core::ops::ControlFlow::Break(residual) => break #label #krate::__private::FromResidual::from_residual(residual),
                    }
                },
            );
            matched.set_span(span.resolved_at(Span::mixed_site()));
            TokenTree::Group(matched).into_token_stream()
        }
        _ => return false,
    };
    *expr = Expr::Verbatim(instead);
    true
}

/// A copy of the body in a closure of another type, in which no `return` is left that can be seen.
fn no_return_is_hidden(krate: &Path, function: &Function, body: &TokenStream) -> TokenStream {
    let ty = match &function.signature.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => without_impl(ty.to_token_stream()),
    };
    let place = place_of_track_caller(function);
    let (at_place, value) = (moved(krate, place), Ident::new("WriteReturnOutsideOfMacros", place));
    let expected = quote_spanned!(place=> #at_place::__private::#value);
    quote! {
        #[allow(unused, clippy::all)]
        if false {
            let _ = #krate::__private::once(|| -> #expected {
                let returned: #ty = #body;
                #krate::__private::WriteReturnOutsideOfMacros
            });
            loop {}
        }
    }
}

/// An error where a copy of the body cannot be made.
fn cannot_be_seen(name: &Ident) -> TokenStream {
    let message = format!(
        "`{name}!` may hold a `return` that the annotation would miss, and beside an `impl` in an inner block or out of a macro \
         that cannot be found out in a function with `#[track_caller]`: move the `impl` out of the function"
    );
    syn::Error::new(name.span(), message).into_compile_error()
}

fn place_of_track_caller(function: &Function) -> Span {
    let found = function.attributes.iter().find(|attribute| attribute.path().is_ident("track_caller"));
    found.map_or_else(|| function.signature.ident.span(), |attribute| attribute.path().span())
}
