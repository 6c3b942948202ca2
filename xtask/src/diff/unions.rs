//! Unions: branches are matched by tag, by name or by shape, never by their order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::effect::Effect;
use super::report::Level;
use super::schemas;
use super::view::{Located, NullAt, View};
use super::walk::{Change, Pair, Walk};

type Branches<'a> = Vec<(String, Located<'a>)>;

/// Compares the unions of two schemas. Returns false if one is a union and the other is not.
pub(crate) fn compare(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) -> bool {
    let (old, new) = (pair.old.unions(), pair.new.unions());
    match (old.as_slice(), new.as_slice()) {
        ([], []) => return true,
        ([], [(_, branches), ..]) => {
            let whole = pair.old.as_located();
            let kept = branches.iter().any(|branch| schemas::same(walk, &whole, branch));
            let effect = if kept { Effect::Widens } else { Effect::Incomparable };
            let what = "became a union".to_owned();
            walk.change(pair, NullAt::Core, "wrapped-in-one-of", what, (effect, Level::Breaking));
            return false;
        }
        ([(_, branches), ..], []) => {
            let whole = pair.new.as_located();
            let kept = branches.iter().any(|branch| schemas::same(walk, branch, &whole));
            let effect = if kept { Effect::Narrows } else { Effect::Incomparable };
            let what = "is no union any more".to_owned();
            walk.change(pair, NullAt::Core, "type-changed", what, (effect, Level::Breaking));
            return false;
        }
        _ => {}
    }
    if old.len() != new.len() {
        let what = "put together from other unions".to_owned();
        walk.change(pair, NullAt::Core, "type-changed", what, (Effect::Incomparable, Level::Breaking));
        return false;
    }
    tags(walk, pair);
    for ((keyword, old), (now, new)) in old.into_iter().zip(new) {
        let name = if now == "oneOf" { "one-of" } else { "any-of" };
        if keyword != now {
            let what = format!("{keyword} -> {now}");
            walk.change(pair, NullAt::Core, "type-compatible", what, (Effect::Same, Level::Documentation));
        }
        branches(walk, pair, name, labelled(pair.old, old), labelled(pair.new, new));
    }
    true
}

fn branches<'a>(walk: &mut Walk<'_>, pair: &Pair<'_, 'a>, name: &str, old: Branches<'a>, mut new: Branches<'a>) {
    let mut matched = Vec::new();
    let several = several(&[&old, &new]);
    let by_label =
        |(label, _): &(String, Located<'a>), (other, _): &(String, Located<'a>)| label == other && named(label);
    let by_name =
        |one: &(String, Located<'a>), two: &(String, Located<'a>)| by_label(one, two) && !several.contains(&one.0);
    let by_shape = |(_, one): &(String, Located<'a>), (_, two): &(String, Located<'a>)| schemas::same(walk, one, two);
    let by_fields = |(one, old): &(String, Located<'a>), (two, new): &(String, Located<'a>)| {
        !named(one) && !named(two) && share_fields(old, new)
    };
    let left = take(old, &mut new, &mut matched, by_name);
    let left = take(left, &mut new, &mut matched, by_shape);
    let left = take(left, &mut new, &mut matched, by_label);
    let gone = take(left, &mut new, &mut matched, by_fields);
    for (label, old, new) in &matched {
        schemas::compare(walk, old, new, &pair.core.inner(&format!("[{label}]")));
    }
    for (label, branch) in &gone {
        let check = walk.check(pair.core.subject, &format!("{name}-removed"));
        let what = format!("branch {label} removed");
        let change = Change { check, what, effect: Effect::Narrows, rust: Level::Breaking };
        walk.note(change, &pair.core.location, Some(branch.outer()), None);
    }
    for (label, branch) in &new {
        let check = walk.check(pair.core.subject, &format!("{name}-added"));
        // The generated unions keep what they do not know.
        let change =
            Change { check, what: format!("new branch {label}"), effect: Effect::Widens, rust: Level::Additive };
        walk.note(change, &pair.core.location, None, Some(branch.outer()));
    }
}

/// A branch of both documents, with its label.
type Matched<'a> = Vec<(String, Located<'a>, Located<'a>)>;

/// Moves what fits together to `matched`; returns what is left of the old branches.
fn take<'a>(
    old: Branches<'a>,
    new: &mut Branches<'a>,
    matched: &mut Matched<'a>,
    mut fits: impl FnMut(&(String, Located<'a>), &(String, Located<'a>)) -> bool,
) -> Branches<'a> {
    let mut left = Vec::new();
    for branch in old {
        match new.iter().position(|other| fits(&branch, other)) {
            Some(at) => matched.push((branch.0, branch.1, new.remove(at).1)),
            None => left.push(branch),
        }
    }
    left
}

