//! What to emit: an implementation of `PaidSignal` that writes field by field.

use paid_catalog::Protection;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::check::{is_option, map_key, product, span_of};
use super::input::{Container, Field, Shape, Use};
use super::words;
use crate::catalog::Loaded;
use crate::place::{local, moved};
use crate::roles::{Macro, Method, Role};
use crate::rules::{self, Event};
use crate::ways;

/// An implementation without names and data, for types with mistakes.
pub(crate) fn stub(container: &Container<'_>) -> TokenStream {
    let Container { ident, generics, krate, .. } = container;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #krate::PaidSignal for #ident #ty_generics #where_clause {
            const NAMES: &'static [&'static ::core::primitive::str] = &[];
            fn write_data(&self, _: &mut #krate::signal::Data) {}
        }
    }
}

pub(crate) fn implementation(container: &Container<'_>, events: &[Option<Event<'_>>], loaded: &Loaded) -> TokenStream {
    let Container { ident, generics, krate, .. } = container;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let events: Vec<&Event<'_>> = events.iter().flatten().collect();
    let names: Vec<_> = events.iter().map(|event| &event.name).collect();
    let methods = Method::all().into_iter().map(|method| role_method(container, method));
    let (names_customer, write) = (names_customer(container), write(container, &events));
    let name = (container.shapes.len() > 1).then(|| {
        let arms = container.shapes.iter().zip(&names).map(|(shape, name)| {
            let path = path(shape);
            quote!(#path { .. } => #name,)
        });
        quote! {
            fn name(&self) -> ::std::borrow::Cow<'static, ::core::primitive::str> {
                ::std::borrow::Cow::Borrowed(match self { #(#arms)* })
            }
        }
    });
    let tracked = loaded.tracked();
    let checks = flatten_checks(container, &events);
    let words = words::checks(container, &events);
    let hover = events.iter().map(|event| event.hover());
    let warnings: Vec<_> = warnings(container, &events, loaded);
    let warnings = (!warnings.is_empty()).then(|| quote!(const _: () = { #(#warnings)* };));
    let items = quote!(#tracked #checks #words #(#hover)* #warnings);
    let items = (!items.is_empty()).then(|| quote!(const _: () = { #items };));
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #krate::PaidSignal for #ident #ty_generics #where_clause {
            const NAMES: &'static [&'static ::core::primitive::str] = &[#(#names),*];
            #name
            #(#methods)*
            #names_customer
            #write
        }
        #items
    }
}

/// Statements that warn at the events' names.
fn warnings(container: &Container<'_>, events: &[&Event<'_>], loaded: &Loaded) -> Vec<TokenStream> {
    let absence = events.first().and_then(|event| rules::absence_warning(loaded, event.name.span()));
    let shapes = container.shapes.iter().zip(events);
    let own = shapes.flat_map(|(shape, event)| {
        let key = event.key_warning(&shape.given_roles(), Macro::Derive);
        key.into_iter().chain(event.billed_warning(product(container, shape, event).as_deref()))
    });
    absence.into_iter().chain(events.iter().flat_map(|event| event.retired_warnings())).chain(own).collect()
}

/// The parameter into which the fields are written.
fn data() -> Ident {
    local("data", Span::call_site())
}

/// Statements that bind references to fields of a struct. A packed one may stand where no reference may point, so its fields
/// are copied.
fn bound(container: &Container<'_>, bindings: &[(&Ident, Ident)]) -> TokenStream {
    if bindings.is_empty() {
        return TokenStream::new();
    }
    if container.packed {
        return bindings.iter().map(|(field, binding)| quote!(let #binding = &{ self.#field };)).collect();
    }
    let fields = bindings.iter().map(|(field, binding)| quote!(#field: #binding,));
    quote!(let Self { #(#fields)* .. } = self;)
}

fn path(shape: &Shape<'_>) -> TokenStream {
    match shape.variant {
        Some(variant) => quote!(Self::#variant),
        None => quote!(Self),
    }
}

/// One arm a shape; `None` if it has no field for the method.
type Arms = Vec<Option<TokenStream>>;

/// The method that returns what one of its roles says; empty if no shape has a field of them.
fn role_method(container: &Container<'_>, method: Method) -> TokenStream {
    let mut arms: Arms = container.shapes.iter().map(|shape| role_arm(container, shape, method)).collect();
    if Role::Product.method() == Some(method) {
        arms = with_constant_products(container, arms);
    }
    if arms.iter().all(Option::is_none) {
        return TokenStream::new();
    }
    let (name, returns) = (format_ident!("{}", method.name), method.return_type(&container.krate));
    let arms = arms.into_iter().zip(&container.shapes).map(|(arm, shape)| {
        arm.unwrap_or_else(|| {
            let path = path(shape);
            quote!(#path { .. } => ::core::option::Option::None,)
        })
    });
    if container.is_struct() {
        return quote!(fn #name(&self) -> #returns { #(#arms)* });
    }
    quote!(fn #name(&self) -> #returns { match self { #(#arms)* } })
}

/// What a shape's field of one of the method's roles says.
fn role_arm(container: &Container<'_>, shape: &Shape<'_>, method: Method) -> Option<TokenStream> {
    let (field, role) = shape.fields.iter().find_map(|field| match field.purpose {
        Use::Role(role) if role.method() == Some(method) => Some((field, role)),
        _ => None,
    })?;
    let (path, ident) = (path(shape), field.ident);
    let (name, value) = (local("value", field.ty.span()), role_value(&container.krate, role, field.ty));
    if container.is_struct() {
        let bound = bound(container, &[(field.ident, name)]);
        return Some(quote!(#bound #value));
    }
    Some(quote!(#path { #ident: #name, .. } => #value,))
}

/// What `PaidSignal` returns for the variable, which is a reference to a field of this type.
fn role_value(path: &syn::Path, role: Role, ty: &syn::Type) -> TokenStream {
    let span = span_of(ty);
    let (krate, function, value) = (moved(path, span), Ident::new(role.key(), span), local("value", span));
    if !role.is_text() {
        return quote_spanned!(span=> #krate::__private::#function(#value));
    }
    if ways::is_text(ty) {
        return quote_spanned!(span=> #krate::__private::role_of_text::#function(#value));
    }
    let text = ways::of_field(path, role, ty);
    quote_spanned!(span=> #krate::__private::role::#function(#text))
}

/// The constant product of the type, for shapes without a field for it. The catalogue's product is not among them: the
/// scope's comes before it.
fn with_constant_products(container: &Container<'_>, arms: Arms) -> Arms {
    let krate = &container.krate;
    let Some(product) = &container.product else { return arms };
    let constant = |(arm, shape): (Option<TokenStream>, &Shape<'_>)| {
        arm.or_else(|| {
            let path = path(shape);
            let id = quote!(#krate::__private::constant_product(#product));
            if container.is_struct() {
                return Some(id);
            }
            Some(quote!(#path { .. } => #id,))
        })
    };
    arms.into_iter().zip(&container.shapes).map(constant).collect()
}

fn write(container: &Container<'_>, events: &[&Event<'_>]) -> TokenStream {
    let (krate, data) = (&container.krate, data());
    let mut any = false;
    let arms: Vec<_> = container
        .shapes
        .iter()
        .zip(events)
        .map(|(shape, event)| {
            let path = path(shape);
            let mut bindings = Vec::new();
            let mut steps = TokenStream::new();
            for (index, field) in shape.fields.iter().enumerate() {
                let binding = local(&format!("field{index}"), span_of(field.ty));
                if let Some(step) = step(container, event, field, &binding) {
                    bindings.push((field.ident, binding));
                    steps.extend(step);
                }
            }
            any |= !steps.is_empty();
            let default = event
                .default_product()
                .map(|product| quote!(#krate::signal::Data::product_by_default(#data, #product);));
            let protections = event.protections(krate);
            let protect = protections.map(|fields| quote!(#krate::__private::protect(#data, #fields);));
            any |= default.is_some() || protect.is_some();
            if container.is_struct() {
                let bound = bound(container, &bindings);
                return quote!(#default #protect #bound #steps);
            }
            let bindings = bindings.iter().map(|(field, binding)| quote!(#field: #binding,));
            quote!(#path { #(#bindings)* .. } => { #default #protect #steps })
        })
        .collect();
    let data = if any { quote!(#data) } else { quote!(_) };
    let body = if container.is_struct() { quote!(#(#arms)*) } else { quote!(match self { #(#arms)* }) };
    quote!(fn write_data(&self, #data: &mut #krate::signal::Data) { #body })
}

/// The method that says whether the signal names its customer: where that is `None` and the scope's stands in, it is logged.
fn names_customer(container: &Container<'_>) -> TokenStream {
    let paths: Vec<_> = container.shapes.iter().filter(|shape| has_optional_customer(shape)).map(path).collect();
    if paths.is_empty() {
        return TokenStream::new();
    }
    quote! {
        fn __paid_names_customer(&self) -> ::core::primitive::bool {
            ::core::matches!(self, #(#paths { .. })|*)
        }
    }
}

/// Whether a field says whose work it was, and may be `None`.
fn has_optional_customer(shape: &Shape<'_>) -> bool {
    let is_customer = |role: Role| role.method() == Role::Customer.method();
    let may_be_none =
        |field: &Field<'_>| matches!(field.purpose, Use::Role(role) if is_customer(role) && !ways::is_text(field.ty));
    shape.fields.iter().any(may_be_none)
}

/// The statement that writes one field.
fn step(container: &Container<'_>, event: &Event<'_>, field: &Field<'_>, binding: &Ident) -> Option<TokenStream> {
    let span = span_of(field.ty);
    let krate = moved(&container.krate, span);
    let (private, data) = (quote_spanned!(span=> #krate::__private), data());
    Some(match field.purpose {
        Use::Role(role) => {
            let key = role.field()?;
            let function = Ident::new(role.key(), span);
            if event.is_wrapped(key) {
                quote_spanned!(span=> #private::write_protected(#data, #key, #binding);)
            } else if role.is_text() {
                let (value, text) = (local("value", span), ways::of_field(&container.krate, role, field.ty));
                quote_spanned!(span=> { let #value = #binding; #private::write::#function(#data, #text); })
            } else {
                quote_spanned!(span=> #private::#function(#data, #binding);)
            }
        }
        Use::Flatten => {
            let key = field.ident.to_string();
            // Elsewhere a check of its own demands that it can be flattened.
            if container.generics.params.is_empty() {
                quote_spanned!(span=> #krate::signal::Data::flatten(#data, #key, #binding);)
            } else {
                quote_spanned!(span=> #private::write_flat(#data, #key, #binding);)
            }
        }
        Use::Data => {
            let key = field.name(container.rename_all);
            let class = event.class(&key);
            let value = match &class {
                Some(class) => quote_spanned!(span=> #private::class::#class(#binding)),
                None => quote!(#binding),
            };
            if class.is_none() && ways::is_plain(field.ty) {
                return Some(quote_spanned!(span=> #krate::signal::Data::field(#data, #key, #binding);));
            }
            let keys = map_key(field.ty).map(|key| {
                let key_span = span_of(key);
                quote_spanned!(key_span=> #private::class::key::<#key>();)
            });
            let skip = field.skip_none || container.skip_none;
            if skip && is_option(field.ty) {
                return Some(quote_spanned!(span=> #keys #private::write_field_unless_none(#data, #key, #value);));
            }
            let write = if event.is_wrapped(&key) {
                quote_spanned!(span=> #private::write_protected(#data, #key, #binding);)
            } else {
                quote_spanned!(span=> #keys #private::write_field(#data, #key, #value);)
            };
            if !skip {
                return Some(write);
            }
            let ty = field.ty;
            let optional = field.skip_none.then(|| quote_spanned!(span=> #private::can_be_none::<#ty>();));
            quote_spanned! {span=>
                #optional
                if !{
                    #[allow(unused_imports)]
                    use #private::fields::*;
                    (&&#private::Held(#binding)).__paid_is_none()
                } {
                    #write
                }
            }
        }
        Use::Skip | Use::Unusable => return None,
    })
}

/// No field that is flattened may be written twice, or be one that only a wrapped value may have. Types with parameters are
/// not checked.
fn flatten_checks(container: &Container<'_>, events: &[&Event<'_>]) -> TokenStream {
    if !container.generics.params.is_empty() {
        return TokenStream::new();
    }
    let krate = &container.krate;
    let mut checks = TokenStream::new();
    for (shape, event) in container.shapes.iter().zip(events) {
        let own: Vec<_> = shape
            .fields
            .iter()
            .filter(|field| field.purpose == Use::Data)
            .map(|field| field.name(container.rename_all))
            .collect();
        for field in shape.fields.iter().filter(|field| field.purpose == Use::Flatten) {
            let ty = field.ty;
            let message =
                format!("`{}` has a field that the signal's data has already; rename one of the two", field.ident);
            checks.extend(quote_spanned! {span_of(ty)=>
                const _: () = ::core::assert!(
                    #krate::__private::disjoint(&[#(#own),*], <#ty as #krate::signal::value::Flatten>::FIELDS),
                    #message
                );
            });
            checks.extend(flat_and_wrapped(krate, field, event));
        }
    }
    checks
}

fn flat_and_wrapped(krate: &syn::Path, field: &Field<'_>, event: &Event<'_>) -> TokenStream {
    let (ty, shown) = (field.ty, event.shown());
    let checks = event.fields_with(Protection::Wrapped).into_iter().map(|wrapped| {
        let message = format!(
            "`{}` has the field `{wrapped}`, which is never sent in the clear, says {shown}; take it out of there, and wrap it here: `{wrapped}: paid::Hashed<String>`",
            field.ident,
        );
        quote_spanned! {span_of(ty)=>
            const _: () = ::core::assert!(
                #krate::__private::disjoint(&[#wrapped], <#ty as #krate::signal::value::Flatten>::FIELDS),
                #message
            );
        }
    });
    checks.collect()
}
