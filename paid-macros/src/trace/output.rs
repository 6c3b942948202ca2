//! The function with its body in a traced scope.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::input::Arguments;
use crate::arguments::Given;
use crate::function::{Function, Shape, closure_return, inner, outcome, return_edge, shape};
use crate::ways;

pub(super) fn function(arguments: &Arguments, function: &Function) -> TokenStream {
    let Function { attributes, visibility, defaultness, signature, body } = function;
    let krate = &arguments.krate;
    let (scope, out) = (ident("__paid_scope"), ident("__paid_out"));
    let scoped = scoped(arguments);
    let mark = mark(krate, &outcome(krate, function, &out));
    let work = match shape(function) {
        Shape::Sync => {
            let returns = closure_return(&signature.output);
            quote! {
                #scope.run_sync(|| {
                    let #out = #krate::__private::call(|| #returns #body);
                    #mark
                    #out
                })
            }
        }
        Shape::Async => {
            let edge = return_edge(krate, &signature.output);
            let inner = inner(body);
            quote! {
                #scope.run(async move {
                    let #out = async move { #edge #inner }.await;
                    #mark
                    #out
                }).await
            }
        }
        Shape::Future { boxed } => {
            let future = ident("__paid_future");
            let work = quote! {
                #scope.run(async move {
                    let #out = #future.await;
                    #mark
                    #out
                })
            };
            let work = if boxed { quote!(::std::boxed::Box::pin(#work)) } else { work };
            quote! {
                let #future = #krate::__private::call(|| #body);
                #work
            }
        }
    };
    quote! {
        #(#attributes)*
        #visibility #defaultness #signature {
            #scoped
            #work
        }
    }
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The scope, with what the arguments say.
fn scoped(arguments: &Arguments) -> TokenStream {
    let krate = &arguments.krate;
    let scope = ident("__paid_scope");
    let mut steps = TokenStream::new();
    for Given { role, value, .. } in &arguments.roles {
        let text = ways::of_expression(krate, *role, value);
        let method = Ident::new(role.key(), value.span());
        steps.extend(quote_spanned!(value.span()=> match &(#value) { value => #scope.#method(#text), }));
    }
    for (method, value) in [("store_prompts", &arguments.store_prompts), ("token", &arguments.token)] {
        let Some(value) = value else { continue };
        let method = Ident::new(method, value.span());
        steps.extend(quote_spanned!(value.span()=> #scope.#method(#value);));
    }
    for field in &arguments.metadata {
        let (name, value) = (field.name(), &field.value);
        steps.extend(quote_spanned!(value.span()=> #scope.metadata(#name, &(#value));));
    }
    let mutable = (!steps.is_empty()).then(|| quote!(mut));
    quote! {
        let #mutable #scope = #krate::__private::TraceScope::new();
        #steps
        let #scope = #scope.finish();
    }
}

/// Gives the span the error, if the outcome is one.
fn mark(krate: &syn::Path, outcome: &TokenStream) -> TokenStream {
    let error = ident("__paid_error");
    quote! {
        if let ::core::result::Result::Err(#error) = #outcome {
            #[allow(unused_imports)]
            use #krate::__private::{FailedByDisplay as _, FailedByType as _};
            (&&#krate::__private::Failed(#error)).__paid_fail();
        }
    }
}
