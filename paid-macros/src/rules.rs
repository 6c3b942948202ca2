//! The rules that functions and structs share: event names, reserved fields, the catalogue.

mod billed;
mod demands;
mod protection;
mod retired;
mod shown;

use paid_catalog::{Literal, NameProblem, Signal, check_event_name, nearest_of};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Expr, LitStr};

use crate::catalog::{InForce, Loaded};
use crate::diagnostics::Errors;
use crate::roles::Role;
use crate::values::literal;

/// An event name that may be used, with what the catalogue says about it.
pub(crate) struct Event<'a> {
    pub(crate) name: LitStr,
    pub(crate) known: Option<&'a Signal>,
    /// The catalogue in force, if there is one.
    pub(crate) catalog: Option<&'a InForce>,
}

/// Reports a catalogue that cannot be used.
pub(crate) fn report_broken(loaded: &Loaded, span: Span, errors: &mut Errors) {
    if let Loaded::Broken { message, .. } = loaded {
        errors.span(span, message);
    }
}

/// Checks an event name: its spelling, and that the catalogue has it.
pub(crate) fn event<'a>(name: &LitStr, loaded: &'a Loaded, errors: &mut Errors) -> Event<'a> {
    let text = name.value();
    let catalog = loaded.in_force();
    let known = catalog.and_then(|catalog| catalog.catalog.signal(&text));
    if known.is_none() {
        match (check_event_name(&text), catalog) {
            (Err(problem @ (NameProblem::Empty | NameProblem::TooLong(_))), _) => errors.at(name, problem),
            (Err(NameProblem::NotSnakeCase(better) | NameProblem::Spaces(better)), Some(catalog))
                if catalog.catalog.signal(&better).is_some() =>
            {
                errors.at(name, format!("{} has no signal `{text}`; write \"{better}\"", catalog.shown));
            }
            (Err(problem), _) => errors.at(name, problem),
            (Ok(()), Some(catalog)) => {
                let near = catalog.catalog.nearest(&text);
                let near = nearest_of(&text, near.into_iter());
                let hint = near.map_or_else(
                    || format!("add it: [signals.{text}]"),
                    |near| format!("did you mean {near}? If it is new, add [signals.{text}]"),
                );
                errors.at(name, format!("{} has no signal `{text}`; {hint}", catalog.shown));
            }
            (Ok(()), None) => {}
        }
    }
    Event { name: name.clone(), known, catalog }
}

impl Event<'_> {
    /// Reports a field of the data that is reserved, or that the catalogue does not have.
    pub(crate) fn check_field(&self, key: &str, span: Span, errors: &mut Errors) {
        if key == "paid" {
            errors.span(span, PAIDS_OWN_FIELD);
        } else if let Some(role) = Role::that_writes(key) {
            let role = role.key();
            let message = format!(
                "Paid reads the field `{key}` itself: set it with the role `{role}`, or give a field of your own another name"
            );
            errors.span(span, message);
        } else if let (Some(known), Some(catalog)) = (self.known, self.catalog)
            && !known.data.contains_key(key)
        {
            let near = nearest_of(key, known.nearest_field(key).into_iter());
            let hint = match near {
                Some(near) => format!("did you mean {near}?"),
                None if known.data.is_empty() => "it has no fields".to_owned(),
                None => {
                    let all: Vec<_> = known.data.keys().map(|field| format!("`{field}`")).collect();
                    format!("it has {}", all.join(", "))
                }
            };
            let name = self.name.value();
            errors.span(span, format!("signal `{name}` has no field `{key}` in {}; {hint}", catalog.shown));
        }
    }

    /// Reports the fields that the catalogue requires and `given` lacks.
    pub(crate) fn check_required(&self, given: &[String], span: Span, errors: &mut Errors) {
        let (Some(known), Some(catalog)) = (self.known, self.catalog) else { return };
        let missing: Vec<_> = known
            .required()
            .filter(|field| !given.iter().any(|given| given == field))
            .map(|field| {
                let kind = known.data.get(field).and_then(|field| field.single_type());
                kind.map_or_else(|| format!("`{field}`"), |kind| format!("`{field}` ({kind})"))
            })
            .collect();
        if !missing.is_empty() {
            let fields = if missing.len() == 1 { "the field" } else { "the fields" };
            let name = self.name.value();
            errors.span(
                span,
                format!("signal `{name}` needs {fields} {}, which {} requires", missing.join(", "), catalog.shown),
            );
        }
    }

    /// Reports a literal that the catalogue does not allow.
    pub(crate) fn check_literal(&self, key: &str, value: &Expr, errors: &mut Errors) {
        let (Some(field), Some(literal)) = (self.known.and_then(|known| known.data.get(key)), literal(value)) else {
            return;
        };
        if let Some(objection) = field.objection(&literal) {
            errors.at(value, format!("`{key}` {objection}, according to {}; this is {literal}", self.shown()));
        }
    }

    /// Reports a constant product that contradicts the catalogue.
    pub(crate) fn check_product(&self, product: &LitStr, errors: &mut Errors) {
        let (Some(known), Some(catalog)) = (self.known, self.catalog) else { return };
        if let Some(own) = known.product.as_ref().filter(|own| **own != product.value()) {
            let name = self.name.value();
            errors.at(
                product,
                format!("{} bills `{name}` by product \"{own}\"; write that, or leave `product` out", catalog.shown),
            );
        }
    }

    /// The class that a field has to be of: the name of a function that demands it.
    pub(crate) fn class(&self, key: &str) -> Option<proc_macro2::Ident> {
        if let Some(class) = self.class_of_protected(key) {
            return Some(class);
        }
        let kind = self.known?.data.get(key)?.single_type()?;
        Some(format_ident!("{}", kind.as_str()))
    }

    /// The values that the catalogue allows for a field; empty if it allows any.
    pub(crate) fn values(&self, key: &str) -> &[Literal] {
        self.known.and_then(|known| known.data.get(key)).map_or(&[], |field| field.values.as_slice())
    }

    /// The product that the catalogue names.
    pub(crate) fn default_product(&self) -> Option<&str> {
        self.known?.product.as_deref()
    }

    /// How messages call the catalogue.
    pub(crate) fn shown(&self) -> &str {
        self.catalog.map_or("the catalogue", |catalog| catalog.shown.as_str())
    }
}

/// A statement that warns, once for a crate, that it has no catalogue.
pub(crate) fn absence_warning(loaded: &Loaded, place: Span) -> Option<TokenStream> {
    loaded.absence().map(|message| warning("no_signals_toml", &message, place))
}

/// A statement that warns at a place: it uses a deprecated constant, whose name the compiler shows.
fn warning(name: &str, note: &str, place: Span) -> TokenStream {
    let marker = format_ident!("{name}", span = place);
    quote! {
        {
            #[deprecated(note = #note)]
            #[allow(non_upper_case_globals)]
            const #marker: () = ();
            #marker
        }
    }
}

/// A field that a signal may not have.
pub(crate) const PAIDS_OWN_FIELD: &str =
    "the field `paid` of a signal's data is reserved for Paid; give yours another name";
