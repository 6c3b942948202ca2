//! Is it allowed? Every rule of the annotation that can be seen in its own tokens and the catalogue.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::{Expr, LitStr};

use super::in_the_clear;
use super::input::{Arguments, Event, On};
use crate::arguments::split;
use crate::catalog::Loaded;
use crate::diagnostics::Errors;
use crate::function::{Function, is_never, may_mention, mention, unseen, value};
use crate::leaving::stays;
use crate::roles::{self, Macro, Role};
use crate::rules;

/// What `output` needs to know.
pub(crate) struct Checked<'a> {
    /// For signals that are named.
    pub(crate) event: Option<rules::Event<'a>>,
    /// The name of the value that only exists after the body.
    pub(crate) after: Ident,
    /// The same name where a key comes out of another macro than the first.
    pub(crate) after_elsewhere: Vec<Ident>,
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
    if let Some(event) = &event {
        in_the_clear::check(arguments, event, errors);
        event.check_demands(&arguments.given_roles(), Macro::Signal, errors);
        event.check_retired(errors);
        event.check_billed(product(arguments, event).as_deref(), errors);
    }
    fields(arguments, event.as_ref(), place, errors);
    routes(arguments, function, errors);
    endings(arguments, function, errors);
    staying(arguments, errors);
    let after_name = outcome(arguments, function, errors);
    let mut names = names(arguments, &after_name).into_iter();
    let after = names.next().unwrap_or_else(|| Ident::new(&after_name, Span::call_site()));
    Checked { event, after, after_elsewhere: names.collect(), after_name }
}

/// The product of the signals, if it is known: the annotation's, or else the catalogue's.
pub(super) fn product(arguments: &Arguments, event: &rules::Event<'_>) -> Option<String> {
    match arguments.role(Role::Product) {
        Some(given) => roles::text(&given.value).map(|product| product.value()),
        None if arguments.given_roles().iter().any(|role| role.is_product()) => None,
        None => event.default_product().map(str::to_owned),
    }
}

fn roles(arguments: &Arguments, event: Option<&rules::Event<'_>>, errors: &mut Errors) {
    for (index, given) in arguments.roles.iter().enumerate() {
        let before = &arguments.roles[..index];
        if let Some(objection) = before.iter().find_map(|other| given.role.objection_to(other.role)) {
            errors.at(&given.key, objection);
        }
    }
    for given in &arguments.roles {
        given.role.check_literal(&given.value, errors);
    }
    let product = arguments.role(Role::Product).and_then(|given| roles::text(&given.value));
    if let (Some(event), Some(product)) = (event, product) {
        event.check_product(&product, errors);
    }
}

/// Which way the signal goes to Paid, and whose costs it takes.
fn routes(arguments: &Arguments, function: &Function, errors: &mut Errors) {
    if let Some(over) = &arguments.over_trace {
        if arguments.via.is_some() {
            let message =
                "`over = \"trace\"` sends the signal to the collector, not through an emitter; remove `over` or `via`";
            errors.at(over, message);
        }
        for given in &arguments.roles {
            if let Some(objection) = given.role.objection_over_trace() {
                errors.at(&given.key, format!("{objection}, or leave `over` out"));
            }
        }
    }
    if let Some(mark) = &arguments.cost_attributed
        && function.attributes.iter().any(is_cost_attributed_signal)
    {
        let message = "another signal of this function is `cost_attributed` already, and the costs would count twice; keep it on one of them";
        errors.at(mark, message);
    }
}

