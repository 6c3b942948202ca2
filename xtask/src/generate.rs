//! progenitor: a 3.0.3 document in, its syn tree out. What it makes is an inner detail: `reshape` takes the
//! types and the signatures from it and leaves its client behind.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use progenitor::{GenerationSettings, Generator, InterfaceStyle};
use serde_json::Value;

use crate::downlevel::DECIMAL;

/// The parts of progenitor's output that the client is made from.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    /// Structs by name.
    pub(crate) structs: BTreeMap<String, syn::ItemStruct>,
    /// Client functions by name.
    pub(crate) functions: BTreeMap<String, syn::ImplItemFn>,
}

/// Runs progenitor on a lowered document.
pub(crate) fn generate(document: &Value, newtypes: &[String]) -> Result<Raw> {
    let document: openapiv3::OpenAPI = serde_json::from_value(document.clone())
        .context("the lowered document is not OpenAPI 3.0.3; a step of the pipeline let something through")?;
    let mut settings = GenerationSettings::default();
    settings.with_interface(InterfaceStyle::Positional);
    settings.with_map_type("BTreeMap");
    for newtype in newtypes.iter().map(String::as_str).chain([DECIMAL]) {
        settings.with_replacement(newtype, newtype, std::iter::empty());
    }
    let tokens =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(&document)))
            .map_err(|panic| {
                anyhow!("progenitor panicked: {}; rewrite the construct in openapi/overlay.yaml", panic_text(&*panic))
            })?
            .context("progenitor refuses the document; rewrite the construct in openapi/overlay.yaml")?;
    let file: syn::File = syn::parse2(tokens).context("progenitor's output does not parse")?;
    Ok(collect(file))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

fn collect(file: syn::File) -> Raw {
    let mut raw = Raw::default();
    for item in file.items {
        match item {
            syn::Item::Mod(module) if module.ident == "types" => {
                for item in module.content.into_iter().flat_map(|(_, items)| items) {
                    if let syn::Item::Struct(item) = item {
                        raw.structs.insert(item.ident.to_string(), item);
                    }
                }
            }
            syn::Item::Impl(item) if item.trait_.is_none() => {
                for item in item.items {
                    if let syn::ImplItem::Fn(function) = item
                        && function.sig.asyncness.is_some()
                    {
                        raw.functions.insert(function.sig.ident.to_string(), function);
                    }
                }
            }
            _ => {}
        }
    }
    raw
}
