//! Roles are sent in the clear, so none of them takes the value of a field that the catalogue protects.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Expr, Member};

use super::input::Arguments;
use crate::arguments::{Field, Given};
use crate::diagnostics::Errors;
use crate::function::value;
use crate::rules::Event;

pub(super) fn check(arguments: &Arguments, event: &Event<'_>, errors: &mut Errors) {
    let protected = event.protected();
    for given in arguments.roles.iter().filter(|given| given.role.is_text()) {
        // The one that writes a protected field is hashed itself.
        if given.role.field().is_some_and(|field| protected.contains(&field)) {
            continue;
        }
        for field in &protected {
            if let Some(place) = given_in(given, field, arguments) {
                errors.at(&place, event.objection_in_the_clear(given.role, field));
            }
        }
    }
}

/// Where the role has the value of the field: by the field's name, or as the expression that the annotation gives the field.
fn given_in(given: &Given, field: &str, arguments: &Arguments) -> Option<TokenStream> {
    let fields = arguments.data.iter().flat_map(|(_, fields)| fields);
    let given_to_field = fields.filter(|known| known.name() == field).map(|known: &Field| itself(&known.value)).next();
    let given_to_field = given_to_field.filter(|value| !matches!(value, Expr::Lit(_)));
    let same = given_to_field.map(|value| value.to_token_stream().to_string());
    parts(&given.value).into_iter().find_map(|part| {
        let value = itself(part);
        let is_same = same.as_ref().is_some_and(|same| *same == value.to_token_stream().to_string());
        if is_same || is_called(value, field) { Some(part.to_token_stream()) } else { formatted(value, field) }
    })
}

/// The parts of a key.
fn parts(value: &Expr) -> Vec<&Expr> {
    match value {
        Expr::Array(array) => array.elems.iter().collect(),
        Expr::Group(group) => parts(&group.expr),
        other => vec![other],
    }
}

/// The value without what leaves its text as it is, or nearly.
fn itself(value: &Expr) -> &Expr {
    const METHODS: [&str; 19] = [
        "as_deref",
        "as_ref",
        "as_str",
        "as_string",
        "borrow",
        "clone",
        "cloned",
        "copied",
        "deref",
        "expose_secret",
        "get",
        "into",
        "into_inner",
        "to_lowercase",
        "to_owned",
        "to_string",
        "to_uppercase",
        "trim",
        "unwrap_or_default",
    ];
    match value {
        Expr::Group(of) => itself(&of.expr),
        Expr::Paren(of) => itself(&of.expr),
        Expr::Reference(of) => itself(&of.expr),
        Expr::Unary(of) => itself(&of.expr),
        Expr::MethodCall(of) if of.args.is_empty() && METHODS.iter().any(|name| of.method == name) => {
            itself(&of.receiver)
        }
        // `Hashed::new(value)`
        Expr::Call(of) if of.args.len() == 1 && of.func.to_token_stream().to_string().ends_with("Hashed :: new") => {
            of.args.first().map_or(value, itself)
        }
        other => other,
    }
}

/// Whether it is a variable or a field of this name.
fn is_called(value: &Expr, name: &str) -> bool {
    match value {
        Expr::Path(path) => path.path.get_ident().is_some_and(|ident| ident == name),
        Expr::Field(field) => matches!(&field.member, Member::Named(ident) if ident == name),
        _ => false,
    }
}

/// Where a text that is put together has it.
fn formatted(expr: &Expr, name: &str) -> Option<TokenStream> {
    let Expr::Macro(call) = expr else { return None };
    if call.mac.path.segments.last().is_none_or(|last| last.ident != "format") {
        return None;
    }
    value(expr.to_token_stream(), name).map(|_| expr.to_token_stream()).or_else(|| {
        let parser = syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated;
        let arguments = call.mac.parse_body_with(parser).ok()?;
        arguments.iter().find(|argument| is_called(itself(argument), name)).map(ToTokens::to_token_stream)
    })
}
