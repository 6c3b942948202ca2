//! Types of the signature as they may stand inside the body, where `impl Trait` may not.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote_spanned;

/// `Result<impl Trait, E>` is `Result<_, E>` inside a body.
pub(crate) fn without_impl(tokens: TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "impl" => {
                let underscore = quote_spanned!(ident.span()=> _);
                out.extend(underscore);
                // Up to the comma, semicolon or closing angle that ends the bounds.
                let mut angles = 0_i32;
                let mut before = ' ';
                while let Some(next) = tokens.peek() {
                    if let TokenTree::Punct(punct) = next {
                        match punct.as_char() {
                            '<' => angles += 1,
                            '>' if before != '-' && angles == 0 => break,
                            '>' if before != '-' => angles -= 1,
                            ',' | ';' if angles == 0 => break,
                            _ => {}
                        }
                        before = punct.as_char();
                    } else {
                        before = ' ';
                    }
                    tokens.next();
                }
            }
            TokenTree::Group(group) => {
                let mut inner = proc_macro2::Group::new(group.delimiter(), without_impl(group.stream()));
                inner.set_span(group.span());
                out.extend([TokenTree::Group(inner)]);
            }
            other => out.extend([other]),
        }
    }
    out
}
