//! The function with its body in a traced scope.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use super::input::Arguments;
use crate::arguments::Given;
use crate::function::{
    Function, Gets, Outcome, Shape, call, closure, future, is_in_place, is_never, may_hold_a_future, returned,
    returns_a_future, shape,
};
use crate::place::at;
use crate::ways;

pub(super) fn function(arguments: &Arguments, function: &Function, mark_of_trace: Option<TokenStream>) -> TokenStream {
    let Function { attributes, visibility, defaultness, .. } = function;
    let head = function.head();
    let krate = &arguments.krate;
    let (scope, out) = (ident("__paid_scope"), ident("__paid_out"));
    let scoped = scoped(arguments);
    let work = match shape(function) {
        _ if is_never(function) => endless(krate, function, &scope),
        Shape::Sync if is_in_place(function) => {
            let (entered, body, mark) =
                (ident("__paid_entered"), call(krate, function, Gets::All), mark(krate, function, &quote!(&#out)));
            quote! {
                let #entered = #krate::__private::Entered::new(#scope);
                let #out = #body;
                #mark
                #krate::__private::Entered::done(#entered);
                #out
            }
        }
        Shape::Sync if returned(function).is_some_and(may_hold_a_future) => {
            let (body, kind) = (ident("__paid_body"), ident("__paid_kind"));
            let (closure, mark) = (closure(function, Gets::All), mark(krate, function, &quote!(#out)));
            quote! {
                let #body = #krate::__private::once(#closure);
                let #kind = {
                    #[allow(unused_imports)]
                    use #krate::__private::kinds::*;
                    (&&#krate::__private::Kind::of_body(&#body)).__paid_kind()
                };
                #kind.__paid_in_scope(#scope, #body, move |#out| { #mark })
            }
        }
        Shape::Sync => {
            let (body, mark) = (call(krate, function, Gets::All), mark(krate, function, &quote!(&#out)));
            quote! {
                #scope.run_sync(|| {
                    let #out = #body;
                    #mark
                    #out
                })
            }
        }
        Shape::Async => {
            let body = future(krate, function, Some(quote!(move)));
            let work = awaited(krate, function, &body);
            quote! {
                #work.await
            }
        }
        Shape::Future { boxed } => {
            let work = awaited(krate, function, &call(krate, function, Gets::All));
            if boxed { quote!(::std::boxed::Box::pin(#work)) } else { work }
        }
    };
    quote! {
        #(#attributes)*
        #visibility #defaultness #head {
            #mark_of_trace
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
        let text = ways::of_value(krate, *role, value);
        let (krate, method) = (at(krate, value.span()), Ident::new(role.key(), value.span()));
        steps.extend(quote_spanned!(value.span()=> #krate::__private::TraceScope::#method(&mut #scope, #text);));
    }
    for (method, value) in [("store_prompts", &arguments.store_prompts), ("token", &arguments.token)] {
        let Some(value) = value else { continue };
        let (krate, method) = (at(krate, value.span()), Ident::new(method, value.span()));
        steps.extend(quote_spanned!(value.span()=> #krate::__private::TraceScope::#method(&mut #scope, #value);));
    }
    for field in &arguments.metadata {
        let (name, value) = (field.name(), &field.value);
        let krate = at(krate, value.span());
        steps.extend(
            quote_spanned!(value.span()=> #krate::__private::TraceScope::metadata(&mut #scope, #name, &(#value));),
        );
    }
    let mutable = (!steps.is_empty()).then(|| quote!(mut));
    quote! {
        let #mutable #scope = #krate::__private::TraceScope::new();
        #steps
        let #scope = #krate::__private::TraceScope::finish(#scope);
    }
}

/// The future in the scope, with the mark behind it. It is moved, and not awaited inside another one, which would have room for
/// it twice.
fn awaited(krate: &Path, function: &Function, future: &TokenStream) -> TokenStream {
    let (scope, made, out) = (ident("__paid_scope"), ident("__paid_future"), ident("__paid_out"));
    let mark = mark(krate, function, &quote!(#out));
    quote! {{
        #[allow(clippy::async_yields_async)]
        let #made = #future;
        #scope.run(#krate::__private::ended(#made, |#out| { #mark }))
    }}
}

/// A function that never returns has no outcome; its scope ends when it panics or its future is dropped.
fn endless(krate: &Path, function: &Function, scope: &Ident) -> TokenStream {
    if function.signature.asyncness.is_some() {
        let body = future(krate, function, Some(quote!(move)));
        return quote!(match #scope.run(#body).await {});
    }
    let closure = closure(function, Gets::All);
    quote!(#scope.run_sync(#closure))
}

/// Gives the span the error, if the outcome is one. A future that an `async fn` returns is not part of its work.
fn mark(krate: &Path, function: &Function, out: &TokenStream) -> TokenStream {
    if function.signature.asyncness.is_some() && returns_a_future(function) {
        return TokenStream::new();
    }
    let error = ident("__paid_error");
    let outcome = Outcome { krate, function, out: out.clone() }.error();
    let outcome = quote! {{
        #[allow(unused_imports)]
        use #krate::__private::outcomes::*;
        #outcome
    }};
    quote! {
        if let ::core::option::Option::Some(#error) = #outcome {
            #[allow(unused_imports)]
            use #krate::__private::{FailedByDisplay as _, FailedByType as _};
            (&&#krate::__private::Failed(#error)).__paid_fail();
        }
    }
}
