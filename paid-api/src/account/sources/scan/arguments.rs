//! What annotations, derives and calls say about their signal.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

use super::super::found::Named;

/// What is said about a signal.
pub(super) struct Said {
    /// The event name; `None` if it is computed.
    pub(super) name: Option<String>,
    /// Where the name stands; `None` if no name is written, because a type has it.
    pub(super) place: Option<Span>,
    pub(super) product: Named,
    pub(super) has_key: Option<bool>,
}

impl Said {
    fn nothing() -> Self {
        Self { name: None, place: None, product: Named::Not, has_key: Some(false) }
    }
}

pub(super) fn is_punct(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

/// The text of a literal.
fn literal(token: &TokenTree) -> Option<(String, Span)> {
    match token {
        TokenTree::Literal(literal) => match syn::Lit::new(literal.clone()) {
            syn::Lit::Str(text) => Some((text.value(), literal.span())),
            _ => None,
        },
        _ => None,
    }
}

/// The text of the only token, if it is a text.
fn only_text(tokens: &[TokenTree]) -> Option<(String, Span)> {
    match tokens {
        [only] => literal(only),
        _ => None,
    }
}

/// The tokens between commas.
pub(super) fn parts(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        if is_punct(&token, ',') {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(token);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The path at a place, without a `::` in front, and where it ends.
pub(super) fn path(tokens: &[TokenTree], at: usize) -> (Vec<String>, usize) {
    let mut at = at;
    if is_separator(tokens, at) {
        at += 2;
    }
    let mut path = Vec::new();
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        path.push(word.to_string());
        at += 1;
        match (is_separator(tokens, at), tokens.get(at + 2)) {
            (true, Some(TokenTree::Ident(_))) => at += 2,
            _ => break,
        }
    }
    (path, at.max(1))
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| tokens.get(at).is_some_and(|token| is_punct(token, ':'));
    colon(at) && colon(at + 1)
}

/// `name = value` as name and value.
fn keyed(part: &[TokenTree]) -> Option<(String, &[TokenTree])> {
    match part {
        [TokenTree::Ident(key), equals, value @ ..] if is_punct(equals, '=') => Some((key.to_string(), value)),
        _ => None,
    }
}

fn product(value: &[TokenTree]) -> Named {
    only_text(value).map_or(Named::Computed, |(text, _)| Named::As(text))
}

/// The arguments of `#[paid::signal(..)]` and `signal_block!`.
pub(super) fn of_annotation(tokens: TokenStream) -> Said {
    let mut said = Said::nothing();
    for (index, part) in parts(tokens).iter().enumerate() {
        match (index, part.as_slice()) {
            (0, [first @ TokenTree::Literal(_), ..]) => {
                if let Some((name, place)) = literal(first) {
                    (said.name, said.place) = (Some(name), Some(place));
                }
            }
            // A macro gives the name.
            (0, [mark, named, ..]) if is_punct(mark, '$') => said.place = Some(named.span()),
            (_, part) => match keyed(part) {
                Some((key, value)) if key == "product" => said.product = product(value),
                Some((key, _)) if key == "product_id" => said.product = Named::Computed,
                Some((key, _)) if key == "idempotency_key" => said.has_key = Some(true),
                _ => {}
            },
        }
    }
    said
}

/// `#[paid(signal = "x", product = "p")]`.
pub(super) fn of_derive(tokens: TokenStream) -> Said {
    let mut said = Said::nothing();
    for part in parts(tokens) {
        match keyed(&part) {
            Some((key, value)) if key == "signal" => {
                if let Some((name, place)) = only_text(value) {
                    (said.name, said.place) = (Some(name), Some(place));
                }
            }
            Some((key, value)) if key == "product" => said.product = product(value),
            _ => {}
        }
    }
    said
}

/// Whether a field has `#[paid(idempotency_key)]`.
pub(super) fn has_key_field(fields: TokenStream) -> bool {
    fields.into_iter().any(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
            match tokens.as_slice() {
                [TokenTree::Ident(word), TokenTree::Group(inside)] if word == "paid" => names_key(inside.stream()),
                [TokenTree::Ident(word), TokenTree::Group(inside)] if word == "cfg_attr" => inside
                    .stream()
                    .into_iter()
                    .any(|token| matches!(token, TokenTree::Group(group) if names_key(group.stream()))),
                _ => false,
            }
        }
        _ => false,
    })
}

fn names_key(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "idempotency_key"))
}

/// Whether a condition, such as `all(test, unix)`, holds in tests only.
pub(super) fn is_for_tests(condition: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = condition.into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(word)] => word == "test",
        [TokenTree::Ident(word), TokenTree::Group(inside)] if word == "all" => {
            parts(inside.stream()).into_iter().any(|part| is_for_tests(part.into_iter().collect()))
        }
        [TokenTree::Ident(word), TokenTree::Group(inside)] if word == "any" => {
            let parts = parts(inside.stream());
            !parts.is_empty() && parts.into_iter().all(|part| is_for_tests(part.into_iter().collect()))
        }
        _ => false,
    }
}

/// `Signal::new(..)` and what is called on it. A signal that is bound to a name may get a key later.
pub(super) fn call(arguments: &Group, behind: &[TokenTree], is_bound: bool) -> Said {
    let mut said = Said::nothing();
    let first = parts(arguments.stream()).into_iter().next().unwrap_or_default();
    match text_of(&first) {
        Some((name, place)) => (said.name, said.place) = (Some(name), Some(place)),
        None => said.place = Some(first.first().map_or_else(|| arguments.span(), TokenTree::span)),
    }
    let mut rest = behind;
    loop {
        rest = match rest {
            [dot, TokenTree::Ident(method), TokenTree::Group(group), more @ ..] if is_punct(dot, '.') => {
                let given: Vec<TokenTree> = group.stream().into_iter().collect();
                match method.to_string().as_str() {
                    "idempotency_key" => said.has_key = Some(true),
                    "product" => said.product = product(&given),
                    "product_id" => said.product = Named::Computed,
                    _ => {}
                }
                more
            }
            [mark, more @ ..] if is_punct(mark, '?') => more,
            _ => break,
        };
    }
    if is_bound && said.has_key == Some(false) {
        said.has_key = None;
    }
    said
}

/// `"x"`, also as `"x".to_owned()`, `"x".into()`, `String::from("x")` or `paid::event_name!("x")`.
fn text_of(tokens: &[TokenTree]) -> Option<(String, Span)> {
    match tokens {
        [text] => literal(text),
        [text, dot, TokenTree::Ident(method), TokenTree::Group(_)] if is_punct(dot, '.') => {
            let is_same = matches!(method.to_string().as_str(), "into" | "to_owned" | "to_string");
            literal(text).filter(|_| is_same)
        }
        [TokenTree::Ident(_), .., TokenTree::Ident(word), TokenTree::Group(inside)]
            if word == "from" || word == "Borrowed" =>
        {
            let inside: Vec<TokenTree> = inside.stream().into_iter().collect();
            only_text(&inside)
        }
        [.., TokenTree::Ident(word), bang, TokenTree::Group(inside)] if word == "event_name" && is_punct(bang, '!') => {
            let inside: Vec<TokenTree> = inside.stream().into_iter().collect();
            only_text(&inside)
        }
        _ => None,
    }
}
