//! What editors and documentation show of the catalogue.

use paid_catalog::{Field, Kind, Protection};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Event;

impl Event<'_> {
    /// What editors show for the name: an item that carries what the catalogue says. Only its name stands at the literal: an
    /// editor shows something for every token that does.
    pub(crate) fn hover(&self) -> Option<TokenStream> {
        let page = self.page()?;
        let name = syn::parse_str::<Ident>(&self.name.value()).ok()?;
        let name = Ident::new(&name.to_string(), self.name.span());
        Some(quote! {
            const _: () = {
                #[doc = #page]
                #[allow(non_camel_case_types, dead_code)]
                struct #name;
            };
        })
    }

    /// The catalogue's description, and which catalogue it is.
    pub(crate) fn description(&self) -> Option<String> {
        let description = as_markdown(self.known?.description.as_ref()?);
        let shown = &self.catalog?.shown;
        Some(format!("Signal `{}`: {description} ({shown})", self.name.value()))
    }

    /// The fields that the catalogue has, each with what it says of it.
    pub(crate) fn pages_of_fields(&self) -> Vec<(&str, String)> {
        let fields = self.known.iter().flat_map(|known| &known.data);
        fields.map(|(name, field)| (name.as_str(), page_of_field(name, field))).collect()
    }

    /// All that the catalogue says of the signal.
    fn page(&self) -> Option<String> {
        let (known, shown) = (self.known?, &self.catalog?.shown);
        let mut page = self.description().unwrap_or_else(|| format!("Signal `{}` ({shown})", self.name.value()));
        page.push_str(match known.kind {
            Kind::Activity => "\n\nAn activity",
            Kind::Outcome => "\n\nAn outcome",
        });
        if let Some(product) = &known.product {
            page.push_str(&format!(", billed by product {}", as_markdown(product)));
        }
        page.push_str(".\n");
        let catalog = &self.catalog?.catalog;
        for (name, price) in catalog.prices_of(&self.name.value(), known.product.as_deref()) {
            let amounts = price.amounts();
            let amounts = if amounts.is_empty() { price.pricing_type.clone() } else { amounts.join(" or ") };
            page.push_str(&format!("\nPrice \"{}\": {}.\n", as_markdown(name), as_markdown(&amounts)));
        }
        for (_, field) in self.pages_of_fields() {
            page.push_str(&format!("\n- {field}"));
        }
        Some(page)
    }
}

fn page_of_field(name: &str, field: &Field) -> String {
    let types: Vec<_> = field.types.iter().map(ToString::to_string).collect();
    let values: Vec<_> = field.values.iter().map(ToString::to_string).collect();
    let facts = [
        (!types.is_empty()).then(|| types.join(" or ")),
        (!values.is_empty()).then(|| as_markdown(&values.join(" or "))),
        field.required.then(|| "required".to_owned()),
        match field.protection() {
            Protection::None => None,
            Protection::Hashed => Some("sent as a keyed hash".to_owned()),
            Protection::Wrapped => Some("only in a `paid::Hashed`".to_owned()),
        },
        field.description.as_deref().map(as_markdown),
    ];
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    if facts.is_empty() { format!("`{name}`") } else { format!("`{name}`: {}", facts.join(", ")) }
}

/// Text as Markdown that shows it: no line of it is code, a link or a heading, and none becomes a doctest.
fn as_markdown(text: &str) -> String {
    const SPECIAL: &str = "\\`*_{}[]<>#~|$&";
    let mut out = String::new();
    for line in text.trim().lines() {
        if !out.is_empty() {
            out.push('\n');
        }
        for letter in line.trim().chars() {
            if SPECIAL.contains(letter) {
                out.push('\\');
            }
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_text_and_no_code() {
        let shown =
            as_markdown("An e-mail went out:\n\n    curl -X POST /emails\n```\nlet x: Vec<u8>;\n```\n# [link]\n");
        assert_eq!(
            shown,
            "An e-mail went out:\n\ncurl -X POST /emails\n\\`\\`\\`\nlet x: Vec\\<u8\\>;\n\\`\\`\\`\n\\# \\[link\\]"
        );
    }

    #[test]
    fn a_field_is_shown_with_what_the_catalogue_says_of_it() {
        let catalogue = paid_catalog::Catalog::parse(
            "[signals.a]\ntype = \"outcome\"\n[signals.a.data]\nbare = {}\nemail = { type = \"string\", required = true, pii = \"hash\", description = \"Of the lead\" }\nchannel = { enum = [\"fax\", 1] }\ntoken = { secret = true }\n",
        );
        let catalogue = catalogue.unwrap();
        let fields = &catalogue.signal("a").unwrap().data;
        let shown: Vec<_> = fields.iter().map(|(name, field)| page_of_field(name, field)).collect();
        assert_eq!(
            shown,
            [
                "`bare`",
                "`channel`: \"fax\" or 1",
                "`email`: string, required, sent as a keyed hash, Of the lead",
                "`token`: only in a `paid::Hashed`",
            ]
        );
    }
}
