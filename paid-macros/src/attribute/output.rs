//! What to emit: the function with its body unchanged inside, and calls of the library around it.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, FnArg, LitStr, Path, ReturnType, Type};

use super::check::{Checked, product};
use super::input::{self, Arguments, On};
use crate::arguments::Given;
use crate::catalog::Loaded;
use crate::function::{
    self, Function, Gets, Outcome, Shape, Written, boxed_future, call, future, is_called_boxed_future,
    may_hold_a_future, place_of, returned, shape,
};
use crate::place::{at, moved};
use crate::roles::Macro;
use crate::rules::{self, Event};
use crate::values::{literal, runs_nothing, variable};
use crate::ways;

pub(crate) fn function(
    arguments: &Arguments,
    function: &Function,
    checked: &Checked<'_>,
    loaded: &Loaded,
    editor: &TokenStream,
) -> TokenStream {
    let Function { attributes, visibility, defaultness, .. } = function;
    let head = function.head();
    let contents = contents(arguments, function, checked, loaded, editor);
    let description = checked.event.as_ref().and_then(|event| event.description());
    let doc = description.map(|text| quote!(#[doc = ""] #[doc = #text]));
    quote! {
        #(#attributes)*
        #doc
        #visibility #defaultness #head {
            #contents
        }
    }
}

/// What stands between the braces, instead of the body.
pub(crate) fn contents(
    arguments: &Arguments,
    function: &Function,
    checked: &Checked<'_>,
    loaded: &Loaded,
    editor: &TokenStream,
) -> TokenStream {
    let shape = shape(function);
    let after = After::new(arguments, function, checked);
    let holds = shape == Shape::Sync && returned(function).is_some_and(may_hold_a_future);
    let at_type = return_span(&function.signature.output);
    let out = Ident::new(&out().to_string(), at_type.resolved_at(out().span()));
    let is_borrowed = holds || boxed_future(function).is_some();
    let out = if is_borrowed { quote!(#out) } else { quote_spanned!(at_type=> &#out) };
    let outcome = Outcome { krate: &arguments.krate, function, out };
    let is_polled = boxed_future(function).is_some() || is_called_boxed_future(function);
    let (entry, end) =
        (entry(arguments, checked, is_polled, after.changes), after.tokens(arguments, &outcome, checked));
    let tracked = loaded.tracked();
    let hover = checked.event.as_ref().and_then(|event| event.hover());
    let warnings = checked.event.as_ref().map(|event| warnings(event, arguments, loaded));
    let work = work(arguments, function, shape, &after, &end);
    let krate = &arguments.krate;
    // Once for all that looks methods up: rustc makes a module of each block with a `use`.
    let looks_up = !arguments.roles.is_empty() || returned(function).is_some();
    let traits = looks_up.then(|| quote!(#[allow(unused_imports)] use #krate::__private::all::*;));
    quote! {
        #traits
        #editor
        #tracked
        #hover
        #warnings
        #entry
        #work
    }
}

/// Statements that warn at the event's name.
fn warnings(event: &Event<'_>, arguments: &Arguments, loaded: &Loaded) -> TokenStream {
    let absence = rules::absence_warning(loaded, event.name.span());
    let key = event.key_warning(&arguments.given_roles(), Macro::Signal);
    let billed = event.billed_warning(product(arguments, event).as_deref());
    absence.into_iter().chain(event.retired_warnings()).chain(key).chain(billed).collect()
}

/// The body, and what happens at its end.
fn work(arguments: &Arguments, function: &Function, shape: Shape, after: &After, end: &TokenStream) -> TokenStream {
    let (krate, out) = (&arguments.krate, out());
    match shape {
        Shape::Sync => {
            let body = call(krate, function, after.gets());
            if !returned(function).is_some_and(may_hold_a_future) {
                return quote! {
                    let #out = #body;
                    #end
                    #out
                };
            }
            let kind = kind();
            quote! {
                let #out = #body;
                let #kind = {
                    #[allow(unused_imports)]
                    use #krate::__private::kinds::*;
                    (&&#krate::__private::Kind::of(&#out)).__paid_kind()
                };
                #kind.__paid_finish(#out, move |#out| { #end })
            }
        }
        Shape::Async => {
            if let Some(boxed) = boxed_future(function) {
                let body = future(krate, function, (!after.uses_arguments).then(|| quote!(move)));
                return awaited(krate, &quote!(#body.await), boxed, end);
            }
            let body = future(krate, function, after.move_token());
            quote! {
                let #out = #body.await;
                #end
                #out
            }
        }
        Shape::Future { boxed } => awaited(krate, &call(krate, function, after.gets()), boxed, end),
    }
}

/// The future that the body makes, with what happens at its end.
fn awaited(krate: &Path, body: &TokenStream, boxed: bool, end: &TokenStream) -> TokenStream {
    let (future, out) = (future_name(), out());
    let work = quote!(#krate::__private::ended(#future, move |#out| { #end }));
    let work = if boxed { quote!(::std::boxed::Box::pin(#work)) } else { work };
    quote! {
        #[allow(clippy::async_yields_async)]
        let #future = #body;
        #work
    }
}

/// The type that is returned.
fn return_span(output: &ReturnType) -> Span {
    match output {
        ReturnType::Type(_, ty) => place_of(ty),
        ReturnType::Default => Span::call_site(),
    }
}

fn out() -> Ident {
    Ident::new("__paid_out", Span::mixed_site())
}

fn kind() -> Ident {
    Ident::new("__paid_kind", Span::mixed_site())
}

fn future_name() -> Ident {
    Ident::new("__paid_future", Span::mixed_site())
}

fn pending() -> Ident {
    Ident::new("__paid", Span::mixed_site())
}

fn condition() -> Ident {
    Ident::new("__paid_when", Span::mixed_site())
}

/// What happens before the body: everything that does not need its outcome.
fn entry(arguments: &Arguments, checked: &Checked<'_>, is_polled: bool, late: bool) -> TokenStream {
    let krate = &arguments.krate;
    let name = checked.event.as_ref().map(|event| event.name.value()).unwrap_or_default();
    let pending = pending();
    let start = match &arguments.via {
        Some(via) => quote_spanned!(via.span()=> #krate::__private::Pending::start_via(#name, #via)),
        None if arguments.over_trace.is_some() => {
            let span = arguments.over_trace.as_ref().map_or_else(Span::call_site, LitStr::span);
            let features = features(krate, span);
            quote_spanned!(span=> #krate::__private::Pending::start_over_trace::<#features>(#name))
        }
        None if is_polled => quote!(#krate::__private::start_future(#name)),
        None => quote!(#krate::__private::start(#name)),
    };
    let mut steps = Vec::new();
    if let Some(mark) = &arguments.cost_attributed {
        let features = features(krate, mark.span());
        steps.push(
            quote_spanned!(mark.span()=> #krate::__private::Pending::cost_attributed::<#features>(&mut #pending);),
        );
    }
    if let Some(protections) = checked.event.as_ref().and_then(|event| event.protections(krate)) {
        steps.push(quote!(#krate::__private::Pending::protect(&mut #pending, #protections);));
    }
    if let Some(product) = checked.event.as_ref().and_then(|event| event.default_product()) {
        steps.push(quote!(#krate::__private::Pending::default_product(&mut #pending, #product);));
    }
    steps.extend(settings(arguments, checked, false));
    let fill = (!steps.is_empty()).then(|| if_anybody_listens(arguments, checked, false, &steps));
    let mutable = (fill.is_some() || late).then(|| quote!(mut));
    let condition = condition();
    let when = arguments.when.as_ref().filter(|when| !is_after(when, checked));
    let when = when.map(|when| {
        let when = boolean(when);
        quote!(let #condition = #when;)
    });
    quote! {
        #when
        let #mutable #pending = #start;
        #fill
    }
}

/// What says that a feature is there, at the place that needs it.
fn features(krate: &Path, place: Span) -> TokenStream {
    moved(&quote!(#krate::__private::Features), place)
}

fn boolean(value: &Expr) -> TokenStream {
    quote_spanned!(value.span()=> ::core::convert::identity::<::core::primitive::bool>(#value))
}

fn is_after(value: &Expr, checked: &Checked<'_>) -> bool {
    match variable(value) {
        Some(variable) => variable.unraw() == checked.after.unraw(),
        None => function::may_mention(value.to_token_stream(), &checked.after_name).is_some(),
    }
}

/// The calls that set roles and fields, either those before the body or those after it.
fn settings(arguments: &Arguments, checked: &Checked<'_>, after: bool) -> Vec<TokenStream> {
    let pending = pending();
    let mut steps = Vec::new();
    for Given { role, value, .. } in &arguments.roles {
        if is_after(value, checked) != after {
            continue;
        }
        steps.push(if let Some(field) = role.field().filter(|field| is_wrapped(checked, field)) {
            protected(arguments, field, value)
        } else if role.is_text() {
            ways::set(&arguments.krate, *role, value, &pending)
        } else {
            let place = value.span();
            let (krate, method) = (at(&arguments.krate, place), Ident::new(role.key(), place));
            quote_spanned!(place=> #krate::__private::Pending::#method(&mut #pending, &(#value));)
        });
    }
    for field in arguments.data.iter().flat_map(|(_, fields)| fields) {
        if is_after(&field.value, checked) != after {
            continue;
        }
        let (name, value) = (field.name(), &field.value);
        if is_wrapped(checked, &name) {
            steps.push(protected(arguments, &name, value));
            continue;
        }
        let place = value.span();
        let krate = at(&arguments.krate, place);
        let class = checked.event.as_ref().and_then(|event| event.class(&name)).filter(|_| literal(value).is_none());
        let written = match class {
            Some(class) => quote_spanned!(place=> #krate::__private::class::#class(&(#value))),
            None => quote_spanned!(place=> &(#value)),
        };
        steps.push(quote_spanned!(place=> #krate::__private::field(&mut #pending, #name, #written);));
    }
    steps
}

/// The steps that set roles and fields, evaluated only if anybody listens: each of them asks for that itself, so a condition
/// around all of them is needed only where their expressions run code.
fn if_anybody_listens(arguments: &Arguments, checked: &Checked<'_>, after: bool, steps: &[TokenStream]) -> TokenStream {
    let fields = arguments.data.iter().flat_map(|(_, fields)| fields.iter().map(|field| &field.value));
    let values = arguments.roles.iter().map(|given| &given.value).chain(fields);
    let mut values = values.filter(|value| is_after(value, checked) == after);
    // What a closure of the user's makes of the outcome may be anything.
    let reference = arguments.success.is_none().then_some(&checked.after);
    if values.all(|value| runs_nothing(value, reference)) {
        return quote!(#(#steps)*);
    }
    let pending = pending();
    quote!(if #pending.listens { #(#steps)* })
}

fn is_wrapped(checked: &Checked<'_>, field: &str) -> bool {
    checked.event.as_ref().is_some_and(|event| event.is_wrapped(field))
}

/// Sets a field that only a wrapped value may have.
fn protected(arguments: &Arguments, field: &str, value: &Expr) -> TokenStream {
    let (krate, pending) = (at(&arguments.krate, value.span()), pending());
    quote_spanned! {value.span()=>
        #krate::__private::Pending::protected(&mut #pending, #field, &(#value));
    }
}

/// What happens after the body.
struct After {
    uses_arguments: bool,
    /// Every argument is one that may be borrowed by a future wherever the argument itself may be.
    shareable: bool,
    /// Something is set after the body.
    changes: bool,
}

impl After {
    fn new(arguments: &Arguments, function: &Function, checked: &Checked<'_>) -> Self {
        let data = arguments.data.iter().flat_map(|(_, fields)| fields.iter().map(|field| &field.value));
        let late = arguments.roles.iter().map(|given| &given.value).chain(data).chain(&arguments.when);
        let late: Vec<_> = late.filter(|value| is_after(value, checked)).map(ToTokens::to_token_stream).collect();
        let mut names = Vec::new();
        for input in &function.signature.inputs {
            match input {
                FnArg::Receiver(_) => names.push("self".to_owned()),
                FnArg::Typed(argument) => words(&argument.pat.to_token_stream(), &mut names),
            }
        }
        if matches!(function.written, Written::Block { .. }) {
            words(&function.body.to_token_stream(), &mut names);
        }
        let judge = arguments.success.as_ref().map(ToTokens::to_token_stream);
        let uses = |name: &String| {
            late.iter().chain(&judge).any(|tokens| function::may_mention(tokens.clone(), name).is_some())
        };
        let changes = !late.is_empty() || !matches!(arguments.event, input::Event::Name(_));
        let shareable = match function.written {
            Written::Item => function.signature.inputs.iter().all(is_shareable),
            Written::Block { moves } => !moves,
        };
        Self { uses_arguments: names.iter().any(uses), shareable, changes }
    }

    /// What the body gets of the parameters.
    fn gets(&self) -> Gets {
        if self.uses_arguments { Gets::WhatItTakes } else { Gets::All }
    }

    /// The body gets what it captures, unless something is still needed afterwards: so it borrows no more than the
    /// function as it was written.
    ///
    /// Where all of it can be shared between threads anyway, borrowing does the same and compiles faster.
    fn move_token(&self) -> Option<TokenStream> {
        (!self.uses_arguments && !self.shareable).then(|| quote!(move))
    }

    fn tokens(&self, arguments: &Arguments, outcome: &Outcome<'_>, checked: &Checked<'_>) -> TokenStream {
        let returns = return_span(&outcome.function.signature.output);
        let krate = &arguments.krate;
        let (pending, after) = (pending(), &checked.after);
        let fields = settings(arguments, checked, true);
        let fill = (!fields.is_empty()).then(|| if_anybody_listens(arguments, checked, true, &fields));
        let payload = match &arguments.event {
            input::Event::Payload(path) => {
                quote_spanned!(path.span()=> #krate::__private::Made(#after).fill::<#path>(&mut #pending);)
            }
            input::Event::Value => {
                let returned = Ident::new(&after.to_string(), returns.resolved_at(after.span()));
                quote_spanned!(returns=> #krate::__private::fill_with(&mut #pending, #returned);)
            }
            input::Event::Name(_) | input::Event::Unusable => TokenStream::new(),
        };
        let elsewhere = checked.after_elsewhere.iter();
        let elsewhere = quote!(#(#[allow(unused_variables, clippy::all)] let #elsewhere = #after;)*);
        let hand_over = quote!(#payload #fill #krate::__private::send(#pending););
        let when_after = arguments.when.as_ref().filter(|when| is_after(when, checked));
        let hand_over = match (&arguments.when, when_after) {
            (None, _) => hand_over,
            (Some(_), None) => {
                let condition = condition();
                quote!(if #condition { #hand_over })
            }
            (Some(_), Some(when)) => {
                let when = boolean(when);
                quote!(if #when { #hand_over })
            }
        };
        let needed = !matches!(arguments.event, input::Event::Name(_)) || !fields.is_empty() || when_after.is_some();
        let binding = if needed { quote!(#after) } else { quote!(_) };
        let out = &outcome.out;
        match arguments.on {
            On::Success => {
                let is_there = arguments.success.as_ref().and_then(|_| outcome.is_there());
                let success = match (&arguments.success, &arguments.event) {
                    (Some(judge), _) => outcome.success_by(judge),
                    (None, input::Event::Value) => outcome.success_of_a_signal(),
                    (None, _) => outcome.success(),
                };
                quote!(#is_there if let ::core::option::Option::Some(#binding) = #success { #elsewhere #hand_over })
            }
            On::Error => {
                let can_fail = quote_spanned!(returns=> #krate::__private::can_fail(#out););
                let error = outcome.error();
                quote!(#can_fail if let ::core::option::Option::Some(#binding) = #error { #elsewhere #hand_over })
            }
            On::Always => {
                let is_there = outcome.is_there();
                let binding = needed.then(|| quote!(let #after = #out;));
                quote!({ #is_there #binding #elsewhere #hand_over })
            }
        }
    }
}

/// Shared references, and plain values by their names.
fn is_shareable(argument: &FnArg) -> bool {
    const PLAIN: [&str; 15] = [
        "bool", "char", "u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "f32", "f64", "String",
    ];
    match argument {
        FnArg::Receiver(receiver) => matches!(receiver.kind, syn::ReceiverKind::Reference(_, _, None)),
        FnArg::Typed(argument) => match &*argument.ty {
            Type::Reference(reference) => reference.mutability.is_none(),
            Type::Path(path) => path.path.get_ident().is_some_and(|name| PLAIN.iter().any(|plain| name == plain)),
            _ => false,
        },
    }
}

/// Every word among these tokens.
fn words(tokens: &TokenStream, names: &mut Vec<String>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(ident) => names.push(ident.to_string()),
            TokenTree::Group(group) => words(&group.stream(), names),
            _ => {}
        }
    }
}
