//! The test side of the client: every operation called with JSON, so that a test can derive both sides from
//! the document.

use anyhow::Result;
use heck::ToSnakeCase;
use quote::{format_ident, quote};

use super::operations::has_builder;
use super::{Target, print};
use crate::facts::{Facts, Field, Kind, Operation, Resource};

/// `tests/round_trip/calls.rs`.
pub(crate) fn calls(facts: &Facts) -> Result<String> {
    let mut functions = proc_macro2::TokenStream::new();
    let mut table = proc_macro2::TokenStream::new();
    for resource in &facts.resources {
        for operation in &resource.operations {
            let id = &operation.id;
            let name = format_ident!("{}", operation.raw_name());
            functions.extend(call(resource, operation));
            table.extend(quote!((#id, |client, input| Box::pin(#name(client, input))),));
        }
    }
    let text = print(quote! {
        use paid::types::*;
        use super::{Input, Outcome, Table, answer};
        /// Every operation by its id.
        pub(crate) const CALLS: Table = &[#table];
        #functions
    })?;
    Ok(format!("{}//! Every operation as a function from JSON to JSON.\n\n{text}", Target::Library.header()))
}

fn call(resource: &Resource, operation: &Operation) -> proc_macro2::TokenStream {
    let name = format_ident!("{}", operation.raw_name());
    let module = format_ident!("{}", resource.module());
    let method = format_ident!("{}", operation.name);
    let mut arguments = Vec::new();
    for field in &operation.path_parameters {
        let wire = &field.wire;
        arguments.push(value(field, quote!(input.path(#wire))));
    }
    for field in operation.query.iter().filter(|field| field.required) {
        let wire = &field.wire;
        arguments.push(value(field, quote!(input.required_query(#wire))));
    }
    let body = operation.body.as_ref().map(|body| {
        let ty = format_ident!("{body}");
        arguments.push(quote!(&request));
        quote!(let request: #ty = input.body()?;)
    });
    let optional = operation.query.iter().filter(|field| !field.required).map(|field| {
        let wire = &field.wire;
        let setter = format_ident!("{}", wire.to_snake_case());
        let value = value(field, quote!(value));
        quote!(if let Some(value) = input.query(#wire) { call = call.#setter(#value); })
    });
    let mutable = has_builder(operation).then(|| quote!(mut));
    quote! {
        async fn #name(client: paid::Client, input: Input) -> Outcome {
            #body
            let #mutable call = client.#module().#method(#(#arguments),*);
            #(#optional)*
            answer(&input, call.await)
        }
    }
}

fn value(field: &Field, text: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    match &field.kind {
        Kind::Component(name) => {
            let ty = format_ident!("{name}");
            quote!(#ty::from(#text))
        }
        Kind::Text if field.format.as_deref() == Some("date-time") => quote!(#text.parse::<paid::Timestamp>()?),
        Kind::Newtype(_) | Kind::Text => text,
        _ => quote!(#text.parse()?),
    }
}
