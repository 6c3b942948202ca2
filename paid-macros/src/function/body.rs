//! The body as an expression inside the new one.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Path, ReturnType, Type};

use super::callable::Within;
use super::expectation::{bounded, edge};
use super::placeholders::without_impl;
use super::shape::{is_never, returned};
use super::{Function, order, tracked};

/// The contents of the body, spanned as the user wrote them.
pub(crate) fn inner(body: &TokenTree) -> TokenStream {
    match body {
        TokenTree::Group(group) => group.stream(),
        other => other.to_token_stream(),
    }
}

/// What the body gets of the parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gets {
    /// All of them.
    All,
    /// What it does not only borrow: the rest is needed after it.
    WhatItTakes,
}

/// A closure of the body, which keeps `return` and `?` inside.
pub(crate) fn closure(function: &Function, gets: Gets) -> TokenStream {
    let ordered = (gets == Gets::All).then(|| order::mentioned(function)).flatten();
    let moved = ordered.is_some().then(|| quote!(move));
    let body = match (ordered, &function.body) {
        (Some(ordered), TokenTree::Group(group)) => {
            let inner = group.stream();
            let mut body = Group::new(group.delimiter(), quote!(#ordered #inner));
            body.set_span(group.span());
            TokenTree::Group(body)
        }
        (_, body) => body.clone(),
    };
    match &function.signature.output {
        ReturnType::Default => quote!(#moved || #body),
        ReturnType::Type(..) if matches!(returned(function), Some(Type::ImplTrait(_))) => quote!(#moved || #body),
        ReturnType::Type(arrow, ty) => {
            let ty = without_impl(ty.to_token_stream());
            quote!(#moved || #arrow #ty #body)
        }
    }
}

/// The body's value, computed at once.
pub(crate) fn call(krate: &Path, function: &Function, gets: Gets) -> TokenStream {
    if is_in_place(function)
        && let Some(block) = tracked::inline(krate, function)
    {
        return block;
    }
    let closure = closure(function, gets);
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
    let ordered = moved.is_some().then(|| order::mentioned(function)).flatten();
    let inner = inner(&function.body);
    if is_never(function) {
        return quote!(#krate::__private::forever(async #moved { #ordered #inner }));
    }
    if let Some(bounded) = bounded(krate, function, Within::AsyncBlock, &quote!({ #inner })) {
        return quote!(async #moved { #ordered #bounded });
    }
    let edge = edge(krate, function);
    quote!(async #moved { #edge #ordered #inner })
}
