//! Is it allowed? Every rule of the annotation that can be seen in its own tokens and the catalogue.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, ExprLit, Lit, LitStr};

use super::input::{Arguments, Event, Function, On};
use crate::catalog::Loaded;
use crate::diagnostics::Errors;
use crate::rules;

/// What `output` needs to know.
pub(crate) struct Checked<'a> {
    /// For signals that are named.
    pub(crate) event: Option<rules::Event<'a>>,
    /// The name of the value that only exists after the body.
    pub(crate) after: Ident,
    /// The same as text.
    pub(crate) after_name: String,
}

pub(crate) fn check<'a>(
    arguments: &Arguments,
    function: &Function,
    loaded: &'a Loaded,
    errors: &mut Errors,
) -> Checked<'a> {
    let place = match &arguments.event {
        Event::Name(name) => name.span(),
        Event::Payload(path) => path.segments.last().map_or_else(Span::call_site, |last| last.ident.span()),
        Event::Value | Event::Unusable => Span::call_site(),
    };
    rules::report_broken(loaded, place, errors);
    let event = match &arguments.event {
        Event::Name(name) => Some(rules::event(name, loaded, errors)),
        _ => None,
    };
    roles(arguments, event.as_ref(), errors);
    fields(arguments, event.as_ref(), place, errors);
    ways(arguments, function, errors);
    let after = outcome(arguments, function, errors);
    let after_name = after.to_string();
    Checked { event, after, after_name }
}

fn roles(arguments: &Arguments, event: Option<&rules::Event<'_>>, errors: &mut Errors) {
    for (one, other, message) in
        [("customer", "customer_id", rules::BOTH_CUSTOMERS), ("product", "product_id", rules::BOTH_PRODUCTS)]
    {
        if let (Some(one), Some(other)) = (arguments.role(one), arguments.role(other)) {
            let later = arguments.roles.iter().rev().find(|role| role.key == one.key || role.key == other.key);
            errors.at(&later.unwrap_or(other).key, message);
        }
    }
    if let Some(key) = arguments.role("idempotency_key")
        && rules::is_constant(&key.value)
    {
        errors.at(&key.value, rules::CONSTANT_KEY);
    }
    if let Some(quantity) = arguments.role("quantity") {
        rules::check_quantity(&quantity.value, errors);
    }
    for name in ["customer", "customer_id", "product", "product_id"] {
        if let Some(text) = arguments.role(name).and_then(|role| text(&role.value))
            && text.value().trim().is_empty()
        {
            errors.at(&text, format!("`{name}` is empty; name somebody, or leave it to the scope"));
        }
    }
    if let (Some(event), Some(product)) = (event, arguments.role("product").and_then(|role| text(&role.value))) {
        event.check_product(&product, errors);
    }
}

/// How it gets to Paid, and whose costs it takes along.
fn ways(arguments: &Arguments, function: &Function, errors: &mut Errors) {
    if let (Some(over), Some(_)) = (&arguments.over_trace, &arguments.via) {
        let message =
            "`over = \"trace\"` goes over the collector and through no emitter; remove one of `over` and `via`";
        errors.at(over, message);
    }
    if arguments.over_trace.is_some() {
        for (paids, own) in [("customer_id", "customer"), ("product_id", "product")] {
            if let Some(role) = arguments.role(paids) {
                let message = format!(
                    "the collector takes your own ids only; write `{own} = ...` with yours, or leave `over` out"
                );
                errors.at(&role.key, message);
            }
        }
    }
    if let Some(mark) = &arguments.cost_attributed
        && function.attributes.iter().any(is_cost_attributed_signal)
    {
        let message =
            "a second `cost_attributed` signal of one function: the costs would count twice; leave it to one of them";
        errors.at(mark, message);
    }
}

fn is_cost_attributed_signal(attribute: &syn::Attribute) -> bool {
    let is_signal = attribute.path().segments.last().is_some_and(|last| last.ident == "signal");
    let syn::Meta::List(list) = &attribute.meta else { return false };
    is_signal && super::input::split(list.tokens.clone()).iter().any(|part| part.to_string() == "cost_attributed")
}

fn text(value: &Expr) -> Option<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.clone()),
        _ => None,
    }
}

