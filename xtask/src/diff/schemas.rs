//! Two schemas: null, types, values, items, other properties; and all that other files compare of them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::effect::{Effect, Side};
use super::report::{Finding, Level};
use super::view::{Located, NullAt, View};
use super::walk::{At, Change, Pair, Subject, Walk};
use super::{constraints, properties, unions};

/// Compares a schema in both documents, at a place.
pub(crate) fn compare(walk: &mut Walk<'_>, old: &Located<'_>, new: &Located<'_>, outer: &At) {
    let both = (walk.side, old.key(), new.key());
    if walk.record.alike.contains(&both) {
        return;
    }
    if walk.asks && (walk.record.different.contains(&both) || walk.doubtful.contains(&both)) {
        let (check, what) = (String::new(), String::new());
        return walk.note(Change { check, what, effect: Effect::Incomparable, rust: Level::Breaking }, "", None, None);
    }
    if !walk.seen.insert(both.clone()) {
        walk.met_again = true;
        return;
    }
    let (found, outside) = (walk.record.findings.len(), std::mem::take(&mut walk.met_again));
    inside(walk, old, new, outer);
    if walk.record.findings.len() == found {
        if !walk.met_again {
            walk.record.alike.insert(both);
        }
    } else if walk.asks && !are_the_same(&walk.record.findings[found..]) {
        walk.doubtful.insert(both);
    }
    walk.met_again |= outside;
}

fn inside(walk: &mut Walk<'_>, old: &Located<'_>, new: &Located<'_>, outer: &At) {
    let (old, new) = (old.view(), new.view());
    let core = match old.name.or(new.name) {
        Some(name) => At { subject: outer.subject, location: name.to_owned() },
        None => outer.clone(),
    };
    let pair = Pair { old: &old, new: &new, outer, core: &core };
    null(walk, &pair);
    if !unions::compare(walk, &pair) || !types(walk, &pair) {
        return;
    }
    values(walk, &pair);
    constraints::compare(walk, &pair);
    properties::compare(walk, &pair);
    items(walk, &pair);
    additional_properties(walk, &pair);
}

/// Whether two schemas are the same for everybody: whoever sends them, and whoever reads them.
pub(crate) fn same(walk: &mut Walk<'_>, old: &Located<'_>, new: &Located<'_>) -> bool {
    // Inside of another question, only the side counts that is asked about.
    let sides: &[Side] = if walk.asks { &[walk.side] } else { &[Side::Request, Side::Response] };
    sides.iter().all(|side| same_on(walk, *side, old, new))
}

/// Schemas that refer to themselves are the same, unless something tells them apart; so a pair that is being compared counts as the
/// same. What is found out without such an assumption is kept, since each branch of a union is asked about each.
fn same_on(walk: &mut Walk<'_>, side: Side, old: &Located<'_>, new: &Located<'_>) -> bool {
    let both = (side, old.key(), new.key());
    if walk.record.alike.contains(&both) || walk.record.similar.contains(&both) {
        return true;
    }
    if walk.record.different.contains(&both) || walk.doubtful.contains(&both) {
        return false;
    }
    let inner = walk.asks;
    let findings = std::mem::take(&mut walk.record.findings);
    let seen = if inner { walk.seen.clone() } else { std::mem::take(&mut walk.seen) };
    let met_again = std::mem::take(&mut walk.met_again);
    let outer_side = std::mem::replace(&mut walk.side, side);
    walk.asks = true;
    compare(walk, old, new, &At::new(Subject::Property, ""));
    let found = std::mem::replace(&mut walk.record.findings, findings);
    let same = are_the_same(&found);
    match (same, walk.met_again) {
        (true, false) => drop(walk.record.similar.insert(both)),
        (false, false) => drop(walk.record.different.insert(both)),
        (false, true) => drop(walk.doubtful.insert(both)),
        (true, true) => {}
    }
    if !(inner && same) {
        walk.seen = seen;
    }
    if !inner {
        walk.doubtful.clear();
    }
    walk.met_again = met_again || (inner && walk.met_again);
    (walk.asks, walk.side) = (inner, outer_side);
    same
}

fn are_the_same(findings: &[Finding]) -> bool {
    findings.iter().all(|found| found.wire == Level::Documentation && found.rust == Level::Documentation)
}

fn null(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) {
    // Of a field, whether it must be there counts too.
    if pair.outer.subject == Subject::Property && pair.old.null.or(pair.new.null) == Some(NullAt::Use) {
        return;
    }
    let (place, change) = match (pair.old.null, pair.new.null) {
        (None, Some(at)) => (at, "became-nullable"),
        (Some(at), None) => (at, "became-not-nullable"),
        _ => return,
    };
    let widens = change == "became-nullable";
    let what = if widens { "may be null" } else { "may not be null any more" };
    walk.change(pair, place, change, what.into(), (Effect::widens_if(widens), Level::Breaking));
}

