//! What narrows a schema besides its type: format, bounds, patterns; and what only accompanies it: defaults, deprecation.

use serde_json::{Number, Value};

use super::effect::{Effect, Side};
use super::references;
use super::report::Level;
use super::schemas;
use super::view::{NullAt, View};
use super::walk::{Pair, Subject, Walk};

/// Compares the constraints of two schemas of one type.
pub(crate) fn compare(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) {
    format(walk, pair);
    for (key, name, upper) in BOUNDS {
        bound(walk, pair, key, name, upper);
    }
    pattern(walk, pair);
    default(walk, pair);
    flags(walk, pair);
    for (key, name) in OTHERS {
        other(walk, pair, key, name);
    }
}

/// A keyword, its name in a check, and whether it bounds from above.
const BOUNDS: [(&str, &str, bool); 10] = [
    ("maximum", "max", true),
    ("exclusiveMaximum", "exclusive-max", true),
    ("maxLength", "max-length", true),
    ("maxItems", "max-items", true),
    ("maxProperties", "max-properties", true),
    ("minimum", "min", false),
    ("exclusiveMinimum", "exclusive-min", false),
    ("minLength", "min-length", false),
    ("minItems", "min-items", false),
    ("minProperties", "min-properties", false),
];

/// Compared as a whole: a change of them is taken for the worst.
const OTHERS: [(&str, &str); 16] = [
    ("multipleOf", "multiple-of"),
    ("uniqueItems", "unique-items"),
    ("not", "not"),
    ("patternProperties", "pattern-property"),
    ("propertyNames", "property-names"),
    ("if", "if"),
    ("then", "then"),
    ("else", "else"),
    ("contains", "contains"),
    ("prefixItems", "prefix-items"),
    ("dependentRequired", "dependent-required"),
    ("dependentSchemas", "dependent-schema"),
    ("unevaluatedItems", "unevaluated-items"),
    ("unevaluatedProperties", "unevaluated-properties"),
    ("contentEncoding", "content-encoding"),
    ("contentMediaType", "content-media-type"),
];

fn format(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) {
    let (old, new) = (format_of(pair.old), format_of(pair.new));
    if old == new {
        return;
    }
    let rust = if rust_type(pair.old) == rust_type(pair.new) { Level::Documentation } else { Level::Breaking };
    let shown = |format: Option<&str>| format.unwrap_or("none").to_owned();
    let what = format!("format {} -> {}", shown(old), shown(new));
    let effect = match (old, new) {
        _ if pair.old.types().contains("number") => Effect::Same,
        (Some("int32"), Some("int64")) | (Some("float"), Some("double")) | (Some(_), None) => Effect::Widens,
        (Some("int64"), Some("int32")) | (Some("double"), Some("float")) | (None, _) => Effect::Narrows,
        _ => Effect::Incomparable,
    };
    walk.change(pair, NullAt::Core, "type-changed", what, (effect, rust));
}

/// The format. 3.1 says of bytes how they are encoded; 3.0 has formats for it.
fn format_of<'a>(view: &View<'a>) -> Option<&'a str> {
    let spelled = || match (view.text("contentEncoding"), view.text("contentMediaType")) {
        (Some("base64"), _) => Some("byte"),
        (None, Some("application/octet-stream")) => Some("binary"),
        _ => None,
    };
    view.text("format").or_else(spelled)
}

