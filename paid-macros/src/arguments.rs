//! What the arguments of the attributes have in common: a list of keys, some with a value, some with a list of fields.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, LitStr, Token};

use crate::diagnostics::Errors;
use crate::roles::Role;

/// One field of the data.
pub(crate) struct Field {
    pub(crate) key: Ident,
    pub(crate) value: Expr,
}

impl Field {
    /// As it is written on the wire.
    pub(crate) fn name(&self) -> String {
        self.key.unraw().to_string()
    }
}

/// A role with the expression that says its value.
pub(crate) struct Given {
    pub(crate) role: Role,
    /// The key as it was written.
    pub(crate) key: Ident,
    pub(crate) value: Expr,
}

/// Reads one argument, `key`, `key = value` or `key(...)`, all of it.
///
/// # Errors
///
/// The error of `read`, or an error at what follows the argument. `no_name` is the message for a text without a key.
pub(crate) fn argument(
    part: TokenStream,
    no_name: &str,
    read: impl FnOnce(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    let parser = |input: ParseStream<'_>| {
        if input.peek(LitStr) {
            let name: LitStr = input.parse()?;
            input.parse::<TokenStream>()?;
            return Err(syn::Error::new_spanned(name, no_name));
        }
        let key = input.call(Ident::parse_any)?;
        read(&key, input)?;
        if !input.is_empty() {
            return Err(input.error("expected `,` before this"));
        }
        Ok(())
    };
    parser.parse2(part)
}

/// The `=` after a key that needs a value.
pub(crate) fn equals(key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if !input.peek(Token![=]) {
        input.parse::<TokenStream>()?;
        return Err(syn::Error::new_spanned(key, format!("`{key}` needs a value: write `{key} = ...`")));
    }
    input.parse::<Token![=]>()?;
    Ok(())
}

/// `= value` after a key.
pub(crate) fn value(key: &Ident, input: ParseStream<'_>) -> syn::Result<Expr> {
    equals(key, input)?;
    input.parse()
}

/// A key that the macro does not have.
pub(crate) fn unknown(key: &Ident, input: ParseStream<'_>, macro_name: &str, hint: &str) -> syn::Error {
    // What follows it is part of the same mistake.
    let _ = input.parse::<TokenStream>();
    syn::Error::new_spanned(key, format!("`#[paid::{macro_name}]` has no `{key}`; {hint}"))
}

/// The arguments, between the commas of the outermost level. An expression ends where Rust's grammar says, so commas
/// between its angle brackets are its own; what is no expression ends at the next comma, so that a mistake in one argument
/// does not hide the others.
pub(crate) fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let parser = |input: ParseStream<'_>| {
        let mut parts = Vec::new();
        while !input.is_empty() {
            let part = one(input)?;
            input.parse::<Option<Token![,]>>()?;
            parts.push(part);
        }
        Ok(parts)
    };
    let mut parts = parser.parse2(tokens).unwrap_or_default();
    parts.retain(|part| !part.is_empty());
    parts
}

/// The tokens up to the next comma that is not part of an expression.
pub(crate) fn one(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    if let Some(part) = up_to_a_comma(input) {
        return Ok(part);
    }
    let ahead = input.fork();
    let whole = argument_or_expression(&ahead).is_ok() && (ahead.is_empty() || ahead.peek(Token![,]));
    let mut part = TokenStream::new();
    while !input.is_empty() && if whole { input.cursor() != ahead.cursor() } else { !input.peek(Token![,]) } {
        part.extend([input.parse::<TokenTree>()?]);
    }
    Ok(part)
}

/// The tokens up to the next comma, unless an expression may go on after it: among types in angle brackets, or among a closure's
/// parameters.
fn up_to_a_comma(input: ParseStream<'_>) -> Option<TokenStream> {
    let read = input.step(|cursor| {
        let (mut rest, mut part) = (*cursor, Vec::new());
        while let Some((token, next)) = rest.token_tree() {
            if let TokenTree::Punct(punct) = &token {
                match punct.as_char() {
                    ',' => break,
                    '<' | '|' => return Err(cursor.error("it may go on after a comma")),
                    _ => {}
                }
            }
            part.push(token);
            rest = next;
        }
        Ok((part.into_iter().collect(), rest))
    });
    read.ok()
}

/// `key = expr`, or `expr`, which `key` and `key(...)` are as well.
fn argument_or_expression(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
        input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
    }
    input.parse::<Expr>().map(drop)
}

/// `(field = expr, field)`, after `data` or another key.
pub(crate) fn fields(key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Field>> {
    if !input.peek(syn::token::Paren) {
        input.parse::<TokenStream>()?;
        return Err(syn::Error::new_spanned(
            key,
            format!("`{key}` lists fields in parentheses: write `{key}(lead_id = lead.id)`"),
        ));
    }
    let list = key;
    let inner;
    syn::parenthesized!(inner in input);
    let ahead = inner.fork();
    if let Ok(fields) = all_fields(list, &ahead) {
        inner.advance_to(&ahead);
        return Ok(fields);
    }
    let mut fields = Vec::new();
    for part in split(inner.parse()?) {
        let parser = |input: ParseStream<'_>| {
            let field = field(list, input)?;
            if !input.is_empty() {
                return Err(input.error("expected `,` before this"));
            }
            Ok(field)
        };
        match parser.parse2(part) {
            Ok(field) => fields.push(field),
            Err(error) => errors.push(error),
        }
    }
    Ok(fields)
}

/// In one go, which is faster, if nothing is wrong.
fn all_fields(list: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<Field>> {
    let mut fields = Vec::new();
    while !input.is_empty() {
        fields.push(field(list, input)?);
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(fields)
}

fn field(list: &Ident, input: ParseStream<'_>) -> syn::Result<Field> {
    if input.peek(LitStr) {
        let name: LitStr = input.parse()?;
        input.parse::<TokenStream>()?;
        let message = format!("a field is written as a name without quotes: `{list}(lead_id = lead.id)`");
        return Err(syn::Error::new_spanned(name, message));
    }
    let key = input.call(Ident::parse_any)?;
    if is_at_end(input) {
        let value = syn::parse2(quote!(#key)).map_err(|_| {
            let message = format!("`{key}` is a keyword: write `{list}({key} = r#{key})`");
            syn::Error::new_spanned(&key, message)
        })?;
        return Ok(Field { key, value });
    }
    if !input.peek(Token![=]) {
        let rest: TokenStream = input.parse()?;
        let whole = quote!(#key #rest);
        let message =
            format!("this field needs a name: write `{list}(name = {})`", whole.to_string().replace(" . ", "."));
        return Err(syn::Error::new_spanned(whole, message));
    }
    input.parse::<Token![=]>()?;
    let value = Expr::parse(input)?;
    Ok(Field { key, value })
}

/// Whether an argument ends here.
pub(crate) fn is_at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}
