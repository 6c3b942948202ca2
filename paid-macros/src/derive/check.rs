//! Is it allowed? Every rule of the derive that can be seen in its own tokens and the catalogue.

use std::collections::BTreeMap;

use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::input::{Container, Shape, Use};
use crate::catalog::Loaded;
use crate::diagnostics::Errors;
use crate::roles::{Macro, Role};
use crate::rules::{self, Event};
use crate::ways;

/// The event of each shape, in their order; `None` if its name cannot be used.
pub(crate) fn check<'a>(container: &Container<'_>, loaded: &'a Loaded, errors: &mut Errors) -> Vec<Option<Event<'a>>> {
    rules::report_broken(loaded, container.ident.span(), errors);
    let events: Vec<_> = container.shapes.iter().map(|shape| check_shape(container, shape, loaded, errors)).collect();
    let mut names: BTreeMap<String, ()> = BTreeMap::new();
    for shape in &container.shapes {
        if let Some(name) = &shape.signal
            && names.insert(name.value(), ()).is_some()
        {
            errors.at(name, format!("two variants have the event name `{}`; give each its own", name.value()));
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
    if let Some(event) = &event {
        in_the_clear(shape, event, errors);
        if !shape.is_unclear() {
            event.check_demands(&shape.given_roles(), Macro::Derive, errors);
        }
        event.check_retired(errors);
        event.check_billed(product(container, shape, event).as_deref(), errors);
    }
    data(container, shape, event.as_ref(), errors);
    if let (Some(event), Some(product)) = (&event, &container.product) {
        event.check_product(product, errors);
    }
    event
}

/// The product of the signals, if it is known: the type's, or else the catalogue's.
pub(super) fn product(container: &Container<'_>, shape: &Shape<'_>, event: &Event<'_>) -> Option<String> {
    match &container.product {
        Some(product) => Some(product.value()),
        None if shape.given_roles().iter().any(|role| role.is_product()) => None,
        None => event.default_product().map(str::to_owned),
    }
}

fn roles(container: &Container<'_>, shape: &Shape<'_>, errors: &mut Errors) {
    let mut taken: Vec<(Role, String)> = Vec::new();
    for field in &shape.fields {
        let (Use::Role(role), Some(at)) = (field.purpose, &field.purpose_at) else { continue };
        if let Some((_, other)) = taken.iter().find(|(other, _)| *other == role) {
            errors.at(at, format!("`{other}` has the role `{at}` already; only one field can have it"));
        }
        if let Some(objection) = taken.iter().find_map(|(other, _)| role.objection_to(*other)) {
            errors.at(at, objection);
        }
        if let Some(product) = container.product.as_ref().filter(|_| role.is_product()) {
            let message =
                format!("the type names the product \"{}\" already; keep that or this field", product.value());
            errors.at(at, message);
        }
        if let Some(rename) = &field.rename {
            errors.at(rename, format!("the role `{at}` decides where this field is written; remove `rename`"));
        }
        taken.push((role, field.ident.to_string()));
    }
}

/// Reports a role on a field that is called like one that the catalogue protects.
fn in_the_clear(shape: &Shape<'_>, event: &Event<'_>, errors: &mut Errors) {
    let protected = event.protected();
    for field in &shape.fields {
        let (Use::Role(role), Some(at)) = (field.purpose, &field.purpose_at) else { continue };
        let name = field.ident.unraw().to_string();
        let is_hashed = role.field().is_some_and(|own| protected.contains(&own));
        if role.is_text() && !is_hashed && protected.contains(&name.as_str()) {
            errors.at(at, event.objection_in_the_clear(role, &name));
        }
    }
}

fn data(container: &Container<'_>, shape: &Shape<'_>, event: Option<&Event<'_>>, errors: &mut Errors) {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut flat = false;
    for field in &shape.fields {
        flat |= matches!(field.purpose, Use::Flatten | Use::Unusable);
        let name = match field.purpose {
            Use::Data => Some(field.name(container.rename_all)),
            Use::Role(role) => role.field().map(str::to_owned),
            Use::Flatten | Use::Skip | Use::Unusable => None,
        };
        let Some(name) = name else { continue };
        if field.purpose == Use::Data {
            if name.is_empty() {
                errors.span(field.name_span(), "the name is empty; write one, or leave the field out with `skip`");
            }
            match event {
                Some(event) => event.check_field(&name, field.name_span(), errors),
                None if name == "paid" => errors.span(field.name_span(), rules::PAIDS_OWN_FIELD),
                None => {}
            }
        }
        if let Some(other) = names.insert(name.clone(), field.ident.to_string()) {
            errors.span(
                field.name_span(),
                format!("`{other}` and `{}` are both called `{name}` in the data; rename one", field.ident),
            );
        }
        // Whether any other type is one, the compiler finds.
        if field.skip_none && ways::is_plain(field.ty) {
            errors.at(field.ty, "`skip_none` leaves out a `None`, but this field is not an `Option`; remove it");
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
