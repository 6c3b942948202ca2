//! progenitor: a 3.0.3 document in, the type of each of its schemas out. What it makes is an inner detail: `reshape` takes
//! the types from it and leaves its client behind.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use progenitor::{GenerationSettings, Generator, InterfaceStyle};
use serde_json::Value;

use crate::downlevel::{self, ALL, Lowered};

/// The types that progenitor makes of schemas.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    types: BTreeMap<String, syn::Type>,
}

impl Raw {
    /// The type of a schema, null or not.
    pub(crate) fn type_of(&self, schema: &Value) -> Result<&syn::Type> {
        let lowered = downlevel::expression(schema).to_string();
        self.types.get(&lowered).with_context(|| format!("progenitor made no type of {lowered}"))
    }
}

/// Runs progenitor on a lowered document.
pub(crate) fn generate(lowered: &Lowered) -> Result<Raw> {
    let document: openapiv3::OpenAPI = serde_json::from_value(lowered.document.clone())
        .context("the lowered document is not OpenAPI 3.0.3; a step of the pipeline let something through")?;
    let mut settings = GenerationSettings::default();
    settings.with_interface(InterfaceStyle::Positional);
    settings.with_map_type("BTreeMap");
    for (stand_in, name) in &lowered.opaque {
        settings.with_replacement(stand_in, name, std::iter::empty());
    }
    let tokens =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(&document)))
            .map_err(|panic| anyhow!("progenitor panicked: {}", panic_text(&*panic)))?
            .context("progenitor refuses the document")?;
    let file: syn::File = syn::parse2(tokens).context("progenitor's output does not parse")?;
    let mut fields = fields(file).context("progenitor made no struct of the types")?;
    let mut types = BTreeMap::new();
    for (at, expression) in lowered.expressions.iter().enumerate() {
        let ty = fields.remove(&downlevel::property(at));
        types.insert(expression.to_string(), ty.with_context(|| format!("progenitor made no type of {expression}"))?);
    }
    Ok(Raw { types })
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// The fields of the one struct.
fn fields(file: syn::File) -> Option<BTreeMap<String, syn::Type>> {
    let module = file.items.into_iter().find_map(|item| match item {
        syn::Item::Mod(module) if module.ident == "types" => module.content,
        _ => None,
    });
    let all = module?.1.into_iter().find_map(|item| match item {
        syn::Item::Struct(item) if item.ident == ALL => Some(item),
        _ => None,
    });
    Some(all?.fields.into_iter().filter_map(|field| Some((field.ident?.to_string(), field.ty))).collect())
}