fn fields(arguments: &Arguments, event: Option<&rules::Event<'_>>, place: Span, errors: &mut Errors) {
    if let Some((key, _)) = arguments.data.as_ref().filter(|_| !matches!(arguments.event, Event::Name(_))) {
        if !matches!(arguments.event, Event::Unusable) {
            errors.at(
                key,
                "the payload brings its own data; put the field into the payload, or name the event and write `data(...)` alone",
            );
        }
        return;
    }
    let empty = Vec::new();
    let fields = arguments.data.as_ref().map_or(&empty, |(_, fields)| fields);
    let mut given = Vec::new();
    let mut seen = BTreeSet::new();
    for field in fields {
        let name = field.name();
        if !seen.insert(name.clone()) {
            errors.at(&field.key, format!("the field `{name}` is given twice; remove one"));
        }
        if let Some(event) = event {
            event.check_field(&name, field.key.span(), errors);
            event.check_literal(&name, &field.value, errors);
        }
        given.push(name);
    }
    for (role, field) in [("quantity", "quantity"), ("user", "external_user_id"), ("cost", "costData")] {
        if arguments.role(role).is_some() {
            given.push(field.to_owned());
        }
    }
    if let Some(event) = event {
        event.check_required(&given, place, errors);
    }
}

/// Which value stands for the outcome, and whether only that one is used.
fn outcome(arguments: &Arguments, function: &Function, errors: &mut Errors) -> Ident {
    let own = match arguments.on {
        On::Success => "ret",
        On::Error => "err",
        On::Always => "result",
    };
    let renamed = arguments.ret.as_ref();
    if let (Some(ret), On::Error | On::Always) = (renamed, arguments.on) {
        errors.at(ret, format!("`ret` names the success value; here there is `{own}`, so leave `ret = ...` out"));
    }
    let tokens: Vec<TokenStream> = {
        let data = arguments.data.iter().flat_map(|(_, fields)| fields.iter().map(|field| &field.value));
        arguments
            .roles
            .iter()
            .map(|role| &role.value)
            .chain(data)
            .chain(&arguments.when)
            .map(Expr::to_token_stream)
            .collect()
    };
    let mentions = |name: &str| tokens.iter().filter_map(|value| mention(value.clone(), name)).collect::<Vec<_>>();
    let is_argument = |name: &str| {
        let inputs = function.signature.inputs.iter();
        inputs.filter_map(|input| mention(input.to_token_stream(), name)).next().is_some()
    };
    for wrong in ["ret", "err"].into_iter().filter(|name| *name != own && !is_argument(name)) {
        if renamed.is_some_and(|name| name == wrong) {
            continue;
        }
        for place in mentions(wrong) {
            let message = match (wrong, arguments.on) {
                ("ret", On::Error) => "there is no `ret` with `on = \"error\"`; the error is `err`",
                ("ret", _) => "there is no `ret` with `on = \"always\"`; what the function returns is `result`",
                (_, On::Always) => "there is no `err` with `on = \"always\"`; what the function returns is `result`",
                _ => "there is no `err` unless the annotation says `on = \"error\"`; the success value is `ret`",
            };
            errors.at(&place, message);
        }
    }
    if arguments.on == On::Error && matches!(function.signature.output, syn::ReturnType::Default) {
        let place = arguments.on_at.as_ref().map_or_else(Span::call_site, LitStr::span);
        errors.span(place, "`on = \"error\"` needs a function that returns a `Result`; this one returns nothing");
    }
    let name = renamed.map_or_else(|| own.to_owned(), ToString::to_string);
    let written = mentions(&name).into_iter().next();
    written.or_else(|| renamed.cloned()).unwrap_or_else(|| Ident::new(&name, Span::call_site()))
}

/// Where a variable is mentioned; a field or method of that name is none, a format string is one.
pub(crate) fn mention(tokens: TokenStream, name: &str) -> Option<Ident> {
    let mut after_dot = false;
    for token in tokens {
        match &token {
            TokenTree::Ident(ident) if *ident == name && !after_dot => return Some(ident.clone()),
            TokenTree::Group(group) => {
                if let Some(found) = mention(group.stream(), name) {
                    return Some(found);
                }
            }
            TokenTree::Literal(text) => {
                let text = text.to_string();
                if !text.contains('{') {
                    after_dot = false;
                    continue;
                }
                let inline = [format!("{{{name}}}"), format!("{{{name}:"), format!("{{{name}.")];
                if inline.iter().any(|inline| text.contains(inline.as_str())) {
                    return Some(Ident::new(name, Span::call_site()));
                }
            }
            _ => {}
        }
        after_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
    }
    None
}
