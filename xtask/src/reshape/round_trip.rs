//! The test side of the client: every operation called with JSON, so that a test can derive both sides from
//! the document.

use std::collections::BTreeSet;

use anyhow::Result;
use proc_macro2::TokenStream;
use quote::quote;

use super::operations::has_builder;
use super::syntax::{self, field_name, items, rust_name};
use super::{Target, docs};
use crate::facts::{Facts, Field, Kind, Operation, Payload, Resource};

/// `tests/round_trip/calls.rs`.
pub(crate) fn calls(facts: &Facts) -> Result<String> {
    let mut functions = TokenStream::new();
    let mut table = TokenStream::new();
    for resource in &facts.resources {
        for operation in &resource.operations {
            let id = &operation.id;
            let name = rust_name(&operation.raw_name())?;
            functions.extend(call(resource, operation)?);
            table.extend(quote!((#id, |client, input| Box::pin(#name(client, input))),));
        }
    }
    let operations = facts.resources.iter().flat_map(|resource| &resource.operations);
    let answers: BTreeSet<_> = operations.filter_map(|operation| operation.answer.as_ref()?.component()).collect();
    let answers = answers.into_iter().map(|name| {
        let ty = rust_name(name)?;
        Ok(quote!((#name, decodes::<#ty>)))
    });
    let answers = answers.collect::<Result<Vec<_>>>()?;
    let items = items(quote! {
        use paid::types::*;
        use super::{Decoders, Input, Outcome, Table, answer, decodes};
        /// Every operation by its id.
        pub(crate) const CALLS: Table = &[#table];
        /// Every answer by its component.
        pub(crate) const ANSWERS: Decoders = &[#(#answers),*];
        #functions
    })?;
    let title = docs::inner("Every operation as a function from JSON to JSON.")?;
    let title = syn::File { shebang: None, frontmatter: None, attrs: title, items: Vec::new() };
    let calls = syn::File { shebang: None, frontmatter: None, attrs: Vec::new(), items };
    syntax::print(Target::Library.header(), &[title, calls])
}

fn call(resource: &Resource, operation: &Operation) -> Result<TokenStream> {
    let name = rust_name(&operation.raw_name())?;
    let module = rust_name(&resource.module())?;
    let method = rust_name(&operation.name)?;
    let mut arguments = Vec::new();
    for field in &operation.path_parameters {
        let wire = &field.wire;
        arguments.push(value(field, quote!(input.path(#wire)))?);
    }
    for field in operation.query.iter().filter(|field| field.required) {
        let wire = &field.wire;
        arguments.push(value(field, quote!(input.required_query(#wire)))?);
    }
    let mut body = None;
    if let Some(request) = operation.body.as_ref().and_then(Payload::component) {
        let ty = rust_name(request)?;
        arguments.push(quote!(&request));
        body = Some(quote!(let request: #ty = input.body()?;));
    }
    let mut optional = TokenStream::new();
    for field in operation.query.iter().filter(|field| !field.required) {
        let (wire, setter) = (&field.wire, field_name(&field.wire)?);
        let value = value(field, quote!(value))?;
        optional.extend(quote!(if let Some(value) = input.query(#wire) { call = call.#setter(#value); }));
    }
    let mutable = has_builder(operation).then(|| quote!(mut));
    Ok(quote! {
        async fn #name(client: paid::Client, input: Input) -> Outcome {
            #body
            let #mutable call = client.#module().#method(#(#arguments),*);
            #optional
            answer(&input, call.await)
        }
    })
}

fn value(field: &Field, text: TokenStream) -> Result<TokenStream> {
    Ok(match &field.kind {
        Kind::Component(name) => {
            let ty = rust_name(name)?;
            quote!(#ty::from(#text))
        }
        Kind::Text if field.format.as_deref() == Some("date-time") => quote!(#text.parse::<paid::Timestamp>()?),
        Kind::Newtype(_) | Kind::Text => text,
        _ => quote!(#text.parse()?),
    })
}
