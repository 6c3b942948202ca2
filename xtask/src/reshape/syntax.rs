//! Converts between tokens, syntax trees and text. Trees are printed here and nowhere else. Code that cannot be parsed
//! or printed is an error, so that no type is ever missing without a message.

use anyhow::{Context, Result, bail, ensure};
use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::visit::Visit;

/// A Rust name from a name of the document.
pub(crate) fn rust_name(name: &str) -> Result<syn::Ident> {
    syn::parse_str(name).with_context(|| format!("`{name}` is not a Rust name"))
}

/// The name of the field, argument or setter for a property; a keyword gets an underscore, as in progenitor's output.
pub(crate) fn field_name(wire: &str) -> Result<syn::Ident> {
    let name = wire.to_snake_case();
    match syn::Ident::parse_any.parse_str(&name) {
        Ok(parsed) if syn::parse_str::<syn::Ident>(&name).is_err() => rust_name(&format!("{parsed}_")),
        _ => rust_name(&name),
    }
}

/// Parses the code that a pass made.
pub(crate) fn items(tokens: TokenStream) -> Result<Vec<syn::Item>> {
    // The text takes longer than the parsing, and is hardly ever wanted.
    let file: syn::File =
        syn::parse2(tokens.clone()).with_context(|| format!("a pass made code that does not parse: {tokens}"))?;
    refuse_verbatim(&file)?;
    Ok(file.items)
}

/// Prints a file in sections, with an empty line between them; the first has the file's own attributes.
pub(crate) fn print(header: &str, sections: &[syn::File]) -> Result<String> {
    let sections = sections.iter().filter(|section| !is_empty(section));
    let texts: Vec<_> = std::thread::scope(|scope| {
        let (send, receive) = std::sync::mpsc::channel::<(String, Vec<String>)>();
        // Reading takes as long as printing, so it has a thread of its own.
        let reader = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, move || receive.into_iter().try_for_each(|(text, meant)| read_again(&text, &meant)))?;
        let printed = sections.map(|section| {
            refuse_verbatim(section)?;
            let text = prettyplease::unparse(section);
            // If the reader has ended, it says why.
            let _ = send.send((text.clone(), item_names(section)));
            Ok(format!("{}\n", text.trim_end()))
        });
        let printed: Result<Vec<_>> = printed.collect();
        drop(send);
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        printed
    })?;
    Ok(format!("{header}{}", texts.join("\n")))
}

/// Types may be nested deeply.
const STACK: usize = 64 << 20;

fn is_empty(section: &syn::File) -> bool {
    section.items.is_empty() && section.attrs.is_empty()
}

/// Reads what was printed: it must have the same items.
fn read_again(text: &str, meant: &[String]) -> Result<()> {
    let read = syn::parse_file(text).with_context(|| format!("what was printed does not parse: {text}"))?;
    let got = item_names(&read);
    ensure!(meant == got, "printing changed the items {meant:?} to {got:?}");
    Ok(())
}

fn item_names(file: &syn::File) -> Vec<String> {
    file.items.iter().map(item_name).collect()
}

fn item_name(item: &syn::Item) -> String {
    match item {
        syn::Item::Struct(item) => item.ident.to_string(),
        syn::Item::Enum(item) => item.ident.to_string(),
        syn::Item::Trait(item) => item.ident.to_string(),
        syn::Item::Mod(item) => item.ident.to_string(),
        syn::Item::Const(item) => item.ident.to_string(),
        syn::Item::Fn(item) => item.sig.ident.to_string(),
        syn::Item::Impl(item) => format!("impl {}", item.self_ty.to_token_stream()),
        syn::Item::Macro(item) => item.mac.path.to_token_stream().to_string(),
        syn::Item::Use(_) => "use".to_owned(),
        other => other.to_token_stream().to_string(),
    }
}

/// syn keeps what it does not know as tokens, and the printer panics on them.
fn refuse_verbatim(file: &syn::File) -> Result<()> {
    #[derive(Default)]
    struct Verbatim(Option<String>);
    impl Verbatim {
        fn found(&mut self, tokens: &TokenStream) {
            self.0.get_or_insert_with(|| tokens.to_string());
        }
    }
    impl<'ast> Visit<'ast> for Verbatim {
        fn visit_item(&mut self, item: &'ast syn::Item) {
            if let syn::Item::Verbatim(tokens) = item {
                self.found(tokens);
            }
            syn::visit::visit_item(self, item);
        }
        fn visit_expr(&mut self, expression: &'ast syn::Expr) {
            if let syn::Expr::Verbatim(tokens) = expression {
                self.found(tokens);
            }
            syn::visit::visit_expr(self, expression);
        }
        fn visit_type(&mut self, ty: &'ast syn::Type) {
            if let syn::Type::Verbatim(tokens) = ty {
                self.found(tokens);
            }
            syn::visit::visit_type(self, ty);
        }
    }
    let mut verbatim = Verbatim::default();
    verbatim.visit_file(file);
    if let Some(tokens) = verbatim.0 {
        bail!("a pass made syntax that cannot be printed: {tokens}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn file(items: Vec<syn::Item>) -> syn::File {
        syn::File { shebang: None, attrs: Vec::new(), items, frontmatter: None }
    }

    #[test]
    fn an_item_that_does_not_parse_is_an_error_and_not_a_missing_type() {
        let error = items(quote!(pub struct 3x { a: u8 })).unwrap_err();
        assert!(format!("{error:#}").contains("does not parse: pub struct 3x"), "{error:#}");
        assert!(format!("{:#}", rust_name("no name").unwrap_err()).contains("`no name` is not a Rust name"));
    }

    #[test]
    fn an_item_that_cannot_be_printed_is_an_error_and_not_a_missing_type() {
        let error = print("", &[file(vec![syn::Item::Verbatim(quote!(pub struct))])]).unwrap_err();
        assert!(error.to_string().contains("cannot be printed: pub struct"), "{error:#}");
        let mut broken = items(quote!(
            pub struct A(B);
        ))
        .unwrap();
        if let Some(syn::Item::Struct(item)) = broken.first_mut() {
            item.fields.iter_mut().for_each(|field| field.ty = syn::Type::Verbatim(quote!(#)));
        }
        assert!(print("", &[file(broken)]).unwrap_err().to_string().contains("cannot be printed: #"));
    }

    #[test]
    fn sections_have_an_empty_line_between_them() {
        let one = file(
            items(quote!(
                #[doc = " One."]
                pub struct A;
                pub struct B;
            ))
            .unwrap(),
        );
        let two = file(
            items(quote!(
                pub struct C;
            ))
            .unwrap(),
        );
        let text = print("// head\n", &[one, file(Vec::new()), two]).unwrap();
        assert_eq!(text, "// head\n/// One.\npub struct A;\npub struct B;\n\npub struct C;\n");
    }

    #[test]
    fn keywords_get_an_underscore() {
        assert_eq!(field_name("type").unwrap(), "type_");
        assert_eq!(field_name("customerId").unwrap(), "customer_id");
        assert!(field_name("3").is_err());
    }
}
