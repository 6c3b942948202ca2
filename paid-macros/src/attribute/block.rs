//! `signal_block!`: a block or closure of the user's as a function without a name, so that all that holds for functions
//! holds for it.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{ExprClosure, FnArg, Pat, PatType, ReturnType, Signature, Token};

use crate::arguments;
use crate::function::{Function, Written, inner, mention};

type Inputs = Punctuated<FnArg, Token![,]>;

/// A block or closure.
pub(super) struct Block {
    /// What stands before its braces in the expansion: `async move`, or a closure up to its body.
    head: TokenStream,
    pub(super) function: Function,
}

/// The arguments, and the block behind them, which begins where no argument can.
pub(super) fn split(tokens: TokenStream) -> (TokenStream, TokenStream) {
    let parser = |input: ParseStream<'_>| {
        let mut arguments = TokenStream::new();
        while !input.is_empty() && !begins(input) {
            arguments.extend(arguments::one(input)?);
            arguments.extend(input.parse::<Option<Token![,]>>()?.map(ToTokens::into_token_stream));
        }
        Ok((arguments, input.parse()?))
    };
    parser.parse2(tokens).unwrap_or_default()
}

fn begins(input: ParseStream<'_>) -> bool {
    input.peek(syn::token::Brace)
        || input.peek(Token![async])
        || input.peek(Token![move])
        || input.peek(Token![|])
        || input.peek(Token![->])
}

impl Block {
    pub(super) fn parse(tokens: TokenStream) -> syn::Result<Self> {
        if tokens.is_empty() {
            let message = "the last argument is the block or closure that does the work: write `{ ... }`, `async { ... }` or `|lead| { ... }` behind a comma";
            return Err(syn::Error::new(Span::call_site(), message));
        }
        Self::read.parse2(tokens)
    }

