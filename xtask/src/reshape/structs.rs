//! Structs: progenitor's fields, with the optionality, the tolerance and the constructors that the facts ask for.

use anyhow::{Context, Result, bail};
use heck::ToLowerCamelCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::visit::Visit;
use syn::visit_mut::VisitMut;

use super::enums::{reading_attribute, serde_derives, writing_attribute, writing_derive};
use super::syntax::{items, rust_name};
use super::{Target, docs};
use crate::downlevel::DECIMAL;
use crate::facts::{Facts, Field, Kind, Presence, Shape, Type};
use crate::generate::Raw;

/// A field on its way from progenitor's struct to ours.
struct Member<'a> {
    ident: syn::Ident,
    facts: &'a Field,
    /// The type without `Option`.
    inner: syn::Type,
    presence: Presence,
    boxed: bool,
}

/// One struct with its impls.
pub(crate) fn structure(
    raw: &Raw,
    facts: &Facts,
    name: &str,
    known: &Type,
    fields: &[Field],
    target: Target,
) -> Result<Vec<syn::Item>> {
    let members = fields.iter().map(|field| member(raw, facts, name, known, field));
    let members = members.collect::<Result<Vec<_>>>()?;
    if known.keeps_other_fields() && members.iter().any(|member| member.ident == "other_fields") {
        bail!("`{name}` has a property that is called like its `other_fields`");
    }
    let definition = definition(name, known, &members, target)?;
    let constructors = if known.sent { constructors(facts, name, known, &members)? } else { quote!() };
    let reading =
        if is_read_field_by_field(known, &members) { reading(name, known, &members, target)? } else { quote!() };
    items(quote!(#definition #constructors #reading))
}

/// How an answer is read: by the runtime, which compiles faster than a derive for each. What is read only behind a feature,
/// or flattened, is derived.
fn is_read_field_by_field(known: &Type, members: &[Member<'_>]) -> bool {
    let derived = |member: &Member<'_>| member.facts.flatten || member.facts.additional;
    known.received && members.len() <= MOST_FIELDS && !members.iter().any(derived)
}

/// The call of the runtime's macro, with the fields that must be there first.
fn reading(name: &str, known: &Type, members: &[Member<'_>], target: Target) -> Result<TokenStream> {
    let (root, ident) = (target.root()?, rust_name(name)?);
    let (must, may): (Vec<_>, Vec<_>) = members.iter().partition(|member| member.presence == Presence::Always);
    let unknown = if known.keeps_other_fields() { quote!(keep other_fields) } else { quote!(skip) };
    let line = |(at, member): (usize, &&Member<'_>)| {
        let (at, ident, key) = (proc_macro2::Literal::usize_unsuffixed(at), &member.ident, &member.facts.wire);
        let how = format_ident!("{}", how_it_is_read(member, target));
        quote!(#at #ident #key #how;)
    };
    let first = must.iter().enumerate().map(line);
    let then = may.iter().enumerate().map(|(at, member)| line((must.len() + at, member)));
    Ok(quote!(#root::__object!(#ident, #unknown, [#(#first)*], [#(#then)*]);))
}

/// The runtime keeps a bit for each field.
const MOST_FIELDS: usize = 128;

/// The name of the runtime's function.
fn how_it_is_read(member: &Member<'_>, target: Target) -> &'static str {
    let is_integer = member.facts.kind == Kind::Integer;
    match member.presence {
        // Null is a value of any JSON.
        Presence::OrMissing if member.facts.kind == Kind::Any && target == Target::StandAlone => "any",
        Presence::Always if member.facts.kind.is_decimal() => "decimal",
        _ if member.facts.kind.is_decimal() => "optional_decimal",
        Presence::Always if is_integer => "integer",
        Presence::OrNull | Presence::OrMissing if is_integer => "optional_integer",
        Presence::Always => "required",
        _ => "optional",
    }
}

fn member<'a>(raw: &Raw, all: &Facts, name: &str, known: &Type, facts: &'a Field) -> Result<Member<'a>> {
    let wire = &facts.wire;
    let ident = rust_name(&facts.ident).with_context(|| format!("`{name}.{wire}`"))?;
    let mut inner = short_type(raw, &facts.schema).with_context(|| format!("`{name}.{wire}`"))?;
    if !facts.kind.is_decimal() && mentions_decimal(&inner) {
        bail!("`{name}.{wire}`: lists and maps of decimals are not mapped");
    }
    let presence = facts.presence(known.sent);
    if known.received && presence != Presence::Patch && is_list_of_objects(all, facts) {
        ListsOfItems.visit_type_mut(&mut inner);
    }
    if boxed(all, name, facts) {
        inner = syn::parse_quote!(Box<#inner>);
    }
    Ok(Member { ident, facts, inner, presence, boxed: boxed(all, name, facts) })
}

/// Whether a value of the type may be inside itself, by way of this field.
pub(crate) fn boxed(all: &Facts, name: &str, field: &Field) -> bool {
    matches!(&field.kind, Kind::Component(other) if all.cycles.joins(name, other))
}

/// progenitor's type of a schema, in our names.
pub(crate) fn short_type(raw: &Raw, schema: &serde_json::Value) -> Result<syn::Type> {
    let mut ty = without_option(raw.type_of(schema)?);
    ShortPaths.visit_type_mut(&mut ty);
    Ok(ty)
}

/// Whether one of its items may be unreadable while the others are not.
fn is_list_of_objects(all: &Facts, field: &Field) -> bool {
    let item = field.mentions.first().and_then(|name| all.types.get(name));
    let is_object =
        item.is_some_and(|known| !matches!(known.shape, Shape::Enum(_) | Shape::Scalars(_) | Shape::Codes(_)));
    field.kind == Kind::Array && is_object
}

/// `Vec` is `List`, which keeps an item that cannot be read apart.
struct ListsOfItems;

impl VisitMut for ListsOfItems {
    fn visit_path_segment_mut(&mut self, segment: &mut syn::PathSegment) {
        if segment.ident == "Vec" {
            segment.ident = format_ident!("List");
        }
        syn::visit_mut::visit_path_segment_mut(self, segment);
    }
}

fn mentions_decimal(ty: &syn::Type) -> bool {
    struct Finds(bool);
    impl<'ast> Visit<'ast> for Finds {
        fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
            self.0 |= segment.ident == DECIMAL;
            syn::visit::visit_path_segment(self, segment);
        }
    }
    let mut finds = Finds(false);
    finds.visit_type(ty);
    finds.0
}

fn without_option(ty: &syn::Type) -> syn::Type {
    if let syn::Type::Path(path) = ty
        && let Some(last) = path.path.segments.last()
        && last.ident == "Option"
        && let syn::PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(syn::GenericArgument::Type(inner)) = arguments.args.first()
    {
        return inner.clone();
    }
    ty.clone()
}

/// `::std::string::String` is `String`; progenitor's types for objects and times are ours.
pub(crate) struct ShortPaths;

impl VisitMut for ShortPaths {
    fn visit_type_path_mut(&mut self, path: &mut syn::TypePath) {
        syn::visit_mut::visit_type_path_mut(self, path);
        if let Some(mut last) = path.path.segments.last().cloned() {
            let ours = match last.ident.to_string().as_str() {
                "Map" => Some("JsonObject"),
                "DateTime" => Some("Timestamp"),
                _ => None,
            };
            if let Some(ours) = ours {
                last.ident = format_ident!("{ours}");
                last.arguments = syn::PathArguments::None;
            }
            path.path = syn::Path::from(last);
        }
    }
}

fn definition(name: &str, known: &Type, members: &[Member<'_>], target: Target) -> Result<TokenStream> {
    let doc = docs::attributes(&docs::of_type(name, known));
    let by_hand = is_read_field_by_field(known, members);
    let derives = if by_hand { writing_derive(known) } else { serde_derives(known) };
    let attribute = |serde: TokenStream| {
        if by_hand { writing_attribute(known, &serde) } else { quote!(#[serde(#serde)]) }
    };
    let default = (known.sent && members.iter().all(|member| !is_argument(member))).then(|| quote!(#[derive(Default)]));
    let camel = members.iter().any(|member| camel_differs(member));
    let rename_all = camel.then(|| attribute(quote!(rename_all = "camelCase")));
    let ident = rust_name(name)?;
    let fields = members.iter().map(|member| field_definition(known, member, camel, by_hand, target));
    let other_fields = known.keeps_other_fields().then(|| {
        let flatten = attribute(quote!(flatten));
        quote! {
            /// Fields that this version does not know, kept unchanged.
            #flatten
            pub other_fields: JsonObject,
        }
    });
    Ok(quote! {
        #doc
        #derives
        #default
        #[non_exhaustive]
        #rename_all
        pub struct #ident { #(#fields)* #other_fields }
    })
}

fn camel_differs(member: &Member<'_>) -> bool {
    let ident = member.ident.to_string();
    ident != member.facts.wire && serde_camel(&ident) == member.facts.wire
}

/// serde's own camel case, which `rename_all` applies.
fn serde_camel(ident: &str) -> String {
    let camel = ident.to_lower_camel_case();
    let by_serde: String = ident
        .split('_')
        .enumerate()
        .map(|(index, word)| {
            let mut letters = word.chars();
            match letters.next() {
                Some(first) if index > 0 => first.to_ascii_uppercase().to_string() + letters.as_str(),
                Some(first) => first.to_string() + letters.as_str(),
                None => String::new(),
            }
        })
        .collect();
    if camel == by_serde { camel } else { by_serde }
}

fn field_definition(known: &Type, member: &Member<'_>, camel: bool, by_hand: bool, target: Target) -> TokenStream {
    let doc = docs::attributes(&docs::of_field(member.facts));
    let mut serde = Vec::new();
    let mut reading = None;
    let ident = &member.ident;
    let automatic = if camel { serde_camel(&ident.to_string()) } else { ident.to_string() };
    let wire = &member.facts.wire;
    if member.facts.additional {
        serde.push(quote!(flatten));
    } else if member.facts.flatten {
        let reads = if member.presence == Presence::Always { "flat_choice" } else { "optional_flat_choice" };
        serde.push(quote!(flatten));
        reading = Some(reading_attribute(known, &quote!(deserialize_with = #reads)));
    } else if automatic != *wire {
        serde.push(quote!(rename = #wire));
    }
    let integer = member.facts.kind == Kind::Integer && known.received;
    let decimal = member.facts.kind.is_decimal();
    let exact = if member.facts.kind == Kind::DecimalText { "decimal_text" } else { "decimal" };
    match member.presence {
        _ if by_hand && decimal => serde.push(quote!(with = #exact)),
        _ if by_hand => {}
        Presence::Always if decimal => serde.push(quote!(with = #exact)),
        _ if decimal => serde.push(quote!(default, with = #exact)),
        Presence::Always if integer => serde.push(quote!(deserialize_with = "integer")),
        Presence::OrNull | Presence::OrMissing if integer => {
            serde.push(quote!(default, deserialize_with = "optional_integer"));
        }
        _ => {}
    }
    match member.presence {
        Presence::Patch if decimal => serde.push(quote!(skip_serializing_if = "Patch::is_leave")),
        Presence::Patch if by_hand => serde.push(quote!(skip_serializing_if = "Patch::is_leave")),
        Presence::Patch => serde.push(quote!(default, skip_serializing_if = "Patch::is_leave")),
        Presence::OrMissing => serde.push(quote!(skip_serializing_if = "Option::is_none")),
        Presence::Always | Presence::OrNull => {}
    }
    let attribute = (!serde.is_empty()).then(|| {
        let all = quote!(#(#serde),*);
        if by_hand { writing_attribute(known, &all) } else { quote!(#[serde(#all)]) }
    });
    let deprecated = target.deprecated(member.facts.deprecated);
    let ty = full_type(member);
    quote!(#doc #attribute #reading #deprecated pub #ident: #ty,)
}

fn full_type(member: &Member<'_>) -> TokenStream {
    let inner = &member.inner;
    match member.presence {
        Presence::Always => quote!(#inner),
        Presence::OrNull | Presence::OrMissing => quote!(Option<#inner>),
        Presence::Patch => quote!(Patch<#inner>),
    }
}

fn constructors(facts: &Facts, name: &str, known: &Type, members: &[Member<'_>]) -> Result<TokenStream> {
    let ident = rust_name(name)?;
    let mut required: Vec<_> = members.iter().filter(|member| is_argument(member)).collect();
    required.sort_by_key(|member| {
        known.constructor.iter().position(|wire| *wire == member.facts.wire).unwrap_or(usize::MAX)
    });
    let arguments = required.iter().map(|member| {
        let ident = &member.ident;
        let ty = argument_type(facts, member, member.presence == Presence::OrNull);
        quote!(#ident: #ty)
    });
    let values = members.iter().map(|member| {
        let ident = &member.ident;
        match member.presence {
            _ if member.facts.additional => quote!(#ident: Default::default()),
            Presence::Always | Presence::OrNull => {
                let value = converted(facts, member);
                if *ident == value.to_string() { quote!(#ident) } else { quote!(#ident: #value) }
            }
            Presence::Patch => quote!(#ident: Patch::Leave),
            Presence::OrMissing if member.facts.required => {
                let value = converted(facts, member);
                quote!(#ident: Some(#value))
            }
            Presence::OrMissing => quote!(#ident: None),
        }
    });
    let new_doc = docs::attributes(&docs::of_constructor(
        name,
        &required.iter().map(|member| member.ident.to_string()).collect::<Vec<_>>(),
        required.len() < members.len(),
    ));
    let settable = |member: &&Member<'_>| !is_argument(member) && !member.facts.read_only;
    let setters = members.iter().filter(settable).map(|member| setter(facts, member));
    let deprecated = members.iter().any(|member| member.facts.deprecated).then(|| quote!(#[allow(deprecated)]));
    Ok(quote! {
        #deprecated
        impl #ident {
            #new_doc
            pub fn new(#(#arguments),*) -> Self {
                Self { #(#values),* }
            }
            #(#setters)*
        }
    })
}

/// Whether a request needs it.
fn is_argument(member: &Member<'_>) -> bool {
    member.facts.required && !member.facts.additional
}

fn setter(facts: &Facts, member: &Member<'_>) -> TokenStream {
    let ident = &member.ident;
    let ty = argument_type(facts, member, false);
    let doc = docs::attributes(&docs::of_setter(&ident.to_string(), member.facts, member.presence == Presence::Patch));
    let value = match member.presence {
        Presence::Patch => quote!(#ident.into()),
        _ if member.facts.additional => quote!(#ident),
        _ => {
            let value = converted(facts, member);
            quote!(Some(#value))
        }
    };
    quote! {
        #doc
        #[must_use]
        pub fn #ident(mut self, #ident: #ty) -> Self {
            self.#ident = #value;
            self
        }
    }
}

/// Whether a caller may pass anything that converts into the type.
fn converts(facts: &Facts, member: &Member<'_>) -> bool {
    if member.boxed {
        return true;
    }
    match &member.facts.kind {
        Kind::Newtype(name) => facts.newtypes.get(name).is_none_or(|newtype| !newtype.opaque),
        Kind::Text | Kind::Array | Kind::Decimal | Kind::DecimalText => true,
        Kind::Component(name) => facts.types.get(name).is_some_and(|known| {
            matches!(known.shape, Shape::Union { .. } | Shape::Choice(_) | Shape::Scalars(_) | Shape::OneOf(_))
        }),
        _ => false,
    }
}

fn argument_type(facts: &Facts, member: &Member<'_>, nullable: bool) -> TokenStream {
    let inner = &member.inner;
    match member.presence {
        Presence::Patch => quote!(impl Into<Patch<#inner>>),
        _ if nullable => quote!(impl Into<Option<#inner>>),
        _ if converts(facts, member) => quote!(impl Into<#inner>),
        _ => quote!(#inner),
    }
}

fn converted(facts: &Facts, member: &Member<'_>) -> TokenStream {
    let ident = &member.ident;
    if member.presence == Presence::OrNull || converts(facts, member) { quote!(#ident.into()) } else { quote!(#ident) }
}
