//! What was written: the arguments of the annotation, and a function whose body is carried, not parsed.

use paid_catalog::nearest_of;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Expr, LitStr, Path, Signature, Token, Visibility};

use crate::diagnostics::Errors;

/// A function with a body of any tokens, so that half-written bodies are no trouble.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) signature: Signature,
    /// With its braces.
    pub(crate) body: TokenTree,
}

impl Function {
    /// `macro_name` is whose message it is: `signal` or `trace`.
    pub(crate) fn parse(item: TokenStream, macro_name: &str) -> syn::Result<Self> {
        let parser = |input: ParseStream<'_>| {
            let attributes = input.call(Attribute::parse_outer)?;
            let visibility: Visibility = input.parse()?;
            let defaultness: Option<Token![default]> = input.parse()?;
            Self::refuse_others(input, macro_name)?;
            let signature: Signature = input.parse()?;
            if input.peek(Token![;]) {
                return Err(syn::Error::new_spanned(
                    &signature.ident,
                    match macro_name {
                        "signal" => {
                            "a method without a body does nothing that could be a signal; annotate the methods that implement it"
                        }
                        _ => {
                            "a method without a body does nothing that could be traced; annotate the methods that implement it"
                        }
                    },
                ));
            }
            let body: TokenTree = input.parse()?;
            if let Some(token) = &signature.constness {
                return Err(syn::Error::new_spanned(
                    token,
                    match macro_name {
                        "signal" => {
                            "a `const fn` cannot emit a signal, since it may run while compiling; remove `const`, or annotate its caller"
                        }
                        _ => {
                            "a `const fn` cannot be traced, since it may run while compiling; remove `const`, or annotate its caller"
                        }
                    },
                ));
            }
            input.parse::<TokenStream>()?;
            Ok(Self { attributes, visibility, defaultness, signature, body })
        };
        parser.parse2(item)
    }

    /// What is recognisably something else.
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

    /// The function as it was, with something for editors at the start of its body.
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

/// What the signal is called, or what it is made from.
pub(crate) enum Event {
    /// By name.
    Name(LitStr),
    /// A type that can be made from the success value.
    Payload(Path),
    /// The success value itself.
    Value,
    /// Nothing that can be used; it has been reported.
    Unusable,
}

/// When it is emitted.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum On {
    #[default]
    Success,
    Error,
    Always,
}

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

/// A role with its expression.
pub(crate) struct Role {
    pub(crate) key: Ident,
    pub(crate) value: Expr,
}

/// All keys.
const KEYS: [&str; 17] = [
    "customer",
    "customer_id",
    "product",
    "product_id",
    "idempotency_key",
    "timestamp",
    "quantity",
    "user",
    "cost",
    "data",
    "cost_attributed",
    "over",
    "on",
    "when",
    "via",
    "ret",
    "crate",
];

/// The arguments.
pub(crate) struct Arguments {
    pub(crate) event: Event,
    /// Customer, product and their like, as they were written.
    pub(crate) roles: Vec<Role>,
    pub(crate) data: Option<(Ident, Vec<Field>)>,
    pub(crate) on: On,
    pub(crate) on_at: Option<LitStr>,
    pub(crate) when: Option<Expr>,
    pub(crate) via: Option<Expr>,
    pub(crate) ret: Option<Ident>,
    /// It takes its scope's costs with it.
    pub(crate) cost_attributed: Option<Ident>,
    /// It goes over the collector.
    pub(crate) over_trace: Option<LitStr>,
    over_at: Option<LitStr>,
    pub(crate) krate: Path,
    /// Every key as it was written, for editors.
    pub(crate) keys: Vec<Ident>,
}

