//! The arguments of `#[paid::trace]`.

use paid_catalog::nearest_of;
use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Lit, Path, Token};

use crate::attribute::input::{self, Field};
use crate::diagnostics::Errors;

const KEYS: [&str; 6] = ["customer", "product", "store_prompts", "metadata", "token", "crate"];

pub(super) struct Arguments {
    pub(super) customer: Option<Expr>,
    pub(super) product: Option<Expr>,
    pub(super) store_prompts: Option<Expr>,
    pub(super) token: Option<Expr>,
    pub(super) metadata: Vec<Field>,
    pub(crate) krate: Path,
    seen: Vec<String>,
}

impl Arguments {
    /// Reads argument by argument, so that a mistake in one does not hide the others.
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut arguments = Self {
            customer: None,
            product: None,
            store_prompts: None,
            token: None,
            metadata: Vec::new(),
            krate: syn::parse_quote!(::paid),
            seen: Vec::new(),
        };
        for part in input::split(tokens) {
            if let Err(error) = arguments.argument(part, errors) {
                errors.push(error);
            }
        }
        arguments
    }

    fn argument(&mut self, part: TokenStream, errors: &mut Errors) -> syn::Result<()> {
        let parser = |input: ParseStream<'_>| {
            if input.peek(syn::LitStr) {
                let name: syn::LitStr = input.parse()?;
                input.parse::<TokenStream>()?;
                let message = "`#[paid::trace]` takes no name; the event's name stands in `#[paid::signal(...)]`";
                return Err(syn::Error::new_spanned(name, message));
            }
            let key = input.call(Ident::parse_any)?;
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
            input.parse::<TokenStream>()?;
            return Err(syn::Error::new_spanned(key, unknown(&word)));
        }
        if self.seen.contains(&word) {
            errors.at(key, format!("`{word}` is given twice; remove one"));
        }
        self.seen.push(word.clone());
        if word == "metadata" {
            self.metadata = input::data(key, input, errors)?;
            self.check_metadata(errors);
            return Ok(());
        }
        if !input.peek(Token![=]) {
            input.parse::<TokenStream>()?;
            return Err(syn::Error::new_spanned(key, format!("`{word}` needs a value: write `{word} = ...`")));
        }
        input.parse::<Token![=]>()?;
        if word == "crate" {
            self.krate = input.call(Path::parse_mod_style)?;
            return Ok(());
        }
        let value: Expr = input.parse()?;
        if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &value
            && text.value().trim().is_empty()
        {
            errors.at(text, format!("`{word}` is empty; name somebody, or leave it to the scope"));
        }
        match word.as_str() {
            "customer" => self.customer = Some(value),
            "product" => self.product = Some(value),
            "store_prompts" => self.store_prompts = Some(value),
            _ => self.token = Some(value),
        }
        Ok(())
    }

    fn check_metadata(&self, errors: &mut Errors) {
        for (index, field) in self.metadata.iter().enumerate() {
            if self.metadata.iter().take(index).any(|before| before.name() == field.name()) {
                errors.at(&field.key, format!("the field `{}` is given twice; remove one", field.name()));
            }
        }
    }
}

fn unknown(word: &str) -> String {
    let hint = match word {
        "customer_id" => "; the collector takes your own ids only: write `customer = ...` with yours".to_owned(),
        "product_id" => "; the collector takes your own ids only: write `product = ...` with yours".to_owned(),
        "store_prompt" => "; did you mean store_prompts?".to_owned(),
        "data" => "; what every span says stands in `metadata(...)`".to_owned(),
        _ => nearest_of(word, KEYS.into_iter()).map_or_else(
            || format!("; what every span says stands in `metadata({word} = ...)`"),
            |near| format!("; did you mean {near}?"),
        ),
    };
    format!("`#[paid::trace]` has no `{word}`{hint}")
}
