//! What the signature lets the compiler expect of the body, inside a closure or an `async` block around it: without this, a
//! closure that is returned would have to name the types of its parameters.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericArgument, Path, PathArguments, Type, TypeParamBound};

use super::Function;
use super::callable::{Within, callable_from};
use super::placeholders::without_impl;
use super::shape::returned;
use super::types::{argument_of, is_trait};

/// A statement at the start of an `async` block that is never run: it says what the block's value is, and where that is
/// written.
pub(super) fn edge(krate: &Path, function: &Function) -> TokenStream {
    let Some(ty) = returned(function).filter(|ty| !matches!(ty, Type::Infer(_))) else { return TokenStream::new() };
    let (span, expected) = (ty.span(), without_impl(ty.to_token_stream()));
    quote_spanned! {span=>
        #[allow(clippy::all)]
        if false {
            return #krate::__private::never::<#expected>();
        }
    }
}

/// The library's function that expects a future.
fn named(within: Within, boxed: bool) -> &'static str {
    match (within, boxed) {
        (Within::Closure, true) => "call_for_boxed_future",
        (Within::Closure, false) => "call_for_future",
        (Within::AsyncBlock, true) => "boxed_future",
        (Within::AsyncBlock, false) => "future",
    }
}

/// The closure called, or the value of the `async` block, by a function that says with its bounds what comes out of it.
pub(super) fn bounded(krate: &Path, function: &Function, within: Within, body: &TokenStream) -> Option<TokenStream> {
    let ty = returned(function)?;
    if let Some(Type::ImplTrait(opaque)) = argument_of(ty, "Pin").and_then(|inner| argument_of(inner, "Box")) {
        let output = without_impl(opaque.bounds.iter().find_map(output_of)?.to_token_stream());
        let call = Ident::new(named(within, true), opaque.span());
        return Some(quote_spanned!(opaque.span()=> #krate::__private::#call::<#output, _>(#body)));
    }
    let Type::ImplTrait(opaque) = ty else { return None };
    if opaque.bounds.iter().any(|bound| is_trait(bound, "Future")) {
        let output = opaque.bounds.iter().find_map(output_of)?;
        let output = without_impl(output.to_token_stream());
        let call = Ident::new(named(within, false), opaque.span());
        return Some(quote_spanned!(opaque.span()=> #krate::__private::#call::<#output, _>(#body)));
    }
    let names = ["Fn", "FnMut", "FnOnce", "AsyncFn", "AsyncFnMut", "AsyncFnOnce"];
    let is_callable = |bound: &&TypeParamBound| names.iter().any(|name| is_trait(bound, name));
    let Some(TypeParamBound::Trait(callable)) = opaque.bounds.iter().find(is_callable) else { return None };
    callable_from(&function.signature.generics, callable, within, body)
}

fn output_of(bound: &TypeParamBound) -> Option<&Type> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    let PathArguments::AngleBracketed(list) = &bound.path.segments.last()?.arguments else { return None };
    list.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(output) if output.ident == "Output" => Some(&output.ty),
        _ => None,
    })
}
