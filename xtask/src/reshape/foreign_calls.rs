//! The test side of another document's client: every operation called with JSON. What it is called with is derived from
//! the document as published, by a harness that knows nothing of this generator.

use anyhow::Result;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::operations::{Spot, answer, has_builder, is_encoded, optional, required};
use super::structs::short_type;
use super::syntax::{self, items, rust_name};
use super::{Target, docs};
use crate::facts::{Facts, Field, Form, Kind, Operation, Payload, Resource, Shape};
use crate::generate::Raw;

/// `tests/round_trip/calls.rs`.
pub(crate) fn calls(raw: &Raw, facts: &Facts) -> Result<String> {
    let (mut functions, mut table) = (TokenStream::new(), TokenStream::new());
    let mut number = 0_usize;
    for resource in &facts.resources {
        for operation in &resource.operations {
            let name = format_ident!("call_{number}");
            number += 1;
            functions.extend(call(raw, facts, resource, operation, &name)?);
            let (method, path) = (&operation.http_method, &operation.path);
            table.extend(quote!((#method, #path, |client, input| Box::pin(#name(client, input))),));
        }
    }
    let items = items(quote! {
        use paid::encodings::*;
        use paid::runtime::*;
        use paid_generated::Resources as _;
        use paid_generated::types::*;
        use super::harness;
        /// Every operation by its method and path.
        pub(crate) const CALLS: harness::Table = &[#table];
        #functions
    })?;
    let mut attrs = docs::inner("Every operation as a function from JSON to JSON.")?;
    attrs.push(syn::parse_quote!(#![allow(unused_imports, unused_mut, unused_variables)]));
    let title = syn::File { shebang: None, frontmatter: None, attrs, items: Vec::new() };
    let calls = syn::File { shebang: None, frontmatter: None, attrs: Vec::new(), items };
    syntax::print(Target::StandAlone.header(), &[title, calls])
}

fn call(
    raw: &Raw,
    facts: &Facts,
    resource: &Resource,
    operation: &Operation,
    name: &syn::Ident,
) -> Result<TokenStream> {
    let (module, method) = (rust_name(&resource.module())?, rust_name(&operation.name)?);
    let mut arguments = Vec::new();
    for (spot, field) in required(operation) {
        let (place, wire) = (place(spot), &field.wire);
        arguments.push(value(raw, facts, field, quote!(input.needed(#place, #wire)?))?);
    }
    let body = match &operation.body {
        Some(payload) => {
            let (prepared, argument) = body(raw, payload)?;
            arguments.push(argument);
            prepared
        }
        None => quote!(),
    };
    let mut setters = TokenStream::new();
    for (spot, field) in optional(operation) {
        let (place, wire, setter) = (place(spot), &field.wire, rust_name(&field.ident)?);
        let value = value(raw, facts, field, quote!(value))?;
        setters.extend(quote!(if let Some(value) = input.given(#place, #wire) { call = call.#setter(#value); }));
    }
    let mutable = has_builder(operation).then(|| quote!(mut));
    let answer = answer(raw, operation)?;
    let shown = match operation.answer.as_ref().map(|payload| &payload.form) {
        Some(Form::Bytes(_)) => quote!(harness::bytes(answer?.as_ref())),
        _ => quote!(harness::json(&answer?)),
    };
    Ok(quote! {
        async fn #name(client: paid::Client, input: harness::Input) -> harness::Outcome {
            #body
            let #mutable call = client.#module().#method(#(#arguments),*);
            #setters
            let answer: std::result::Result<#answer, paid::Error> = call.await;
            #shown
        }
    })
}

fn place(spot: Spot) -> &'static str {
    match spot {
        Spot::Path => "path",
        Spot::Query => "query",
        Spot::Header => "header",
        Spot::Cookie => "cookie",
    }
}

fn body(raw: &Raw, payload: &Payload) -> Result<(TokenStream, TokenStream)> {
    Ok(match payload.form {
        Form::Text(_) => (quote!(let request = input.text();), quote!(request)),
        Form::Bytes(_) => (quote!(let request = input.text().into_bytes();), quote!(request)),
        _ => {
            let ty = short_type(raw, &payload.value.schema)?;
            (quote!(let request: #ty = input.body()?;), quote!(&request))
        }
    })
}

/// An argument, from the JSON that `given` is.
fn value(raw: &Raw, facts: &Facts, field: &Field, given: TokenStream) -> Result<TokenStream> {
    if is_encoded(facts, field) {
        let ty = short_type(raw, &field.schema)?;
        return Ok(quote!(&harness::read::<#ty>(#given)?));
    }
    Ok(match &field.kind {
        Kind::Component(name) => {
            let ty = rust_name(name)?;
            match facts.types.get(name).map(|known| &known.shape) {
                Some(Shape::Codes(_)) => quote!(#ty::from(harness::scalar(#given).parse::<i64>()?)),
                _ => quote!(#ty::from(harness::scalar(#given).as_str())),
            }
        }
        Kind::Text if field.format.as_deref() == Some("date-time") => {
            quote!(harness::scalar(#given).parse::<paid::Timestamp>()?)
        }
        Kind::Newtype(_) | Kind::Text => quote!(harness::scalar(#given)),
        _ => quote!(harness::scalar(#given).parse()?),
    })
}
