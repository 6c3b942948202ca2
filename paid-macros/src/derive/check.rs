//! Is it allowed? Every rule of the derive that can be seen in its own tokens and the catalogue.

use std::collections::BTreeMap;

use syn::spanned::Spanned;

use super::input::{Container, Role, Shape};
use crate::catalog::Loaded;
use crate::diagnostics::Errors;
use crate::rules::{self, Event};

/// What the rules say of each shape, in their order; `None` where there is no usable name.
pub(crate) fn check<'a>(container: &Container<'_>, loaded: &'a Loaded, errors: &mut Errors) -> Vec<Option<Event<'a>>> {
    rules::report_broken(loaded, container.ident.span(), errors);
    let events: Vec<_> = container.shapes.iter().map(|shape| check_shape(container, shape, loaded, errors)).collect();
    let mut names: BTreeMap<String, ()> = BTreeMap::new();
    for shape in &container.shapes {
        if let Some(name) = &shape.signal
            && names.insert(name.value(), ()).is_some()
        {
            errors.at(name, format!("two variants are the signal `{}`; give each its own name", name.value()));
        }
    }
    events
}

fn check_shape<'a>(
    container: &Container<'_>,
    shape: &Shape<'_>,
    loaded: &'a Loaded,
    errors: &mut Errors,
) -> Option<Event<'a>> {
    let event = match &shape.signal {
        Some(name) => Some(rules::event(name, loaded, errors)),
        None if shape.unusable => None,
        None => {
            let message = match shape.variant {
                Some(variant) if shape.unit => format!(
                    "the variant `{variant}` has no event name: put `#[paid(signal = \"{}\")]` on it",
                    paid_catalog::to_snake_case(&variant.to_string())
                ),
                Some(variant) => format!(
                    "every variant is a signal of its own: put `#[paid(signal = \"{}\")]` on `{variant}`",
                    paid_catalog::to_snake_case(&variant.to_string())
                ),
                None => format!(
                    "the event name is missing: put `#[paid(signal = \"{}\")]` on `{}`",
                    paid_catalog::to_snake_case(&container.ident.to_string()),
                    container.ident
                ),
            };
            errors.span(shape.place, message);
            None
        }
    };
    roles(container, shape, errors);
    data(container, shape, event.as_ref(), errors);
    if let (Some(event), Some(product)) = (&event, &container.product) {
        event.check_product(product, errors);
    }
    event
}

fn roles(container: &Container<'_>, shape: &Shape<'_>, errors: &mut Errors) {
    let mut taken: Vec<(Role, String)> = Vec::new();
    for field in &shape.fields {
        let Some(at) = &field.role_at else { continue };
        if matches!(field.role, Role::Flatten | Role::Skip) {
            continue;
        }
        if let Some((_, other)) = taken.iter().find(|(role, _)| *role == field.role) {
            errors.at(at, format!("`{other}` is the `{at}` already; only one field can be"));
        }
        for (one, two, message) in [
            (Role::Customer, Role::CustomerId, rules::BOTH_CUSTOMERS),
            (Role::Product, Role::ProductId, rules::BOTH_PRODUCTS),
        ] {
            let other = if field.role == one { two } else { one };
            if [one, two].contains(&field.role) && taken.iter().any(|(role, _)| *role == other) {
                errors.at(at, message);
            }
        }
        if matches!(field.role, Role::Product | Role::ProductId)
            && let Some(product) = &container.product
        {
            errors
                .at(at, format!("the type names the product \"{}\" already; keep that or this field", product.value()));
        }
        taken.push((field.role, field.ident.to_string()));
        if let Some(rename) = &field.rename {
            errors.at(rename, format!("a field with the role `{at}` has no name in the data; remove `rename`"));
        }
    }
}

fn data(container: &Container<'_>, shape: &Shape<'_>, event: Option<&Event<'_>>, errors: &mut Errors) {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut flat = false;
    for field in &shape.fields {
        flat |= field.role == Role::Flatten;
        let name = match field.role {
            Role::Data => field.name(container.rename_all),
            Role::Quantity => "quantity".to_owned(),
            Role::User => "external_user_id".to_owned(),
            Role::Cost => "costData".to_owned(),
            _ => continue,
        };
        if field.role == Role::Data {
            if name.is_empty() {
                errors.span(field.name_span(), "the name is empty; leave `rename` out, or use `skip`");
            }
            match event {
                Some(event) => event.check_field(&name, field.name_span(), errors),
                None if name == "paid" => {
                    errors.span(
                        field.name_span(),
                        "`paid` in a signal's data belongs to Paid; give the field another name",
                    );
                }
                None => {}
            }
        }
        if let Some(other) = names.insert(name.clone(), field.ident.to_string()) {
            errors.span(
                field.name_span(),
                format!("`{other}` and `{}` are both called `{name}` in the data; rename one", field.ident),
            );
        }
        if field.skip_none && !is_option(field.ty) {
            errors.at(field.ty, "`skip_none` leaves out a `None`, and this is no `Option`; remove it");
        }
    }
    if let Some(event) = event.filter(|_| !flat) {
        let given: Vec<_> = names.into_keys().collect();
        let place = shape.signal.as_ref().map_or(shape.place, |name| name.span());
        event.check_required(&given, place, errors);
    }
}

/// Whether a type is an `Option` by its name.
pub(crate) fn is_option(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}

/// The key type of a map, by the map's name.
pub(crate) fn map_key(ty: &syn::Type) -> Option<&syn::Type> {
    let syn::Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if !["HashMap", "BTreeMap", "IndexMap", "Option"].iter().any(|name| last.ident == name) {
        return None;
    }
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let syn::GenericArgument::Type(first) = arguments.args.first()? else { return None };
    if last.ident == "Option" { map_key(first) } else { Some(first) }
}

/// The place of a type, for errors about it.
pub(crate) fn span_of(ty: &syn::Type) -> proc_macro2::Span {
    ty.span()
}
