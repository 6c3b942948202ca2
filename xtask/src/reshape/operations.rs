//! A resource: a handle with one method an operation, and a builder where there is something optional to say.
//! The types come from the signatures of progenitor's functions, the wire facts from the document.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::VisitMut;

use super::structs::ShortPaths;
use super::syntax::{field_name, items, rust_name};
use super::{Chunk, Target, docs};
use crate::facts::{EXPERIMENTAL, Facts, Field, Kind, Operation, Resource, Shape};
use crate::generate::Raw;

/// What progenitor says about one operation.
struct Signature {
    parameters: BTreeMap<String, syn::Type>,
    answer: syn::Type,
}

/// The handle of a resource, its builders and its pages.
pub(crate) fn resource(raw: &Raw, facts: &Facts, resource: &Resource, target: Target) -> Result<Vec<Chunk>> {
    let handle = rust_name(&resource.type_name())?;
    let doc = resource.doc.clone().unwrap_or_else(|| format!("The operations on {}.", resource.feature));
    let doc = docs::attributes(&doc);
    let mut methods = TokenStream::new();
    let mut chunks = Vec::new();
    for operation in &resource.operations {
        let within = || format!("operation `{}`", operation.id);
        let signature = signature(raw, operation).with_context(within)?;
        methods.extend(method(facts, resource, operation, &signature, target).with_context(within)?);
        if has_builder(operation) {
            let items = builder(facts, operation, &signature, target).with_context(within)?;
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
    operation.query.iter().any(|field| !field.required)
}

fn signature(raw: &Raw, operation: &Operation) -> Result<Signature> {
    let name = operation.raw_name();
    let function = raw.functions.get(&name).with_context(|| format!("progenitor made no function `{name}`"))?;
    let mut parameters = BTreeMap::new();
    for argument in &function.sig.inputs {
        if let syn::FnArg::Typed(argument) = argument
            && let syn::Pat::Ident(pattern) = &*argument.pat
        {
            let mut ty = (*argument.ty).clone();
            ShortPaths.visit_type_mut(&mut ty);
            parameters.insert(pattern.ident.to_string(), ty);
        }
    }
    let mut answer = match &function.sig.output {
        syn::ReturnType::Type(_, ty) => innermost(ty, &["Result", "ResponseValue"]),
        syn::ReturnType::Default => bail!("progenitor's `{name}` returns nothing"),
    };
    ShortPaths.visit_type_mut(&mut answer);
    if operation.answer.is_none() {
        answer = syn::parse_quote!(Empty);
    }
    Ok(Signature { parameters, answer })
}

/// The first argument of each of these wrappers in turn.
fn innermost(ty: &syn::Type, wrappers: &[&str]) -> syn::Type {
    let Some((wrapper, rest)) = wrappers.split_first() else { return ty.clone() };
    if let syn::Type::Path(path) = ty
        && let Some(last) = path.path.segments.last()
        && last.ident == wrapper
        && let syn::PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(syn::GenericArgument::Type(inner)) = arguments.args.first()
    {
        return innermost(inner, rest);
    }
    ty.clone()
}

/// The argument for a parameter, and the text of it for the wire.
fn argument(facts: &Facts, field: &Field, signature: &Signature) -> Result<(TokenStream, TokenStream)> {
    let ident = field_name(&field.wire)?;
    Ok(match &field.kind {
        Kind::Newtype(name) => {
            let ty = rust_name(name)?;
            (quote!(impl Into<#ty>), quote!(#ident.into().as_str()))
        }
        Kind::Component(name) if matches!(facts.types.get(name).map(|known| &known.shape), Some(Shape::Enum(_))) => {
            let ty = rust_name(name)?;
            (quote!(#ty), quote!(#ident.as_str()))
        }
        Kind::Text if field.format.as_deref() == Some("date-time") => {
            (quote!(impl Into<Timestamp>), quote!(#ident.into().to_string()))
        }
        Kind::Decimal | Kind::DecimalText => (quote!(impl Into<Decimal>), quote!(#ident.into().to_string())),
        Kind::Text => (quote!(impl AsRef<str>), quote!(#ident.as_ref())),
        Kind::Integer | Kind::Number | Kind::Boolean => {
            let raw = signature.parameters.get(&ident.to_string());
            let raw = raw.with_context(|| format!("progenitor's function has no parameter `{ident}`"))?;
            let ty = innermost(raw, &["Option"]);
            (quote!(#ty), quote!(#ident.to_string()))
        }
        _ => bail!("parameter `{}` has a type that is not mapped", field.wire),
    })
}

fn method(
    facts: &Facts,
    resource: &Resource,
    operation: &Operation,
    signature: &Signature,
    target: Target,
) -> Result<TokenStream> {
    let name = rust_name(&operation.name)?;
    let doc = docs::attributes(&docs::of_operation(operation, target));
    let (id, path) = (&operation.id, &operation.path);
    let http_method = rust_name(&operation.http_method)?;
    let mut arguments = TokenStream::new();
    let mut steps = TokenStream::new();
    for field in &operation.path_parameters {
        let ident = field_name(&field.wire)?;
        let (ty, text) = argument(facts, field, signature)?;
        let wire = &field.wire;
        arguments.extend(quote!(#ident: #ty,));
        steps.extend(quote!(.path(#wire, #text)));
    }
    for field in operation.query.iter().filter(|field| field.required) {
        let ident = field_name(&field.wire)?;
        let (ty, text) = argument(facts, field, signature)?;
        let wire = &field.wire;
        arguments.extend(quote!(#ident: #ty,));
        steps.extend(quote!(.query(#wire, #text)));
    }
    if let Some(body) = &operation.body {
        let ty = rust_name(body)?;
        arguments.extend(quote!(request: &#ty,));
        steps.extend(quote!(.body(request)));
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
    let deprecated = operation.deprecated.then(|| quote!(#[deprecated = "deprecated by Paid"]));
    let answer = &signature.answer;
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

fn builder(facts: &Facts, operation: &Operation, signature: &Signature, target: Target) -> Result<Vec<syn::Item>> {
    let name = rust_name(&operation.builder())?;
    let answer = &signature.answer;
    let mut setters = TokenStream::new();
    for field in operation.query.iter().filter(|field| !field.required) {
        let ident = field_name(&field.wire)?;
        let (ty, text) = argument(facts, field, signature)?;
        let doc = docs::attributes(&docs::of_field(field));
        let wire = &field.wire;
        setters.extend(quote! {
            #doc
            pub fn #ident(mut self, #ident: #ty) -> Self {
                self.call = self.call.query(#wire, #text);
                self
            }
        });
    }
    let doc = docs::attributes(&format!(
        "`{} {}` with its optional parameters; `.await` or [`send`](Self::send) sends it.",
        operation.http_method, operation.path
    ));
    let root = target.root()?;
    let kind = rust_name(if page(facts, operation).is_some() { "__paged" } else { "__sendable" })?;
    items(quote! {
        #doc
        #[derive(Clone, Debug)]
        #[must_use = "a request does nothing until it is sent"]
        pub struct #name { call: Call<#answer> }
        impl #name { #setters }
        #root::#kind!(#name => #answer);
    })
}

/// The line that makes an answer a page, where some list answers with it.
pub(crate) fn page_of(facts: &Facts, answer: &str, target: Target) -> Result<Vec<syn::Item>> {
    let operations = facts.resources.iter().flat_map(|resource| &resource.operations);
    let mut pages = operations
        .filter(|operation| operation.answer.as_deref() == Some(answer))
        .filter_map(|operation| page(facts, operation));
    let Some((item, end)) = pages.next() else { return Ok(Vec::new()) };
    let (root, answer, item, end) = (target.root()?, rust_name(answer)?, rust_name(&item)?, rust_name(end)?);
    items(quote!(#root::__page!(#answer, #item, #end);))
}

/// For a list with `limit` and `offset`: its items, and how it says that there are more.
fn page(facts: &Facts, operation: &Operation) -> Option<(String, &'static str)> {
    let has = |name: &str| operation.query.iter().any(|field| field.wire == name);
    let answer = facts.types.get(operation.answer.as_ref()?)?;
    let Shape::Struct(fields) = &answer.shape else { return None };
    let data = fields.iter().find(|field| field.wire == "data" && field.kind == Kind::Array)?;
    let item = data.mentions.first()?.clone();
    let end = fields.iter().find_map(|field| match field.wire.as_str() {
        "pagination" if field.lenient => Some("optional_pagination"),
        "pagination" => Some("pagination"),
        "total" => Some("total"),
        _ => None,
    })?;
    (has("limit") && has("offset")).then_some((item, end))
}
