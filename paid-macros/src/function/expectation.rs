//! What the signature lets the compiler expect of the body, inside a closure or an `async` block around it: without this, a
//! closure that is returned would have to name the types of its parameters.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericArgument, Path, PathArguments, ReturnType, Type, TypeParamBound};

use super::Function;
use super::placeholders::without_impl;
use super::shape::{argument_of, bare, is_trait, returned};

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

/// What the body stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Closure,
    AsyncBlock,
}

impl Within {
    /// The library's function that expects a future.
    fn named(self, boxed: bool) -> &'static str {
        match (self, boxed) {
            (Self::Closure, true) => "call_for_boxed_future",
            (Self::Closure, false) => "call_for_future",
            (Self::AsyncBlock, true) => "boxed_future",
            (Self::AsyncBlock, false) => "future",
        }
    }
}

/// The closure called, or the value of the `async` block, by a function that says with its bounds what comes out of it.
pub(super) fn bounded(krate: &Path, function: &Function, within: Within, body: &TokenStream) -> Option<TokenStream> {
    let ty = returned(function)?;
    if let Some(Type::ImplTrait(opaque)) = argument_of(ty, "Pin").and_then(|inner| argument_of(inner, "Box")) {
        let output = without_impl(opaque.bounds.iter().find_map(output_of)?.to_token_stream());
        let call = Ident::new(within.named(true), opaque.span());
        return Some(quote_spanned!(opaque.span()=> #krate::__private::#call::<#output, _>(#body)));
    }
    let Type::ImplTrait(opaque) = ty else { return None };
    if opaque.bounds.iter().any(|bound| is_trait(bound, "Future")) {
        let output = opaque.bounds.iter().find_map(output_of)?;
        let output = without_impl(output.to_token_stream());
        let call = Ident::new(within.named(false), opaque.span());
        return Some(quote_spanned!(opaque.span()=> #krate::__private::#call::<#output, _>(#body)));
    }
    let names = ["Fn", "FnMut", "FnOnce"];
    let callable = opaque.bounds.iter().find(|bound| names.iter().any(|name| is_trait(bound, name)))?;
    callable_from(callable, within, body)
}

fn output_of(bound: &TypeParamBound) -> Option<&Type> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    let PathArguments::AngleBracketed(list) = &bound.path.segments.last()?.arguments else { return None };
    list.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(output) if output.ident == "Output" => Some(&output.ty),
        _ => None,
    })
}

/// A function of its own whose bounds promise a callable. Items do not see the parameters of what is around them, so every
/// type becomes a parameter of the function's.
fn callable_from(bound: &TypeParamBound, within: Within, content: &TokenStream) -> Option<TokenStream> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    if bound.lifetimes.is_some() {
        return None;
    }
    let last = bound.path.segments.last()?;
    let PathArguments::Parenthesized(signature) = &last.arguments else { return None };
    let mut types = Types::default();
    let inputs = signature.inputs.iter().map(|input| types.abstracted(&input.ty)).collect::<Option<Vec<_>>>()?;
    let returns = match &signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => {
            let output = types.abstracted(ty)?;
            Some(quote!(-> #output))
        }
    };
    let Types { parameters, arguments } = types;
    let name = Ident::new(&last.ident.to_string(), Span::call_site());
    let [expected, callable, body, value] =
        ["expected", "Callable", "Body", "value"].map(|name| Ident::new(&format!("__paid_{name}"), Span::mixed_site()));
    let bounds = quote!(#(#parameters,)* #callable: ::core::ops::#name(#(#inputs),*) #returns);
    Some(match within {
        Within::Closure => quote! {{
            #[allow(non_camel_case_types)]
            fn #expected<#bounds, #body: ::core::ops::FnOnce() -> #callable>(#value: #body) -> #callable {
                #value()
            }
            #expected::<#(#arguments,)* _, _>(#content)
        }},
        Within::AsyncBlock => quote! {{
            #[allow(non_camel_case_types)]
            fn #expected<#bounds>(#value: #callable) -> #callable {
                #value
            }
            #expected::<#(#arguments,)* _>(#content)
        }},
    })
}

#[derive(Default)]
struct Types {
    parameters: Vec<TokenStream>,
    arguments: Vec<TokenStream>,
}

impl Types {
    /// The type with its inner types as parameters; references stay, since their lifetimes belong to the call.
    fn abstracted(&mut self, ty: &Type) -> Option<TokenStream> {
        self.of(ty, false)
    }

    /// `behind` a reference, the type need not have a size.
    fn of(&mut self, ty: &Type, behind: bool) -> Option<TokenStream> {
        match bare(ty) {
            Type::Reference(reference) if reference.lifetime.is_none() => {
                let (mutability, inner) = (&reference.mutability, self.of(&reference.elem, true)?);
                Some(quote!(& #mutability #inner))
            }
            Type::ImplTrait(_) => None,
            inner if has_elided_lifetimes(inner) => None,
            inner => {
                let parameter = format_ident!("__Paid{}", self.parameters.len(), span = Span::mixed_site());
                self.arguments.push(inner.to_token_stream());
                self.parameters.push(if behind {
                    quote!(#parameter: ?::core::marker::Sized)
                } else {
                    quote!(#parameter)
                });
                Some(parameter.into_token_stream())
            }
        }
    }
}

/// Whether a lifetime inside is that of each call.
fn has_elided_lifetimes(ty: &Type) -> bool {
    let text = ty.to_token_stream().to_string();
    text.contains("'_") || text.contains('&') && !text.contains('\'')
}
