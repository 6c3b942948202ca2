//! A resource: a handle with one method an operation, and a builder where there is something optional to say.
//! The types come from progenitor, the wire facts from the document.

use anyhow::{Context, Result, bail};
use proc_macro2::TokenStream;
use quote::quote;

use super::structs::short_type;
use super::syntax::{field_name, items, rust_name};
use super::{Chunk, Target, docs, paging};
use crate::facts::{EXPERIMENTAL, Facts, Field, Form, Kind, Operation, Payload, Place, Resource, Shape};
use crate::generate::Raw;
use crate::words;

/// The handle of a resource, its builders and its pages.
pub(crate) fn resource(raw: &Raw, facts: &Facts, resource: &Resource, target: Target) -> Result<Vec<Chunk>> {
    let handle = rust_name(&resource.type_name())?;
    let doc = resource.doc.clone().unwrap_or_else(|| format!("The operations on {}.", resource.feature));
    let doc = docs::attributes(&doc);
    let mut methods = TokenStream::new();
    let mut chunks = Vec::new();
    for operation in &resource.operations {
        let within = || format!("operation `{}`", operation.id);
        let answer = answer(raw, operation).with_context(within)?;
        methods.extend(method(raw, facts, resource, operation, &answer, target).with_context(within)?);
        if has_builder(operation) {
            let items = builder(raw, facts, operation, &answer, target).with_context(within)?;
            chunks.push(Chunk { name: operation.builder(), items });
        }
    }
    let items = items(quote! {
        #doc
        #[derive(Clone, Debug)]
        pub struct #handle { pub(crate) client: Client }
        impl #handle { #methods }
    })?;
    chunks.insert(0, Chunk { name: resource.type_name(), items });
    Ok(chunks)
}

pub(crate) fn has_builder(operation: &Operation) -> bool {
    optional(operation).next().is_some()
}

/// A parameter and where it stands.
type Parameter<'a> = (Spot, &'a Field);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot {
    Path,
    Query,
    Header,
    Cookie,
}

impl Spot {
    /// The variant of the runtime's enum, and the method that takes text.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Path => ("Path", "path"),
            Self::Query => ("Query", "query"),
            Self::Header => ("Header", "header"),
            Self::Cookie => ("Cookie", "cookie"),
        }
    }
}

/// Query, headers and cookies.
fn beside_the_path(operation: &Operation) -> impl Iterator<Item = Parameter<'_>> {
    let query = operation.query.iter().map(|field| (Spot::Query, field));
    let headers = operation.headers.iter().map(|(place, field)| match place {
        Place::Header => (Spot::Header, field),
        Place::Cookie => (Spot::Cookie, field),
    });
    query.chain(headers)
}

/// What a builder sets.
pub(crate) fn optional(operation: &Operation) -> impl Iterator<Item = Parameter<'_>> {
    beside_the_path(operation).filter(|(_, field)| !field.required)
}

/// What a method asks for before the body, in this order.
pub(crate) fn required(operation: &Operation) -> impl Iterator<Item = Parameter<'_>> {
    let path = operation.path_parameters.iter().map(|field| (Spot::Path, field));
    path.chain(beside_the_path(operation).filter(|(_, field)| field.required))
}

/// Whether the parameter is passed as it is and written by the runtime.
pub(crate) fn is_encoded(facts: &Facts, field: &Field) -> bool {
    let is_text = match &field.kind {
        Kind::Component(name) => {
            matches!(facts.types.get(name).map(|known| &known.shape), Some(Shape::Enum(_) | Shape::Codes(_)))
        }
        Kind::Array | Kind::Map | Kind::Any => false,
        _ => true,
    };
    field.encoding.is_some() && !is_text
}

