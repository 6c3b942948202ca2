//! The body as an expression inside the new one.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Path, ReturnType, Type};

use super::expectation::{Within, bounded, edge};
use super::placeholders::without_impl;
use super::shape::{is_never, returned};
use super::{Function, tracked};

/// The contents of the body, spanned as the user wrote them.
pub(crate) fn inner(body: &TokenTree) -> TokenStream {
    match body {
        TokenTree::Group(group) => group.stream(),
        other => other.to_token_stream(),
    }
}

/// A closure of the body, which keeps `return` and `?` inside.
pub(crate) fn closure(function: &Function) -> TokenStream {
    let body = &function.body;
    match &function.signature.output {
        ReturnType::Default => quote!(|| #body),
        ReturnType::Type(..) if matches!(returned(function), Some(Type::ImplTrait(_))) => quote!(|| #body),
        ReturnType::Type(arrow, ty) => {
            let ty = without_impl(ty.to_token_stream());
            quote!(|| #arrow #ty #body)
        }
    }
}

/// The body's value, computed at once.
pub(crate) fn call(krate: &Path, function: &Function) -> TokenStream {
    if is_in_place(function)
        && let Some(block) = tracked::inline(krate, function)
    {
        return block;
    }
    let closure = closure(function);
    bounded(krate, function, Within::Closure, &closure).unwrap_or_else(|| quote!(#krate::__private::call(#closure)))
}

/// Whether the body has to stand in the function itself: a closure has no caller that `#[track_caller]` could show.
pub(crate) fn is_in_place(function: &Function) -> bool {
    function.attributes.iter().any(|attribute| {
        attribute.path().is_ident("track_caller")
            || attribute.path().is_ident("cfg_attr") && attribute.to_token_stream().to_string().contains("track_caller")
    })
}

/// An `async` block of the body.
pub(crate) fn future(krate: &Path, function: &Function, moved: Option<TokenStream>) -> TokenStream {
    let inner = inner(&function.body);
    if is_never(function) {
        return quote!(#krate::__private::forever(async #moved { #inner }));
    }
    if let Some(bounded) = bounded(krate, function, Within::AsyncBlock, &quote!({ #inner })) {
        return quote!(async #moved { #bounded });
    }
    let edge = edge(krate, function);
    quote!(async #moved { #edge #inner })
}