/// Whether the function ends in a way that can be billed, and what says so.
fn endings(arguments: &Arguments, function: &Function, errors: &mut Errors) {
    if let (Some(key), On::Error | On::Always) = (&arguments.success_at, arguments.on) {
        let message = match arguments.on {
            On::Error => "`success` says what succeeded, and `on = \"error\"` emits what did not; remove one of them",
            _ => {
                "`on = \"always\"` emits whatever the function returns, so `success` decides nothing; remove one of them"
            }
        };
        errors.at(key, message);
    }
    if arguments.on == On::Success && arguments.success.is_none() && !matches!(arguments.event, Event::Value) {
        for part in unseen(function).parts {
            let message = format!(
                "whether this function succeeded cannot be seen in `{}`, which may be a `Result`: write \
                 `success = |out| ...`, a closure that returns a `bool`, an `Option` or a `Result`, or \
                 `on = \"always\"` to emit whatever the function returns",
                written(&part)
            );
            errors.at(&part, message);
        }
    }
    if is_never(function) {
        let message =
            "this function never returns, so its signal would never be sent; annotate a function that it calls";
        errors.at(&function.signature.output, message);
    }
}

/// Tokens as one writes them.
fn written(tokens: &TokenStream) -> String {
    let spaced = tokens.to_string();
    [(" :: ", "::"), (" < ", "<"), (" >", ">"), (" ,", ","), ("& ", "&"), (" (", "("), ("( ", "("), (" )", ")")]
        .iter()
        .fold(spaced, |text, (from, to)| text.replace(from, to))
}

/// Reports what would leave the user's function when somebody listens, and not otherwise.
fn staying(arguments: &Arguments, errors: &mut Errors) {
    let data = arguments.data.iter().flat_map(|(_, fields)| fields.iter().map(|field| &field.value));
    let roles = arguments.roles.iter().map(|given| &given.value);
    for value in roles.chain(data).chain(&arguments.success).chain(&arguments.when).chain(&arguments.via) {
        stays(value, errors);
    }
}

fn is_cost_attributed_signal(attribute: &syn::Attribute) -> bool {
    let is_signal = attribute.path().segments.last().is_some_and(|last| last.ident == "signal");
    let syn::Meta::List(list) = &attribute.meta else { return false };
    is_signal && split(list.tokens.clone()).iter().any(|part| part.to_string() == "cost_attributed")
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
    given.extend(arguments.roles.iter().filter_map(|given| given.role.field()).map(str::to_owned));
    if let Some(event) = event {
        event.check_required(&given, place, errors);
    }
}

/// The name of the outcome's value; reports the use of a name that does not exist here.
fn outcome(arguments: &Arguments, function: &Function, errors: &mut Errors) -> String {
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
            .map(|given| &given.value)
            .chain(data)
            .chain(&arguments.when)
            .chain(&arguments.success)
            .map(Expr::to_token_stream)
            .collect()
    };
    let meant = |name: &str| tokens.iter().filter_map(|tokens| value(tokens.clone(), name)).collect::<Vec<_>>();
    let is_argument = |name: &str| {
        let inputs = function.signature.inputs.iter();
        inputs.filter_map(|input| mention(input.to_token_stream(), name)).next().is_some()
    };
    for wrong in ["ret", "err"].into_iter().filter(|name| *name != own) {
        let places = meant(wrong);
        if places.is_empty() || is_argument(wrong) || renamed.is_some_and(|name| name == wrong) {
            continue;
        }
        for place in places {
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
    renamed.map_or_else(|| own.to_owned(), ToString::to_string)
}

/// The name at each place where it may be mentioned. It means what it means at the key of the value, or where it is chosen by
/// `ret = ...`: what a macro was given under the same name, or has itself, is something else.
fn names(arguments: &Arguments, name: &str) -> Vec<Ident> {
    let roles = arguments.roles.iter().map(|given| (given.key.span(), &given.value));
    let fields = arguments.data.iter().flat_map(|(_, fields)| fields);
    let fields = fields.map(|field| (field.key.span(), &field.value));
    let when = arguments.when_at.iter().map(Ident::span).zip(&arguments.when);
    let named = |(key, value): (Span, &Expr)| {
        let meant = arguments.ret.as_ref().map_or(key, Ident::span);
        let mut found = may_mention(value.to_token_stream(), name)?;
        found.set_span(found.span().resolved_at(meant));
        Some(found)
    };
    let names: Vec<Ident> = roles.chain(fields).chain(when).filter_map(named).collect();
    if names.is_empty() { arguments.ret.iter().cloned().collect() } else { names }
}