impl Arguments {
    /// Reads argument by argument, so that a mistake in one does not hide the others.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut arguments = Self {
            event: Event::Value,
            roles: Vec::new(),
            data: None,
            on: On::Success,
            on_at: None,
            when: None,
            via: None,
            ret: None,
            cost_attributed: None,
            over_trace: None,
            over_at: None,
            krate: syn::parse_quote!(::paid),
            keys: Vec::new(),
        };
        for (index, part) in split(tokens).into_iter().enumerate() {
            if index == 0
                && let Some(event) = first(&part, errors)
            {
                arguments.event = event;
            } else if let Err(error) = arguments.argument(part, errors) {
                errors.push(error);
            }
        }
        arguments
    }

    fn argument(&mut self, part: TokenStream, errors: &mut Errors) -> syn::Result<()> {
        let parser = |input: ParseStream<'_>| {
            if input.peek(syn::LitStr) {
                let name: LitStr = input.parse()?;
                return Err(syn::Error::new_spanned(name, "the event name comes first, and there is only one"));
            }
            let key = input.call(Ident::parse_any)?;
            self.keys.push(key.clone());
            self.keyed(&key, input, errors)?;
            if !input.is_empty() {
                return Err(input.error("expected `,` before this"));
            }
            Ok(())
        };
        parser.parse2(part)
    }

    fn keyed(&mut self, key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        let word = key.to_string();
        if !KEYS.contains(&word.as_str()) {
            let hint = nearest_of(&word, KEYS.into_iter()).map_or_else(
                || format!("; fields of the data stand in `data({word} = ...)`"),
                |near| format!("; did you mean {near}?"),
            );
            input.parse::<TokenStream>()?;
            return Err(syn::Error::new_spanned(key, format!("`#[paid::signal]` has no `{word}`{hint}")));
        }
        let twice = match word.as_str() {
            "data" => self.data.is_some(),
            "on" => self.on_at.is_some(),
            "when" => self.when.is_some(),
            "via" => self.via.is_some(),
            "ret" => self.ret.is_some(),
            "cost_attributed" => self.cost_attributed.is_some(),
            "over" => self.over_at.is_some(),
            _ => self.roles.iter().any(|role| role.key == word),
        };
        if twice {
            errors.at(key, format!("`{word}` is given twice; remove one"));
        }
        if word == "data" {
            let fields = data(key, input, errors)?;
            self.data.get_or_insert((key.clone(), fields));
            return Ok(());
        }
        if word == "cost_attributed" {
            if !input.is_empty() {
                let value: TokenStream = input.parse()?;
                let message = "`cost_attributed` stands alone: write it, or leave it out";
                return Err(syn::Error::new_spanned(value, message));
            }
            self.cost_attributed.get_or_insert(key.clone());
            return Ok(());
        }
        if !input.peek(Token![=]) {
            input.parse::<TokenStream>()?;
            return Err(syn::Error::new_spanned(key, format!("`{word}` needs a value: write `{word} = ...`")));
        }
        input.parse::<Token![=]>()?;
        match word.as_str() {
            "on" => {
                let value: LitStr = input
                    .parse()
                    .map_err(|error| syn::Error::new(error.span(), "`on` is \"success\", \"error\" or \"always\""))?;
                self.on = match value.value().as_str() {
                    "success" => On::Success,
                    "error" => On::Error,
                    "always" => On::Always,
                    other => {
                        let near = nearest_of(other, ["success", "error", "always"].into_iter());
                        let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                        errors.at(&value, format!("`on` is \"success\", \"error\" or \"always\"{hint}"));
                        On::Success
                    }
                };
                self.on_at = Some(value);
            }
            "over" => self.over(input, errors)?,
            "ret" => {
                self.ret = Some(input.call(Ident::parse_any).map_err(|error| {
                    syn::Error::new(error.span(), "`ret` gives the success value another name: write `ret = meeting`")
                })?);
            }
            "crate" => self.krate = input.call(Path::parse_mod_style)?,
            _ => {
                let value: Expr = input.parse()?;
                match word.as_str() {
                    "when" => self.when = Some(value),
                    "via" => self.via = Some(value),
                    _ => self.roles.push(Role { key: key.clone(), value }),
                }
            }
        }
        Ok(())
    }

    fn over(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        const WAYS: &str = "`over` is \"trace\" or \"api\"";
        let value: LitStr = input.parse().map_err(|error| syn::Error::new(error.span(), WAYS))?;
        match value.value().as_str() {
            "trace" => self.over_trace = Some(value.clone()),
            "api" => {}
            other => {
                let near = nearest_of(other, ["trace", "api"].into_iter());
                let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                errors.at(&value, format!("{WAYS}{hint}"));
            }
        }
        self.over_at = Some(value);
        Ok(())
    }

    pub(crate) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.key == name)
    }
}

