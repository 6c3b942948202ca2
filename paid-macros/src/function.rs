//! A function as it was written: its body is carried, not parsed, so that a half-written one does no harm.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, ReturnType, Signature, Token, Type, Visibility};

/// A function with a body of any tokens.
pub(crate) struct Function {
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
            let attributes = input.call(Attribute::parse_outer)?;
            let visibility: Visibility = input.parse()?;
            let defaultness: Option<Token![default]> = input.parse()?;
            Self::refuse_others(input, macro_name)?;
            let signature: Signature = input.parse()?;
            if input.peek(Token![;]) {
                let message = format!(
                    "`#[paid::{macro_name}]` needs a function with a body; annotate the methods that implement this one"
                );
                return Err(syn::Error::new_spanned(&signature.ident, message));
            }
            let body: TokenTree = input.parse()?;
            if let Some(token) = &signature.constness {
                let cannot = if macro_name == "signal" { "emit a signal" } else { "be traced" };
                let message = format!(
                    "a `const fn` cannot {cannot}, since it may run at compile time; remove `const`, or annotate its caller"
                );
                return Err(syn::Error::new_spanned(token, message));
            }
            input.parse::<TokenStream>()?;
            Ok(Self { attributes, visibility, defaultness, signature, body })
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
            "|" | "||" | "move" | "let" if macro_name == "signal" => {
                "; make the closure a function, or call `paid::emit` inside it"
            }
            "|" | "||" | "move" | "let" => "; run the closure in `paid::scope().traced().run_sync(...)`",
            "struct" | "enum" => "",
            "mod" | "use" | "static" | "type" | "macro_rules" | "union" => "",
            _ => return Ok(()),
        };
        Err(syn::Error::new_spanned(token, format!("{only_functions}{hint}")))
    }

    /// The function as it was written, with `inside`, for editors, at the start of its body.
    pub(crate) fn into_tokens(self, inside: &TokenStream) -> TokenStream {
        let Self { attributes, visibility, defaultness, signature, body } = self;
        let body = match body {
            TokenTree::Group(group) => {
                let inner = group.stream();
                quote!({ #inside #inner })
            }
            other => other.into_token_stream(),
        };
        quote!(#(#attributes)* #visibility #defaultness #signature #body)
    }
}

/// How the body becomes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Sync,
    Async,
    /// Returns a future, in a box or not.
    Future {
        /// Whether it is in a box.
        boxed: bool,
    },
}

pub(crate) fn shape(function: &Function) -> Shape {
    if function.signature.asyncness.is_some() {
        return Shape::Async;
    }
    match &function.signature.output {
        ReturnType::Type(_, ty) => match &**ty {
            Type::ImplTrait(bounds) if mention(bounds.to_token_stream(), "Future").is_some() => {
                Shape::Future { boxed: false }
            }
            Type::Path(path) => {
                let last = path.path.segments.last();
                let name = last.map(|last| last.ident.to_string()).unwrap_or_default();
                let of_future = last.is_some_and(|last| mention(last.arguments.to_token_stream(), "Future").is_some());
                let boxed = matches!(name.as_str(), "BoxFuture" | "LocalBoxFuture") || name == "Pin" && of_future;
                if boxed { Shape::Future { boxed } } else { Shape::Sync }
            }
            _ => Shape::Sync,
        },
        ReturnType::Default => Shape::Sync,
    }
}

/// The contents of the body, spanned as the user wrote them.
pub(crate) fn inner(body: &TokenTree) -> TokenStream {
    match body {
        TokenTree::Group(group) => group.stream(),
        other => other.to_token_stream(),
    }
}

/// The return type of the closure around the body: the user's own, so that errors point there.
pub(crate) fn closure_return(output: &ReturnType) -> TokenStream {
    match output {
        ReturnType::Default => TokenStream::new(),
        ReturnType::Type(arrow, ty) => {
            let ty = without_impl(ty.to_token_stream());
            quote!(#arrow #ty)
        }
    }
}

/// Tells the compiler early what the block returns, and where that is written.
pub(crate) fn return_edge(krate: &syn::Path, output: &ReturnType) -> TokenStream {
    let ReturnType::Type(_, ty) = output else { return TokenStream::new() };
    let span = ty.span();
    let ty = without_impl(ty.to_token_stream());
    quote_spanned! {span=>
        #[allow(clippy::all)]
        if false {
            return #krate::__private::never::<#ty>();
        }
    }
}

/// `Result<impl Trait, E>` is `Result<_, E>` inside a body.
fn without_impl(tokens: TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "impl" => {
                let underscore = quote_spanned!(ident.span()=> _);
                out.extend(underscore);
                // Up to the comma or closing angle that ends the bounds.
                let mut angles = 0_i32;
                let mut before = ' ';
                while let Some(next) = tokens.peek() {
                    if let TokenTree::Punct(punct) = next {
                        match punct.as_char() {
                            '<' => angles += 1,
                            '>' if before != '-' && angles == 0 => break,
                            '>' if before != '-' => angles -= 1,
                            ',' if angles == 0 => break,
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

/// What the function returned, as a `Result` of references; whether it is a `Result` by another name, the library finds.
pub(crate) fn outcome(krate: &syn::Path, function: &Function, out: &Ident) -> TokenStream {
    if returns_result(function) {
        return quote!(&#out);
    }
    quote! {
        {
            #[allow(unused_imports)]
            use #krate::__private::{OfAnything as _, OfResult as _};
            (&#krate::__private::Probe(&#out)).outcome()
        }
    }
}

fn returns_result(function: &Function) -> bool {
    let ReturnType::Type(_, ty) = &function.signature.output else { return false };
    matches!(&**ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Result"))
}

/// Where a variable is mentioned: a format string can mention it; a field or method of the same name does not.
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