/// The type of an answer.
pub(crate) fn answer(raw: &Raw, operation: &Operation) -> Result<syn::Type> {
    let Some(payload) = &operation.answer else { return Ok(syn::parse_quote!(Empty)) };
    let ty = match &payload.form {
        Form::Text(_) => syn::parse_quote!(String),
        Form::Bytes(_) => syn::parse_quote!(Binary),
        _ => short_type(raw, &payload.value.schema)?,
    };
    Ok(if payload.optional { syn::parse_quote!(Option<#ty>) } else { ty })
}

/// The type of what is lent, without the `&`: a list is a slice, text is `str`.
pub(crate) fn lent(raw: &Raw, field: &Field) -> Result<syn::Type> {
    let ty = short_type(raw, &field.schema)?;
    if let syn::Type::Path(path) = &ty
        && let Some(last) = path.path.segments.last()
    {
        if last.ident == "String" {
            return Ok(syn::parse_quote!(str));
        }
        if let (true, syn::PathArguments::AngleBracketed(arguments)) = (last.ident == "Vec", &last.arguments) {
            let item = arguments.args.first();
            return Ok(syn::parse_quote!([#item]));
        }
    }
    Ok(ty)
}

/// The argument for a parameter, and the call that takes it.
fn argument(raw: &Raw, facts: &Facts, (spot, field): Parameter<'_>) -> Result<(TokenStream, TokenStream)> {
    let ident = rust_name(&field.ident)?;
    let wire = &field.wire;
    let (place, method) = spot.names();
    if let (true, Some(encoding)) = (is_encoded(facts, field), &field.encoding) {
        let (place, style) = (rust_name(place)?, rust_name(&words::camel(&encoding.style, "Style"))?);
        let (ty, explode) = (lent(raw, field)?, encoding.explode);
        return Ok((quote!(&#ty), quote!(.encoded(Spot::#place, #wire, Style::#style, #explode, #ident))));
    }
    let (ty, text) = match &field.kind {
        Kind::Newtype(name) => {
            let ty = rust_name(name)?;
            (quote!(impl Into<#ty>), quote!(#ident.into().as_str()))
        }
        Kind::Component(name) => {
            let ty = rust_name(name)?;
            match facts.types.get(name).map(|known| &known.shape) {
                Some(Shape::Enum(_)) => (quote!(#ty), quote!(#ident.as_str())),
                Some(Shape::Codes(_)) => (quote!(#ty), quote!(#ident.to_string())),
                _ => bail!("parameter `{wire}` has a type that is not mapped"),
            }
        }
        Kind::Text if field.format.as_deref() == Some("date-time") => {
            (quote!(impl Into<Timestamp>), quote!(#ident.into().to_string()))
        }
        Kind::Decimal | Kind::DecimalText => (quote!(impl Into<Decimal>), quote!(#ident.into().to_string())),
        Kind::Text => (quote!(impl AsRef<str>), quote!(#ident.as_ref())),
        Kind::Integer | Kind::Unsigned | Kind::Number | Kind::Boolean => {
            let ty = short_type(raw, &field.schema)?;
            (quote!(#ty), quote!(#ident.to_string()))
        }
        _ => bail!("parameter `{wire}` has a type that is not mapped"),
    };
    let method = rust_name(method)?;
    Ok((ty, quote!(.#method(#wire, #text))))
}

/// The argument for a body, and the call that takes it.
fn body(raw: &Raw, payload: &Payload) -> Result<(TokenStream, TokenStream)> {
    let lent = lent(raw, &payload.value)?;
    Ok(match &payload.form {
        Form::Json => (quote!(request: &#lent,), quote!(.body(request))),
        Form::JsonAs(media) => (quote!(request: &#lent,), quote!(.body(request).media(#media))),
        Form::Pairs => (quote!(request: &#lent,), quote!(.pairs(request))),
        Form::Parts => (quote!(request: &#lent,), quote!(.parts(request))),
        Form::Text(media) => (quote!(request: impl Into<String>,), quote!(.text(#media, request.into()))),
        Form::Bytes(media) => (quote!(request: impl Into<Binary>,), quote!(.bytes(#media, request.into()))),
    })
}

fn method(
    raw: &Raw,
    facts: &Facts,
    resource: &Resource,
    operation: &Operation,
    answer: &syn::Type,
    target: Target,
) -> Result<TokenStream> {
    let name = rust_name(&operation.name)?;
    let is_paged = has_builder(operation) && paging::of(facts, operation).is_some();
    let doc = docs::attributes(&docs::of_operation(resource, operation, is_paged, target));
    let (id, path) = (&operation.id, &operation.path);
    let http_method = rust_name(&operation.http_method)?;
    let mut arguments = TokenStream::new();
    let mut steps = TokenStream::new();
    for parameter in required(operation) {
        let ident = rust_name(&parameter.1.ident)?;
        let (ty, step) = argument(raw, facts, parameter)?;
        arguments.extend(quote!(#ident: #ty,));
        steps.extend(step);
    }
    if let Some(payload) = &operation.body {
        let (argument, step) = body(raw, payload)?;
        arguments.extend(argument);
        steps.extend(step);
    } else if operation.empty_body {
        steps.extend(quote!(.empty_body()));
    }
    if let Some(rule) = &operation.keyed_by {
        let (list, key) = rule
            .split_once("[*].")
            .with_context(|| format!("`x-rust-keyed-by: {rule}` of `{id}` is not of the form list[*].key"))?;
        let (list, key) = (field_name(list)?, field_name(key)?);
        steps.extend(quote!(.repeatable_if(request.#list.iter().all(|item| item.#key.is_some()))));
    } else if operation.repeatable {
        steps.extend(quote!(.repeatable_if(true)));
    }
    if let Some(payload) = &operation.answer {
        match &payload.form {
            Form::JsonAs(media) => steps.extend(quote!(.header("accept", #media))),
            Form::Text(media) => steps.extend(quote!(.reads_text(#media))),
            Form::Bytes(media) => steps.extend(quote!(.reads_bytes(#media))),
            _ => {}
        }
        if payload.optional {
            steps.extend(quote!(.may_be_empty()));
        }
    }
    if operation.foreign {
        steps.extend(quote!(.plain()));
    }
    let deprecated = target.deprecated(operation.deprecated);
    let call = quote!(Call::new(&self.client, #id, Method::#http_method, #path) #steps);
    let gate =
        (operation.is_experimental() && !resource.is_experimental()).then(|| quote!(#[cfg(feature = #EXPERIMENTAL)]));
    Ok(if has_builder(operation) {
        let builder = rust_name(&operation.builder())?;
        quote!(#gate #doc #deprecated pub fn #name(&self, #arguments) -> #builder { #builder { call: #call } })
    } else {
        quote!(#gate #doc #deprecated pub fn #name(&self, #arguments) -> Call<#answer> { #call })
    })
}

fn builder(
    raw: &Raw,
    facts: &Facts,
    operation: &Operation,
    answer: &syn::Type,
    target: Target,
) -> Result<Vec<syn::Item>> {
    let name = rust_name(&operation.builder())?;
    let mut setters = TokenStream::new();
    for parameter in optional(operation) {
        let ident = rust_name(&parameter.1.ident)?;
        let (ty, step) = argument(raw, facts, parameter)?;
        let doc = docs::attributes(&docs::of_field(parameter.1));
        setters.extend(quote! {
            #doc
            pub fn #ident(mut self, #ident: #ty) -> Self {
                self.call = self.call #step;
                self
            }
        });
    }
    let doc = docs::attributes(&docs::of_builder(operation));
    let root = target.root()?;
    let (kind, by) = match paging::of(facts, operation) {
        None => ("__sendable", None),
        Some(paging) => ("__paged", paging.parameter),
    };
    let (kind, by) = (rust_name(kind)?, by.map(|parameter| quote!(, by #parameter)));
    items(quote! {
        #doc
        #[derive(Clone, Debug)]
        #[must_use = "a request does nothing until it is sent"]
        pub struct #name { call: Call<#answer> }
        impl #name { #setters }
        #root::#kind!(#name => #answer #by);
    })
}