/// The formats that the generator makes types of.
fn rust_type(view: &View<'_>) -> &'static str {
    let format = format_of(view);
    match view.types().into_iter().next() {
        Some("string") if format == Some("date-time") => "Timestamp",
        Some("string" | "number") if format == Some("decimal") => "Decimal",
        Some("string") if matches!(format, Some("binary")) => "Binary",
        Some("integer") if format == Some("uint64") => "u64",
        Some("integer") => "i64",
        Some("number") => "f64",
        _ => "",
    }
}

fn bound(walk: &mut Walk<'_>, pair: &Pair<'_, '_>, key: &str, name: &str, upper: bool) {
    let (old, new) = (pair.old.bound(key), pair.new.bound(key));
    let (change, effect) = match (&old, &new) {
        (None, Some(_)) => ("set", Effect::Narrows),
        (Some(_), None) => ("unset", Effect::Widens),
        (Some(old), Some(new)) if size(old) < size(new) => ("increased", Effect::widens_if(upper)),
        (Some(old), Some(new)) if size(old) > size(new) => ("decreased", Effect::widens_if(!upper)),
        _ => return,
    };
    let shown = |bound: Option<Number>| bound.map_or_else(|| "none".to_owned(), |bound| bound.to_string());
    let what = format!("{key} {} -> {}", shown(old), shown(new));
    walk.change(pair, NullAt::Core, &format!("{name}-{change}"), what, (effect, Level::Documentation));
}

/// Bounds are compared, never calculated with.
fn size(bound: &Number) -> f64 {
    bound.as_f64().unwrap_or(f64::NAN)
}

fn pattern(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) {
    let (old, new) = (pair.old.text("pattern"), pair.new.text("pattern"));
    let (change, what, effect) = match (old, new) {
        (None, Some(new)) => ("added", format!("pattern {new}"), Effect::Narrows),
        (Some(old), None) => ("removed", format!("pattern {old} removed"), Effect::Widens),
        (Some(old), Some(new)) if old != new => ("changed", format!("pattern {old} -> {new}"), Effect::Incomparable),
        _ => return,
    };
    walk.change(pair, NullAt::Core, &format!("pattern-{change}"), what, (effect, Level::Documentation));
}

/// Who leaves a value out gets another one; the set of valid requests stays.
fn default(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) {
    let (old, new) = (pair.old.keyword("default"), pair.new.keyword("default"));
    let (change, what) = match (old, new) {
        (None, Some((new, _))) => ("added", format!("default {}", schemas::plain(new))),
        (Some((old, _)), None) => ("removed", format!("default {} removed", schemas::plain(old))),
        (Some((old, _)), Some((new, _))) if !schemas::is_equal(old, new) => {
            ("changed", format!("default {} -> {}", schemas::plain(old), schemas::plain(new)))
        }
        _ => return,
    };
    let place = old.or(new).map_or(NullAt::Core, |(_, place)| place);
    let effect = if walk.side == Side::Request { Effect::Adds } else { Effect::Same };
    walk.change(pair, place, &format!("default-value-{change}"), what, (effect, Level::Documentation));
}

fn flags(walk: &mut Walk<'_>, pair: &Pair<'_, '_>) {
    let (old, new) = (pair.old.is("deprecated"), pair.new.is("deprecated"));
    if old != new {
        // Only a field carries the attribute, and users see a warning.
        let rust = if pair.outer.subject == Subject::Property { Level::Additive } else { Level::Documentation };
        let (change, what) =
            if new { ("deprecated", "deprecated") } else { ("reactivated", "not deprecated any more") };
        walk.change(pair, NullAt::Use, change, what.to_owned(), (Effect::Same, rust));
    }
}

fn other(walk: &mut Walk<'_>, pair: &Pair<'_, '_>, key: &str, name: &str) {
    let plain = |view: &View<'_>| view.value(key).filter(|value| says_something(key, value)).map(without_prose);
    let (change, what, effect) = match (plain(pair.old), plain(pair.new)) {
        (None, Some(_)) => ("added", format!("{key} added"), Effect::Narrows),
        (Some(_), None) => ("removed", format!("{key} removed"), Effect::Widens),
        (Some(old), Some(new)) if old != new => ("changed", format!("{key} changed"), Effect::Incomparable),
        _ => return,
    };
    walk.change(pair, NullAt::Core, &format!("{name}-{change}"), what, (effect, Level::Documentation));
}

/// Spelled out, or what a format says, too: 3.0 has formats for both.
fn says_something(key: &str, value: &Value) -> bool {
    match key {
        "uniqueItems" => value != false,
        "contentEncoding" => value != "base64",
        "contentMediaType" => value != "application/octet-stream",
        _ => true,
    }
}

pub(super) fn without_prose(value: &Value) -> Value {
    facts(value, false)
}

/// `named` if the keys are names: a property may be called `title`.
fn facts(value: &Value, named: bool) -> Value {
    let prose = |key: &str| matches!(key, "description" | "title" | "example" | "examples") || key.starts_with("x-");
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(key, _)| named || !prose(key))
            .map(|(key, inner)| (key.clone(), facts(inner, !named && references::has_names(key, inner))))
            .collect(),
        Value::Array(items) => items.iter().map(|item| facts(item, false)).collect(),
        other => other.clone(),
    }
}