/// Labels that say nothing, since several branches of one document have them: texts of two formats.
fn several(documents: &[&Branches<'_>]) -> BTreeSet<String> {
    let mut several = BTreeSet::new();
    for branches in documents {
        let mut known = BTreeSet::new();
        several.extend(branches.iter().filter(|(label, _)| !known.insert(label)).map(|(label, _)| label.clone()));
    }
    several
}

/// Without a name, the label is only a place.
fn named(label: &str) -> bool {
    !label.starts_with('#')
}

fn share_fields(old: &Located<'_>, new: &Located<'_>) -> bool {
    let (old, new) = (old.view(), new.view());
    let (before, after) = (old.properties(), new.properties());
    // Two maps are one, whatever their values are now.
    let are_maps = before.is_empty() && after.is_empty() && old.types() == new.types();
    are_maps || before.keys().any(|name| after.contains_key(name))
}

fn tag<'a>(view: &View<'a>) -> Option<&'a str> {
    view.value("discriminator")?.get("propertyName")?.as_str()
}

fn labelled<'a>(view: &View<'a>, branches: Vec<Located<'a>>) -> Branches<'a> {
    let tag = tag(view);
    let name = |(index, branch): (usize, Located<'a>)| {
        let label = label(view, tag, &branch).unwrap_or_else(|| format!("#{index}"));
        (label, branch)
    };
    branches.into_iter().enumerate().map(name).collect()
}

/// What a branch is called: the value of its tag, its component, or its type.
fn label(view: &View<'_>, tag: Option<&str>, branch: &Located<'_>) -> Option<String> {
    let inner = branch.view();
    if let Some(tag) = tag {
        let own = inner.properties().get(tag).and_then(|property| property.view().values());
        if let Some([value]) = own.as_deref() {
            return Some(schemas::plain(value));
        }
        if let Some((value, _)) = mapping(view).into_iter().find(|(_, target)| *target == branch.target()) {
            return Some(value);
        }
    }
    if let Some(name) = inner.name {
        return Some(name.to_owned());
    }
    let types = inner.types();
    let simple = types.len() == 1 && !types.contains("object");
    simple.then(|| types.into_iter().collect())
}

/// The value of the tag to the pointer of its component.
fn mapping(view: &View<'_>) -> BTreeMap<String, String> {
    let entries = view.value("discriminator").and_then(|discriminator| discriminator.get("mapping")?.as_object());
    let pointer = |target: &str| {
        if target.starts_with('#') { target.to_owned() } else { format!("#/components/schemas/{target}") }
    };
    let entry = |(value, target): (&String, &Value)| Some((value.clone(), pointer(target.as_str()?)));
    entries.into_iter().flatten().filter_map(entry).collect()
}

fn tags(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) {
    let (change, what, effect, rust) = match (tag(pair.old), tag(pair.new)) {
        (None, Some(tag)) => {
            ("discriminator-added", format!("discriminator {tag} added"), Effect::Narrows, Level::Breaking)
        }
        (Some(tag), None) => {
            ("discriminator-removed", format!("discriminator {tag} removed"), Effect::Widens, Level::Breaking)
        }
        (Some(old), Some(new)) if old != new => {
            let what = format!("discriminator {old} -> {new}");
            ("discriminator-property-name-changed", what, Effect::Incomparable, Level::Breaking)
        }
        (Some(_), Some(_)) => return mappings(walk, pair),
        (None, None) => return,
    };
    walk.change(pair, NullAt::Core, change, what, (effect, rust));
}

/// Entries of the mapping. One for a branch that is new or gone says nothing more than the branch.
fn mappings(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) {
    let (old, new) = (mapping(pair.old), mapping(pair.new));
    for (value, pointer) in &old {
        match (new.get(value), pair.old.branch_at(pointer)) {
            // The component may have been renamed: what changed in it is said of the branch.
            (Some(now), Some(_)) if pair.new.branch_at(pointer).is_none() && pair.old.branch_at(now).is_none() => {}
            (Some(now), Some(was)) => {
                let same = pair.new.branch_at(now).is_some_and(|now| schemas::same(walk, &was, &now));
                if !same && pointer != now {
                    let what = format!("discriminator value {value} is another branch");
                    let levels = (Effect::Incomparable, Level::Breaking);
                    walk.change(pair, NullAt::Core, "discriminator-mapping-changed", what, levels);
                }
            }
            (None, Some(_)) if pair.new.branch_at(pointer).is_some() => {
                let what = format!("discriminator value {value} removed");
                let levels = (Effect::Narrows, Level::Breaking);
                walk.change(pair, NullAt::Core, "discriminator-mapping-deleted", what, levels);
            }
            _ => {}
        }
    }
    for (value, pointer) in new.iter().filter(|(value, _)| !old.contains_key(*value)) {
        if pair.old.branch_at(pointer).is_some() {
            let what = format!("discriminator value {value} added");
            let levels = (Effect::Widens, Level::Additive);
            walk.change(pair, NullAt::Core, "discriminator-mapping-added", what, levels);
        }
    }
}