    fn read(input: ParseStream<'_>) -> syn::Result<Self> {
        let asyncness: Option<Token![async]> = input.parse()?;
        let capture: Option<Token![move]> = input.parse()?;
        if input.peek(Token![|]) {
            return closure(asyncness, capture, input);
        }
        if let (None, Some(capture)) = (&asyncness, &capture) {
            return Err(syn::Error::new_spanned(capture, "expected `async move { ... }`, or a closure behind `move`"));
        }
        let head = quote!(#asyncness #capture);
        braced(head, asyncness, capture.is_some(), Inputs::new(), input)
    }

    /// The expansion: `contents` in place of the body.
    pub(super) fn around(&self, contents: &TokenStream) -> TokenStream {
        let head = &self.head;
        quote!(#head { #contents })
    }

    /// As it was written, after something that says what is wrong with the arguments.
    pub(super) fn without_signal(&self, said: &TokenStream) -> TokenStream {
        let (head, body) = (&self.head, &self.function.body);
        match &self.function.signature.output {
            ReturnType::Type(_, ty) if head.is_empty() => {
                quote!({ #said #[allow(unused)] let body = || -> #ty #body; body() })
            }
            ReturnType::Type(_, ty) if self.function.signature.asyncness.is_some() => {
                let body = inner(body);
                quote!(#head { #said #[allow(unused)] let typed = || -> #ty { ::core::unreachable!() }; #body })
            }
            _ => {
                let body = inner(body);
                quote!(#head { #said #body })
            }
        }
    }
}

/// A closure, whose body is a block, an `async` block or an expression.
fn closure(
    asyncness: Option<Token![async]>,
    capture: Option<Token![move]>,
    input: ParseStream<'_>,
) -> syn::Result<Block> {
    let (written, inputs) = inputs(input)?;
    let head = quote!(#asyncness #capture |#written|);
    if asyncness.is_none() && input.peek(Token![async]) {
        let ahead = input.fork();
        let inner: Token![async] = ahead.parse()?;
        let moves: Option<Token![move]> = ahead.parse()?;
        if ahead.peek(syn::token::Brace) || ahead.peek(Token![->]) {
            let head = quote!(#head #inner #moves);
            input.parse::<Token![async]>()?;
            input.parse::<Option<Token![move]>>()?;
            return braced(head, Some(inner), moves.is_some(), inputs, input);
        }
    }
    if input.peek(Token![->]) {
        let ahead = input.fork();
        let output: ReturnType = ahead.parse()?;
        return braced(quote!(#head #output), asyncness, capture.is_some(), inputs, input);
    }
    let body = expression(input.parse()?)?;
    function(head, asyncness, capture.is_some(), inputs, ReturnType::Default, body)
}

/// What is between the bars: as it was written, and as the inputs of a function.
fn inputs(input: ParseStream<'_>) -> syn::Result<(TokenStream, Inputs)> {
    input.parse::<Token![|]>()?;
    let mut written = TokenStream::new();
    while !input.peek(Token![|]) {
        written.extend([input.parse::<TokenTree>()?]);
    }
    input.parse::<Token![|]>()?;
    let closure: ExprClosure = syn::parse2(quote!(|#written| ()))?;
    let inputs = closure.inputs.into_iter().map(|pattern| match pattern {
        Pat::Type(typed) => FnArg::Typed(typed),
        pattern => FnArg::Typed(PatType {
            attrs: Vec::new(),
            colon_token: Token![:](pattern.span()),
            ty: Box::new(unwritten(pattern.span())),
            pat: Box::new(pattern),
        }),
    });
    Ok((written, inputs.collect()))
}

/// `-> T { ... }` or `{ ... }`, and nothing else.
fn braced(
    head: TokenStream,
    asyncness: Option<Token![async]>,
    moves: bool,
    inputs: Inputs,
    input: ParseStream<'_>,
) -> syn::Result<Block> {
    let output: ReturnType = input.parse()?;
    if let Some(word) = mention(output.to_token_stream(), "impl") {
        let message = "`impl Trait` cannot stand in the type of a block or closure; write `_` in its place";
        return Err(syn::Error::new_spanned(word, message));
    }
    if !input.peek(syn::token::Brace) {
        return Err(input.error("expected the block, in braces"));
    }
    let body = input.parse()?;
    input.parse::<Option<Token![,]>>()?;
    if !input.is_empty() {
        return Err(input.error("expected nothing behind the block; the arguments stand before it"));
    }
    function(head, asyncness, moves, inputs, output, body)
}

/// The rest of the tokens, as a body in braces.
fn expression(tokens: TokenStream) -> syn::Result<TokenTree> {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.pop_if(|last| matches!(last, TokenTree::Punct(punct) if punct.as_char() == ','));
    let span = match tokens.as_slice() {
        [] => return Err(syn::Error::new(Span::call_site(), "expected the closure's body")),
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Brace => return Ok(group.clone().into()),
        [first, ..] => first.span(),
    };
    let mut body = Group::new(Delimiter::Brace, tokens.into_iter().collect());
    body.set_span(span);
    Ok(body.into())
}

fn function(
    head: TokenStream,
    asyncness: Option<Token![async]>,
    moves: bool,
    inputs: Inputs,
    output: ReturnType,
    body: TokenTree,
) -> syn::Result<Block> {
    let mut signature: Signature = syn::parse2(quote!(#asyncness fn block()))?;
    signature.inputs = inputs;
    signature.output = match output {
        ReturnType::Default => ReturnType::Type(Token![->](body.span()), Box::new(unwritten(body.span()))),
        written => written,
    };
    let function = Function {
        written: Written::Block { moves },
        attributes: Vec::new(),
        visibility: syn::Visibility::Inherited,
        defaultness: None,
        signature,
        body,
    };
    Ok(Block { head, function })
}

/// A type that the compiler finds.
fn unwritten(span: Span) -> syn::Type {
    syn::Type::Infer(syn::TypeInfer { attrs: Vec::new(), underscore_token: Token![_](span) })
}
