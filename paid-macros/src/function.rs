//! A function as it was written: its body is carried, not parsed, so that a half-written one does no harm.

mod body;
mod callable;
mod expectation;
mod hiding;
mod lifetimes;
mod mention;
mod order;
mod outcome;
mod own_bounds;
mod placeholders;
mod shape;
mod traced;
mod tracked;
mod types;
mod unseen;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Signature, Token, Visibility};

pub(crate) use body::{Gets, call, closure, future, inner, is_in_place};
pub(crate) use mention::{may_mention, mention, value};
pub(crate) use outcome::{Outcome, place_of};
pub(crate) use shape::{
    Shape, boxed_future, is_called_boxed_future, is_never, may_hold_a_future, returned, returns_a_future, shape,
};
pub(crate) use traced::mark as traced_mark;
pub(crate) use unseen::unseen;

/// What is annotated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// A function or method.
    Item,
    /// A block or closure inside a function, whose type parameters are not seen.
    Block {
        /// Whether its body gets what it captures.
        moves: bool,
    },
}

/// A function with a body of any tokens.
pub(crate) struct Function {
    pub(crate) written: Written,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) signature: Signature,
    /// With its braces.
    pub(crate) body: TokenTree,
}

impl Function {
    /// `macro_name` is the macro that the messages name: `signal` or `trace`.
    pub(crate) fn parse(item: TokenStream, macro_name: &str) -> syn::Result<Self> {
        let parser = |input: ParseStream<'_>| {
            let mut attributes = input.call(Attribute::parse_outer)?;
            let visibility: Visibility = input.parse()?;
            let defaultness: Option<Token![default]> = input.parse()?;
            Self::refuse_others(input, macro_name)?;
            let mut signature: Signature = input.parse()?;
            if input.peek(Token![;]) {
                let message = format!(
                    "`#[paid::{macro_name}]` needs a function with a body; annotate the methods that implement this one"
                );
                return Err(syn::Error::new_spanned(&signature.ident, message));
            }
            if !input.peek(syn::token::Brace) {
                return Err(input.error("expected the function's body, in braces"));
            }
            let body = traced::untraced(input.parse()?, &mut attributes);
            let body = hoisted(body, &mut attributes);
            order::name_all(&mut signature);
            if let Some(token) = &signature.constness {
                let cannot = if macro_name == "signal" { "emit a signal" } else { "be traced" };
                let message = format!(
                    "a `const fn` cannot {cannot}, since it may run at compile time; remove `const`, or annotate its caller"
                );
                return Err(syn::Error::new_spanned(token, message));
            }
            if !input.is_empty() {
                return Err(input.error("expected nothing behind the function's body"));
            }
            Ok(Self { written: Written::Item, attributes, visibility, defaultness, signature, body })
        };
        parser.parse2(item)
    }

    /// Refuses items that are recognisably not functions.
    fn refuse_others(input: ParseStream<'_>, macro_name: &str) -> syn::Result<()> {
        let only_functions = format!("`#[paid::{macro_name}]` goes on functions and methods");
        let ahead = input.fork();
        let token: Option<TokenTree> = ahead.parse().ok();
        let Some(token) = token else { return Err(syn::Error::new(Span::call_site(), only_functions)) };
        let word = token.to_string();
        let hint = match word.as_str() {
            "struct" | "enum" if macro_name == "signal" => {
                "; for a type that is a signal itself, write `#[derive(PaidSignal)]`"
            }
            "impl" | "trait" => "; annotate its methods, one by one",
            _ if is_expression(&token, &ahead) && macro_name == "signal" => {
                "; for a closure or a part of a function, write `paid::signal_block!(\"event_name\", ...)` around it"
            }
            _ if is_expression(&token, &ahead) => "; run this in `paid::scope().traced().run_sync(...)`",
            "struct" | "enum" => "",
            "mod" | "use" | "static" | "type" | "macro_rules" | "union" => "",
            _ => return Ok(()),
        };
        Err(syn::Error::new_spanned(token, format!("{only_functions}{hint}")))
    }

    /// The signature, with a `where` that is followed by nothing, too.
    pub(crate) fn head(&self) -> TokenStream {
        let (signature, bounds) = (&self.signature, &self.signature.generics.where_clause);
        let bare = bounds.as_ref().filter(|bounds| bounds.predicates.is_empty()).map(|bounds| bounds.where_token);
        quote!(#signature #bare)
    }

    /// The function as it was written, with `inside`, for editors, at the start of its body.
    pub(crate) fn into_tokens(self, inside: &TokenStream) -> TokenStream {
        let head = self.head();
        let Self { attributes, visibility, defaultness, body, .. } = self;
        let body = match body {
            TokenTree::Group(group) => {
                let inner = group.stream();
                quote!({ #inside #inner })
            }
            other => other.into_token_stream(),
        };
        quote!(#(#attributes)* #visibility #defaultness #head #body)
    }
}

/// Whether an expression or a `let` begins with this token, and not an item.
fn is_expression(token: &TokenTree, behind: ParseStream<'_>) -> bool {
    const WORDS: [&str; 9] = ["move", "let", "if", "match", "loop", "while", "for", "return", "break"];
    match token {
        TokenTree::Group(group) => group.delimiter() == proc_macro2::Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == '|',
        TokenTree::Ident(word) if word == "async" => {
            behind.peek(syn::token::Brace) || behind.peek(Token![move]) || behind.peek(Token![|])
        }
        TokenTree::Ident(word) => WORDS.iter().any(|known| word == known),
        TokenTree::Literal(_) => false,
    }
}

/// The body without the attributes at its start, `#![...]`: they say something of the function, and stand on it now.
fn hoisted(body: TokenTree, attributes: &mut Vec<Attribute>) -> TokenTree {
    let TokenTree::Group(group) = &body else { return body };
    let parser = |input: ParseStream<'_>| Ok((input.call(Attribute::parse_inner)?, input.parse::<TokenStream>()?));
    let Ok((inner, rest)) = parser.parse2(group.stream()) else { return body };
    if inner.is_empty() {
        return body;
    }
    attributes.extend(inner.into_iter().map(|attribute| Attribute { style: syn::AttrStyle::Outer, ..attribute }));
    let mut without = Group::new(group.delimiter(), rest);
    without.set_span(group.span());
    TokenTree::Group(without)
}
