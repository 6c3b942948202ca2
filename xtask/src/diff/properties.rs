//! The fields of two objects: added, removed, and whether they must be there.

use super::effect::{Effect, Side};
use super::report::Level;
use super::schemas;
use super::view::{Located, NullAt};
use super::walk::{At, Change, Pair, Subject, Walk};

/// Compares the fields of two objects.
pub(crate) fn compare(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) {
    let (old, new) = (pair.old.properties(), pair.new.properties());
    let (required, now_required) = (pair.old.required(), pair.new.required());
    for (name, schema) in &old {
        let at = place(pair, schema, name);
        let was = required.contains(name);
        match new.get(name) {
            Some(now) => {
                let withheld = is_withheld(walk.side, schema) && is_withheld(walk.side, now);
                let (found, seen) = (walk.record.findings.len(), withheld.then(|| walk.seen.clone()));
                direction(walk, (schema, was), (now, now_required.contains(name)), &at);
                presence(walk, (schema, was), (now, now_required.contains(name)), &at);
                schemas::compare(walk, schema, now, &at);
                // Another field of the same component may be sent: it is compared for itself.
                if let Some(seen) = seen {
                    walk.seen = seen;
                    for finding in &mut walk.record.findings[found..] {
                        (finding.wire, finding.rust) = (Level::Documentation, Level::Documentation);
                    }
                }
            }
            None => {
                let kind = if was { "required" } else { "optional" };
                let check = match walk.side {
                    Side::Request => "request-property-removed".to_owned(),
                    _ => format!("response-{kind}-property-removed"),
                };
                let what = format!("property removed, {kind}");
                let withheld = is_withheld(walk.side, schema);
                let effect = if withheld { Effect::Same } else { Effect::Removes };
                let rust = if withheld { Level::Documentation } else { Level::Breaking };
                let change = Change { check, what, effect, rust };
                walk.note(change, &at.location, Some(schema.outer()), None);
            }
        }
    }
    // An object without properties is plain JSON, and as a body no argument of a method.
    let first = old.is_empty();
    for (name, schema) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        let at = place(pair, schema, name);
        let (kind, effect) = match now_required.contains(name) {
            true => ("required", Effect::Narrows),
            false => ("optional", Effect::Adds),
        };
        let check = match walk.side {
            Side::Request => format!("new-{kind}-request-property"),
            _ => format!("response-{kind}-property-added"),
        };
        let (effect, rust) =
            match (is_withheld(walk.side, schema), first || (kind == "required" && walk.side == Side::Request)) {
                (true, _) => (Effect::Same, Level::Documentation),
                (false, true) => (effect, Level::Breaking),
                (false, false) => (effect, Level::Additive),
            };
        let change = Change { check, what: format!("new property, {kind}"), effect, rust };
        walk.note(change, &at.location, None, Some(schema.outer()));
    }
}

/// Whether this side never has the field: requests have no field that is only received, answers none that is only sent.
fn is_withheld(side: Side, schema: &Located<'_>) -> bool {
    schema.view().is(if side == Side::Request { "readOnly" } else { "writeOnly" })
}

/// Whether a field is sent and received. What is only received is gone from requests, and the other way round.
fn direction(walk: &mut Walk<'_>, old: (&Located<'_>, bool), new: (&Located<'_>, bool), at: &At) {
    for (key, name, side) in [("readOnly", "read-only", Side::Request), ("writeOnly", "write-only", Side::Response)] {
        let (before, after) = (old.0.view().is(key), new.0.view().is(key));
        if before == after {
            continue;
        }
        let (effect, rust) = match (walk.side == side, after, new.1) {
            (false, ..) => (Effect::Same, Level::Documentation),
            (true, true, _) => (Effect::Removes, Level::Breaking),
            (true, false, true) => {
                (if side == Side::Request { Effect::Narrows } else { Effect::Adds }, Level::Breaking)
            }
            (true, false, false) => (Effect::Adds, Level::Additive),
        };
        let not = if after { "" } else { "not-" };
        let check = walk.check(Subject::Property, &format!("became-{not}{name}"));
        let change = Change { check, what: format!("{key} {before} -> {after}"), effect, rust };
        walk.note(change, &at.location, Some(old.0.outer()), Some(new.0.outer()));
    }
}

/// A field that an `allOf` brings in belongs to the component that declares it.
fn place(pair: &Pair<'_, '_>, schema: &Located<'_>, name: &str) -> At {
    let declared = pair.core.location.split_once('.').is_none().then(|| owner(schema.outer())).flatten();
    let named = pair.old.name.or(pair.new.name);
    match declared.filter(|owner| named.is_some_and(|name| name != *owner)) {
        Some(owner) => At::new(Subject::Property, owner).field(name),
        None => pair.core.field(name),
    }
}

/// The component whose own field this is.
fn owner(pointer: &str) -> Option<&str> {
    let (owner, rest) = pointer.strip_prefix("#/components/schemas/")?.split_once('/')?;
    let steps: Vec<_> = rest.split('/').collect();
    let own = steps.chunks(2).rev().skip(1).all(|step| step[0] == "allOf");
    (own && steps.len().is_multiple_of(2) && steps[steps.len() - 2] == "properties").then_some(owner)
}

/// The type of a field for users: `T`, `Option<T>` or `Patch<T>`, and whether a constructor asks for it.
#[derive(PartialEq, Eq)]
struct Presence {
    optional: bool,
    patch: bool,
    asked_for: bool,
}

impl Presence {
    fn of(walk: &Walk<'_>, (schema, required): (&Located<'_>, bool)) -> Self {
        let sent = walk.side == Side::Request;
        let view = schema.view();
        // Of an answer, the overlay says what may be missing.
        let (nullable, lenient) = (view.null.is_some(), !sent && view.is("x-rust-lenient"));
        Self {
            optional: !required || nullable || lenient,
            patch: sent && !required && nullable,
            asked_for: sent && required,
        }
    }
}

/// Whether a property must be there, and what of that the client shows.
fn presence(walk: &mut Walk<'_>, old: (&Located<'_>, bool), new: (&Located<'_>, bool), at: &At) {
    let nullable = |schema: &Located<'_>| schema.view().null.is_some();
    let before = Presence::of(walk, old);
    let after = Presence::of(walk, new);
    let rust = if before == after { Level::Documentation } else { Level::Breaking };
    let mut note = |name: &str, what: &str, effect| {
        let change = Change { check: walk.check(Subject::Property, name), what: what.to_owned(), effect, rust };
        walk.note(change, &at.location, Some(old.0.outer()), Some(new.0.outer()));
    };
    if nullable(old.0) != nullable(new.0) {
        let widens = nullable(new.0);
        let what = if widens { "may be null" } else { "may not be null any more" };
        let change = if widens { "became-nullable" } else { "became-not-nullable" };
        let in_component = [old.0, new.0].iter().any(|schema| schema.view().null == Some(NullAt::Core));
        if !in_component {
            note(change, what, Effect::widens_if(widens));
        }
    }
    if old.1 != new.1 {
        let (change, what) = match new.1 {
            true => ("became-required", "optional -> required"),
            false => ("became-optional", "required -> optional"),
        };
        note(change, what, Effect::widens_if(!new.1));
    }
}
