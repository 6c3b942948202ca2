//! What to emit: an implementation of `PaidSignal` that writes field by field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::check::{is_option, map_key, span_of};
use super::input::{Container, Field, Role, Shape};
use crate::attribute::text;
use crate::catalog::Loaded;
use crate::rules::Event;

/// An implementation that says nothing, for types with mistakes.
pub(crate) fn stub(container: &Container<'_>) -> TokenStream {
    let Container { ident, generics, krate, .. } = container;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #krate::PaidSignal for #ident #ty_generics #where_clause {
            const NAMES: &'static [&'static str] = &[];
            fn write_data(&self, _: &mut #krate::signal::Data) {}
        }
    }
}

pub(crate) fn implementation(container: &Container<'_>, events: &[Option<Event<'_>>], loaded: &Loaded) -> TokenStream {
    let Container { ident, generics, krate, .. } = container;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let events: Vec<&Event<'_>> = events.iter().flatten().collect();
    let names: Vec<_> = events.iter().map(|event| &event.name).collect();
    let option = |inner: TokenStream| quote!(::core::option::Option<#inner>);
    let customers = attribution(container, &[(Role::Customer, "customer"), (Role::CustomerId, "customer_id")]);
    let customers = method(container, "customer", &option(quote!(#krate::types::CustomerAttribution)), customers);
    let products = attribution(container, &[(Role::Product, "product"), (Role::ProductId, "product_id")]);
    let products = with_constant_products(container, products);
    let products = method(container, "product", &option(quote!(#krate::types::ProductAttribution)), products);
    let keys = role_arms(container, Role::Key, |ty| {
        if is_text(ty) {
            return quote_spanned!(span_of(ty)=> #krate::__private::key_text(value));
        }
        let (text, span) = (text_of(krate, "key", ty), span_of(ty));
        quote_spanned!(span=> #text.map(::std::borrow::Cow::into_owned))
    });
    let keys = method(container, "idempotency_key", &option(quote!(::std::string::String)), keys);
    let times = role_arms(
        container,
        Role::Timestamp,
        |ty| quote_spanned!(span_of(ty)=> #krate::signal::value::AsTimestamp::as_timestamp(value)),
    );
    let times = method(container, "timestamp", &option(quote!(#krate::Timestamp)), times);
    let write = write(container, &events);
    let name = (container.shapes.len() > 1).then(|| {
        let arms = container.shapes.iter().zip(&names).map(|(shape, name)| {
            let path = path(shape);
            quote!(#path { .. } => #name,)
        });
        quote! {
            fn name(&self) -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(match self { #(#arms)* })
            }
        }
    });
    let tracked = loaded.tracked();
    let checks = flatten_checks(container);
    let hover = events.iter().map(|event| event.hover());
    let deprecations: Vec<_> = events.iter().filter_map(|event| event.deprecation()).collect();
    let deprecations = (!deprecations.is_empty()).then(|| quote!(const _: () = { #(#deprecations)* };));
    let items = quote!(#tracked #checks #(#hover)* #deprecations);
    let items = (!items.is_empty()).then(|| quote!(const _: () = { #items };));
    quote! {
        #[automatically_derived]
        impl #impl_generics #krate::PaidSignal for #ident #ty_generics #where_clause {
            const NAMES: &'static [&'static str] = &[#(#names),*];
            #name
            #customers
            #products
            #keys
            #times
            #write
        }
        #items
    }
}

/// The variable `value` as text for a place; a type that is text by its name needs no way to be found.
fn text_of(krate: &syn::Path, place: &str, ty: &syn::Type) -> TokenStream {
    if is_text(ty) {
        quote_spanned!(span_of(ty)=> #krate::__private::by_str(value))
    } else {
        text(krate, place, span_of(ty))
    }
}

/// The name of a type, behind a reference too.
fn type_name(ty: &syn::Type) -> Option<&Ident> {
    let inner = match ty {
        syn::Type::Reference(reference) => &*reference.elem,
        other => other,
    };
    match inner {
        syn::Type::Path(path) => path.path.get_ident(),
        _ => None,
    }
}

fn is_text(ty: &syn::Type) -> bool {
    type_name(ty).is_some_and(|name| name == "String" || name == "str")
}

/// Types that are JSON for certain, which need no bound with a message.
fn is_plain(ty: &syn::Type) -> bool {
    const PLAIN: [&str; 13] =
        ["String", "str", "bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64"];
    type_name(ty).is_some_and(|name| PLAIN.iter().any(|plain| name == plain))
}

fn path(shape: &Shape<'_>) -> TokenStream {
    match shape.variant {
        Some(variant) => quote!(Self::#variant),
        None => quote!(Self),
    }
}

/// One arm a shape; `None` where it has nothing to say.
type Arms = Vec<Option<TokenStream>>;

/// A method, unless no shape has anything to say.
fn method(container: &Container<'_>, name: &str, returns: &TokenStream, arms: Arms) -> TokenStream {
    if arms.iter().all(Option::is_none) {
        return TokenStream::new();
    }
    let name = format_ident!("{name}");
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

/// For every shape that has a field of this role: what it is, with the field as `value`.
fn role_arms(container: &Container<'_>, role: Role, value: impl Fn(&syn::Type) -> TokenStream) -> Arms {
    let arm = |shape: &Shape<'_>| {
        let field = shape.fields.iter().find(|field| field.role == role)?;
        let (path, ident) = (path(shape), field.ident);
        let value = value(field.ty);
        if container.is_struct() {
            return Some(quote!(let value = &self.#ident; #value));
        }
        Some(quote!(#path { #ident: value, .. } => #value,))
    };
    container.shapes.iter().map(arm).collect()
}

fn attribution(container: &Container<'_>, roles: &[(Role, &str)]) -> Arms {
    let krate = &container.krate;
    let mut arms: Arms = container.shapes.iter().map(|_| None).collect();
    for (role, place) in roles {
        let function = format_ident!("{place}");
        let found = role_arms(container, *role, |ty| {
            if is_text(ty) {
                let function = format_ident!("{place}_text");
                return quote_spanned!(span_of(ty)=> #krate::__private::#function(value));
            }
            let text = text_of(krate, place, ty);
            quote_spanned!(span_of(ty)=> #krate::__private::#function(#text))
        });
        for (arm, found) in arms.iter_mut().zip(found) {
            *arm = arm.take().or(found);
        }
    }
    arms
}

/// The product of the type counts; the catalogue's is left to the scope to override.
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
    let krate = &container.krate;
    let mut any = false;
    let arms: Vec<_> = container
        .shapes
        .iter()
        .zip(events)
        .map(|(shape, event)| {
            let path = path(shape);
            let mut bindings = TokenStream::new();
            let mut steps = TokenStream::new();
            for (index, field) in shape.fields.iter().enumerate() {
                if container.is_struct() {
                    let ident = field.ident;
                    let place = quote_spanned!(span_of(field.ty)=> &self.#ident);
                    steps.extend(step(container, event, field, &place));
                    continue;
                }
                let binding = Ident::new(&format!("field{index}"), Span::mixed_site().located_at(span_of(field.ty)));
                if let Some(step) = step(container, event, field, &quote!(#binding)) {
                    let ident = field.ident;
                    bindings.extend(quote!(#ident: #binding,));
                    steps.extend(step);
                }
            }
            any |= !steps.is_empty();
            let default = event.default_product().map(|product| quote!(data.product_by_default(#product);));
            any |= default.is_some();
            if container.is_struct() {
                return quote!(#default #steps);
            }
            quote!(#path { #bindings .. } => { #default #steps })
        })
        .collect();
    let data = if any { quote!(data) } else { quote!(_) };
    let body = if container.is_struct() { quote!(#(#arms)*) } else { quote!(match self { #(#arms)* }) };
    quote!(fn write_data(&self, #data: &mut #krate::signal::Data) { #body })
}

/// The statement that writes one field.
fn step(container: &Container<'_>, event: &Event<'_>, field: &Field<'_>, binding: &TokenStream) -> Option<TokenStream> {
    let krate = &container.krate;
    let span = span_of(field.ty);
    let private = quote!(#krate::__private);
    Some(match field.role {
        Role::Quantity => quote_spanned!(span=> #private::write_quantity(data, #binding);),
        Role::Cost => quote_spanned!(span=> #private::write_cost(data, #binding);),
        Role::User => {
            let text = text_of(krate, "user", field.ty);
            quote_spanned!(span=> { let value = #binding; #private::write_user(data, #text); })
        }
        Role::Flatten => {
            let key = field.ident.to_string();
            // Elsewhere a check of its own demands that it can be flattened.
            if container.generics.params.is_empty() {
                quote_spanned!(span=> data.flatten(#key, #binding);)
            } else {
                quote_spanned!(span=> #private::write_flat(data, #key, #binding);)
            }
        }
        Role::Data => {
            let key = field.name(container.rename_all);
            let class = event.class(&key);
            let value = match &class {
                Some(class) => quote_spanned!(span=> #private::class::#class(#binding)),
                None => quote!(#binding),
            };
            if class.is_none() && is_plain(field.ty) {
                return Some(quote_spanned!(span=> data.field(#key, #binding);));
            }
            let keys = map_key(field.ty).map(|key| {
                let key_span = span_of(key);
                quote_spanned!(key_span=> #private::class::key::<#key>();)
            });
            let skip = is_option(field.ty) && (field.skip_none || container.skip_none);
            let function = Ident::new(if skip { "write_field_unless_none" } else { "write_field" }, span);
            quote_spanned!(span=> #keys #private::#function(data, #key, #value);)
        }
        _ => return None,
    })
}

/// Flattened fields that are known must not stand twice. Types with parameters are checked by nobody.
fn flatten_checks(container: &Container<'_>) -> TokenStream {
    if !container.generics.params.is_empty() {
        return TokenStream::new();
    }
    let krate = &container.krate;
    let mut checks = TokenStream::new();
    for shape in &container.shapes {
        let own: Vec<_> = shape
            .fields
            .iter()
            .filter(|field| field.role == Role::Data)
            .map(|field| field.name(container.rename_all))
            .collect();
        for field in shape.fields.iter().filter(|field| field.role == Role::Flatten) {
            let ty = field.ty;
            let message =
                format!("`{}` has a field that stands in the data already; rename one of the two", field.ident);
            checks.extend(quote_spanned! {span_of(ty)=>
                const _: () = assert!(
                    #krate::__private::disjoint(&[#(#own),*], <#ty as #krate::signal::value::Flatten>::FIELDS),
                    #message
                );
            });
        }
    }
    checks
}