/// The tokens between the commas of the outermost level.
pub(crate) fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    let mut angles = 0_u32;
    for token in tokens {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ',' && angles == 0 => {
                parts.push(TokenStream::new());
                continue;
            }
            // A turbofish may hold commas; a comparison holds none that belong to it.
            TokenTree::Punct(punct) if punct.as_char() == '<' && ends_in_colons(parts.last()) => angles += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' && angles > 0 => angles -= 1,
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.extend([token]);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn ends_in_colons(part: Option<&TokenStream>) -> bool {
    let last = part.and_then(|part| part.clone().into_iter().last());
    matches!(last, Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}

/// The first argument, if it says what the signal is.
fn first(part: &TokenStream, errors: &mut Errors) -> Option<Event> {
    let parser = |input: ParseStream<'_>| {
        let keyed = input.peek(syn::Ident::peek_any) && (input.peek2(Token![=]) && !input.peek2(Token![==]));
        let data = input.peek(syn::Ident) && input.peek2(syn::token::Paren);
        if keyed || data {
            input.parse::<TokenStream>()?;
            return Ok(None);
        }
        let value: Expr = input.parse()?;
        Ok(Some(value))
    };
    let not_literal =
        "the event name has to be a literal, so that it can be checked: write it out, as in \"meeting_booked\"";
    match parser.parse2(part.clone()) {
        Ok(None) => None,
        Ok(Some(Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }))) => Some(Event::Name(name)),
        Ok(Some(Expr::Path(path))) if path.qself.is_none() => {
            let last = path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
            if path.path.get_ident().is_some() && last.starts_with(|first: char| first.is_ascii_lowercase()) {
                // A key without a value, or half of one.
                return None;
            }
            if last.chars().all(|letter| !letter.is_ascii_lowercase()) && last.len() > 1 {
                errors.at(&path, not_literal);
                return Some(Event::Unusable);
            }
            Some(Event::Payload(path.path))
        }
        Ok(Some(other)) => {
            errors.at(&other, not_literal);
            Some(Event::Unusable)
        }
        Err(_) => None,
    }
}

/// `(field = expr, field)`, after `data` or another key.
pub(crate) fn data(key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Field>> {
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
    let mut fields = Vec::new();
    for part in split(inner.parse()?) {
        let parser = |input: ParseStream<'_>| {
            if input.peek(LitStr) {
                let name: LitStr = input.parse()?;
                input.parse::<TokenStream>()?;
                let message = format!("a field is written as a name without quotes: `{list}(lead_id = lead.id)`");
                return Err(syn::Error::new_spanned(name, message));
            }
            let key = input.call(Ident::parse_any)?;
            if input.is_empty() {
                let value = syn::parse_quote!(#key);
                return Ok(Field { key, value });
            }
            if !input.peek(Token![=]) {
                let rest: TokenStream = input.parse()?;
                let whole = quote!(#key #rest);
                let message = format!(
                    "this field needs a name: write `{list}(name = {})`",
                    whole.to_string().replace(" . ", ".")
                );
                return Err(syn::Error::new_spanned(whole, message));
            }
            input.parse::<Token![=]>()?;
            let value = Expr::parse(input)?;
            if !input.is_empty() {
                return Err(input.error("expected `,` before this"));
            }
            Ok(Field { key, value })
        };
        match parser.parse2(part) {
            Ok(field) => fields.push(field),
            Err(error) => errors.push(error),
        }
    }
    Ok(fields)
}
