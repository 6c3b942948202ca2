//! What the catalogue demands beside the data: a unit, and an idempotency key.

use paid_catalog::{Kind, Level, OUTCOME_WITHOUT_KEY};
use proc_macro2::TokenStream;

use super::{Event, warning};
use crate::diagnostics::Errors;
use crate::roles::{Macro, Role};

/// How a role is given in a macro.
fn how(role: Role, place: Macro, what: &str) -> String {
    let key = role.key();
    match place {
        Macro::Derive => format!("put `#[paid({key})]` on the field with {what}"),
        Macro::Signal | Macro::Trace => format!("write `{key} = ...` with {what}"),
    }
}

impl Event<'_> {
    /// Reports, at the event's name, the roles that the catalogue demands and `roles` lacks.
    pub(crate) fn check_demands(&self, roles: &[Role], place: Macro, errors: &mut Errors) {
        if self.lacks_a_unit(roles) {
            let (name, shown) = (self.name.value(), self.shown());
            let unit = how(Role::Unit, place, "your own id of the customer's unit");
            errors.at(&self.name, format!("signal `{name}` needs a unit, which {shown} requires; {unit}"));
        }
        if self.lacks_a_key(roles) == Level::Deny {
            errors.at(&self.name, self.without_key(place));
        }
    }

    /// A statement that warns of an outcome without a key, at the event's name.
    pub(crate) fn key_warning(&self, roles: &[Role], place: Macro) -> Option<TokenStream> {
        (self.lacks_a_key(roles) == Level::Warn)
            .then(|| warning("outcome_without_key", &self.without_key(place), self.name.span()))
    }

    fn lacks_a_unit(&self, roles: &[Role]) -> bool {
        self.known.is_some_and(|known| known.unit_required) && !roles.contains(&Role::Unit)
    }

    /// What the lint does here.
    fn lacks_a_key(&self, roles: &[Role]) -> Level {
        match (self.known, self.catalog) {
            (Some(known), Some(catalog)) if known.kind == Kind::Outcome && !roles.iter().any(|role| role.is_key()) => {
                catalog.catalog.level(OUTCOME_WITHOUT_KEY, Some(known))
            }
            _ => Level::Allow,
        }
    }

    fn without_key(&self, place: Macro) -> String {
        let (name, shown) = (self.name.value(), self.shown());
        let key = match place {
            Macro::Derive => "put `#[paid(idempotency_key)]` on the field that identifies the event",
            Macro::Signal | Macro::Trace => {
                "write `idempotency_key = [..]` with what identifies the event, such as `[lead.id, day]`"
            }
        };
        format!(
            "outcome `{name}` has no idempotency key, so work that is done twice is billed twice; {key} \
             (`outcome_without_key` in {shown})"
        )
    }
}