/// Returns false if nothing else can be compared.
fn types(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) -> bool {
    let (old, new) = (pair.old.types(), pair.new.types());
    if old == new {
        return true;
    }
    let holds = |set: &BTreeSet<&str>, name: &str| {
        set.is_empty() || set.contains(name) || (name == "integer" && set.contains("number"))
    };
    let within = |inner: &BTreeSet<&str>, outer: &BTreeSet<&str>| {
        outer.is_empty() || (!inner.is_empty() && inner.iter().all(|name| holds(outer, name)))
    };
    let lists = old.len() != 1 || new.len() != 1;
    let (effect, change) = if within(&old, &new) {
        (Effect::Widens, if lists { "list-of-types-widened" } else { "type-generalized" })
    } else if within(&new, &old) {
        (Effect::Narrows, if lists { "list-of-types-narrowed" } else { "type-specialized" })
    } else {
        (Effect::Incomparable, "type-changed")
    };
    let change = if walk.side == Side::Request && change == "type-specialized" { "type-changed" } else { change };
    walk.change(pair, NullAt::Core, change, format!("{} -> {}", shown(&old), shown(&new)), (effect, Level::Breaking));
    false
}

fn shown(types: &BTreeSet<&str>) -> String {
    if types.is_empty() { "any".to_owned() } else { types.iter().copied().collect::<Vec<_>>().join(" or ") }
}

fn values(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) {
    let (old, new) = match (pair.old.values(), pair.new.values()) {
        (None, None) => return,
        (None, Some(_)) => {
            let rust = enum_or_text(pair.new);
            return walk.change(pair, NullAt::Core, "became-enum", "became an enum".into(), (Effect::Narrows, rust));
        }
        (Some(_), None) => {
            let rust = enum_or_text(pair.old);
            let what = "is no enum any more".to_owned();
            return walk.change(pair, NullAt::Core, "became-not-enum", what, (Effect::Widens, rust));
        }
        (Some(old), Some(new)) => (old, new),
    };
    for value in new.iter().filter(|value| !old.iter().any(|known| is_equal(known, value))) {
        let what = format!("new value {}", plain(value));
        walk.change(pair, NullAt::Core, "enum-value-added", what, (Effect::Widens, Level::Additive));
    }
    for value in old.iter().filter(|value| !new.iter().any(|known| is_equal(known, value))) {
        let what = format!("value {} removed", plain(value));
        walk.change(pair, NullAt::Core, "enum-value-removed", what, (Effect::Narrows, Level::Breaking));
    }
}

/// The generator makes types of enums of text and of whole numbers; other constants are numbers or booleans to it.
fn enum_or_text(view: &View<'_>) -> Level {
    let types = view.types();
    let of_numbers = types.contains("integer") && view.value("enum").is_some();
    if types.contains("string") || of_numbers { Level::Breaking } else { Level::Documentation }
}

/// Whether two values are the same in JSON, where 1 is 1.0.
pub(crate) fn is_equal(one: &Value, two: &Value) -> bool {
    let whole = |value: &Value| value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
    match (whole(one), whole(two)) {
        (Some(one), Some(two)) => one == two,
        _ => one == two || one.as_f64().is_some_and(|one| two.as_f64() == Some(one)),
    }
}

pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn items(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) {
    let at = pair.core.inner("[]");
    match (pair.old.child("items"), pair.new.child("items")) {
        (Some(old), Some(new)) => compare(walk, &old, &new, &at),
        (None, Some(new)) if new.has_facts() => {
            let what = "items: any -> typed".to_owned();
            walk.change(pair, NullAt::Core, "type-changed", what, (Effect::Narrows, Level::Breaking));
        }
        (Some(old), None) if old.has_facts() => {
            let what = "items: typed -> any".to_owned();
            walk.change(pair, NullAt::Core, "type-changed", what, (Effect::Widens, Level::Breaking));
        }
        _ => {}
    }
}

/// What other properties an object may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Others {
    None,
    Typed,
    Any,
}

impl Others {
    fn of(view: &View<'_>) -> Self {
        match view.value("additionalProperties") {
            Some(Value::Bool(false)) => Self::None,
            Some(Value::Object(_)) if view.child("additionalProperties").is_some_and(|inner| says_anything(&inner)) => {
                Self::Typed
            }
            _ => Self::Any,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Typed => "typed",
            Self::Any => "any",
        }
    }
}

/// An object of which nothing is said.
pub(crate) fn is_nothing(schema: &Located<'_>) -> bool {
    let view = schema.view();
    let plain =
        view.properties().is_empty() && view.unions().is_empty() && view.child("additionalProperties").is_none();
    plain && view.null.is_none() && view.types() == ["object"].into()
}

fn says_anything(schema: &Located<'_>) -> bool {
    let view = schema.view();
    !view.types().is_empty() || !view.unions().is_empty() || view.values().is_some()
}

fn additional_properties(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) {
    let (old, new) = (Others::of(pair.old), Others::of(pair.new));
    if old != new {
        // Others beside fields are kept as JSON, unless they have a type.
        let map = pair.old.properties().is_empty() && pair.new.properties().is_empty();
        let typed = [old, new].contains(&Others::Typed);
        let rust = if map || typed { Level::Breaking } else { Level::Documentation };
        let what = format!("other properties: {} -> {}", old.name(), new.name());
        let effect = Effect::widens_if(new > old);
        return walk.change(pair, NullAt::Core, "additional-properties-changed", what, (effect, rust));
    }
    if old == Others::Typed
        && let (Some(old), Some(new)) = (pair.old.child("additionalProperties"), pair.new.child("additionalProperties"))
    {
        compare(walk, &old, &new, &pair.core.inner(".*"));
    }
}
