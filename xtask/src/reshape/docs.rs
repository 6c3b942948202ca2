//! Documentation comments: prose from the overlay, then the facts of the wire.

use anyhow::{Context, Result};
use heck::ToTitleCase;
use syn::parse::Parser;

use super::Target;
use crate::facts::{Branch, EXPERIMENTAL, EnumValue, Field, Kind, Operation, Resource, Type};

/// Attributes for quoted items.
pub(crate) fn attributes(text: &str) -> proc_macro2::TokenStream {
    clean(text)
        .lines()
        .map(|line| {
            let line = if line.is_empty() { String::new() } else { format!(" {line}") };
            quote::quote!(#[doc = #line])
        })
        .collect()
}

/// A comment has no control characters, and none that change the direction of text.
fn clean(text: &str) -> String {
    let directions = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = |letter: char| if letter.is_control() && letter != '\t' { '\n' } else { letter };
    text.replace("\r\n", "\n").chars().filter(|letter| !directions(*letter)).map(plain).collect()
}

/// The same for a file.
pub(crate) fn inner(text: &str) -> Result<Vec<syn::Attribute>> {
    let text = clean(text);
    let lines = text.lines().map(|line| format!(" {line}"));
    syn::Attribute::parse_inner.parse2(quote::quote!(#(#![doc = #lines])*)).context("a file's documentation")
}

/// What Paid's published document does not have says where it is known from.
fn origin(source: &str) -> String {
    format!("Not in Paid's published document yet; known from {}.", source.replace(", ", " and "))
}

/// A type: its prose, or else its name in words, which operations use it, and where it is known from.
pub(crate) fn of_type(name: &str, known: &Type) -> String {
    let paragraphs = [type_in_prose(name, known), known.uses.join(" ")];
    let paragraphs = paragraphs.into_iter().chain(known.source.as_deref().map(origin));
    paragraphs.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn type_in_prose(name: &str, known: &Type) -> String {
    known.doc.clone().unwrap_or_else(|| {
        let words = name.to_title_case();
        let mut letters = words.to_lowercase().chars().collect::<Vec<_>>();
        if let Some(first) = letters.first_mut() {
            *first = first.to_ascii_uppercase();
        }
        format!("{}.", letters.into_iter().collect::<String>())
    })
}

/// A value of an enum: its prose, then the value on the wire.
pub(crate) fn of_value(known: &EnumValue) -> String {
    let value = &known.value;
    match &known.doc {
        Some(prose) => format!("{} (`{value}`).", prose.trim_end_matches('.')),
        None => format!("The value `{value}`."),
    }
}

/// A branch of a union, in the words of its type if it has some.
pub(crate) fn of_variant(tag: &str, value: &str, known: Option<&Type>) -> String {
    match known.and_then(|known| known.doc.as_deref()) {
        Some(prose) => format!("{} (`{tag}` is `{value}`).", first_sentence(prose)),
        None => format!("An object with `{tag}` set to `{value}`."),
    }
}

/// Without the full stop.
fn first_sentence(prose: &str) -> &str {
    let paragraph = prose.split("\n\n").next().unwrap_or_default();
    paragraph.split_once(". ").map_or(paragraph, |(sentence, _)| sentence).trim_end_matches('.')
}

/// A branch of a union that is told apart by what can be seen.
pub(crate) fn of_branch(branch: &Branch) -> String {
    let article = if branch.rule.is.starts_with(['a', 'e', 'i', 'o']) { "An" } else { "A" };
    let keys = branch.rule.keys.iter().map(|(key, _, values)| match values.as_slice() {
        [] => format!("`{key}`"),
        values => format!("`{key}` set to `{}`", values.join("` or `")),
    });
    let keys: Vec<_> = keys.collect();
    let with = if keys.is_empty() { String::new() } else { format!(" with {}", keys.join(", ")) };
    format!("{article} {}{with}.", branch.rule.is)
}

/// A branch of a choice.
pub(crate) fn of_key(key: &str) -> String {
    format!("An object with the key `{key}`.")
}

/// The constructor of a request, or of a part of one, from the fields that it must have.
pub(crate) fn of_constructor(name: &str, required: &[String], has_more: bool) -> String {
    let what = if name.ends_with("Request") { "a request".to_owned() } else { format!("{} `{name}`", article(name)) };
    let fields: Vec<_> = required.iter().map(|field| format!("[`{field}`](Self::{field})")).collect();
    match (fields.as_slice(), has_more) {
        ([], _) => format!("Creates {what} without fields; the methods below set them."),
        (fields, false) => {
            format!("Creates {what} from all of its fields: {}.", in_a_row(fields))
        }
        (fields, true) => {
            format!("Creates {what} from its required fields: {}. The methods below set the others.", in_a_row(fields))
        }
    }
}

fn in_a_row(words: &[String]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => words.join(", "),
    }
}

/// The setter of a field: what the field is. In a request, null has a meaning of its own.
pub(crate) fn of_setter(ident: &str, field: &Field, is_patch: bool) -> String {
    let prose = field.doc.as_deref().map(|prose| format!(" {}.", prose.trim_end_matches('.'))).unwrap_or_default();
    let null = if is_patch { " [`Patch::Clear`] sends null." } else { "" };
    format!("Sets [`{ident}`](Self::{ident}).{prose}{null}")
}

/// The builder of an operation with optional parameters.
pub(crate) fn of_builder(operation: &Operation) -> String {
    let request = format!("`{} {}`", operation.http_method, operation.path);
    let sends = "with its optional parameters; `.await` or [`send`](Self::send) sends it.";
    match &operation.doc {
        Some(prose) => format!("{}.\n\n{request} {sends}", first_sentence(prose)),
        None => format!("{request} {sends}"),
    }
}

fn article(name: &str) -> &'static str {
    let vowel = name.starts_with(['A', 'E', 'I', 'O']) || name.starts_with("Up");
    let sounds_like_a_vowel = vowel && !name.starts_with("One");
    if sounds_like_a_vowel { "an" } else { "a" }
}

/// A property or parameter: prose, then what stands on the wire.
pub(crate) fn of_field(field: &Field) -> String {
    let (wire, facts) = (&field.wire, wire_facts(field));
    let text = match &field.doc {
        Some(prose) if field.flatten || field.additional => format!("{}.", prose.trim_end_matches('.')),
        Some(prose) => format!("{} (`{wire}`, {facts}).", prose.trim_end_matches('.')),
        None => format!("The field `{wire}` ({facts})."),
    };
    field.source.as_ref().map_or(text.clone(), |source| format!("{text} {}", origin(source)))
}

fn wire_facts(field: &Field) -> String {
    let mut facts = vec![type_in_words(field)];
    facts.extend(field.limits.iter().cloned());
    if field.nullable {
        facts.push("may be null".into());
    }
    if field.lenient {
        facts.push("an answer may lack it".into());
    }
    if let Some(default) = &field.default {
        facts.push(format!("default `{}`", default.as_str().map_or_else(|| default.to_string(), str::to_owned)));
    }
    facts.join(", ")
}

fn type_in_words(field: &Field) -> String {
    let word = match (&field.kind, field.format.as_deref()) {
        (Kind::Text, Some("date-time")) => "RFC 3339 time",
        (_, Some("email")) => "e-mail address",
        (_, Some("uri")) => "URL",
        (Kind::Integer | Kind::Unsigned, _) => "integer",
        (Kind::Number, _) => "number",
        (Kind::Decimal, _) => "exact number",
        (Kind::DecimalText, _) => "exact number in a string",
        (Kind::Boolean, _) => "boolean",
        (Kind::Text | Kind::Newtype(_), _) => "string",
        (Kind::Array, _) => "list",
        (Kind::Map, _) => "object",
        (Kind::Any, _) => "any JSON",
        (Kind::Component(name), _) => return format!("[`{name}`]"),
    };
    word.to_owned()
}

/// The module of a resource's types, with the types of others that it needs.
pub(crate) fn of_room(resource: &Resource, shared: &[&str]) -> String {
    let (feature, handle) = (&resource.feature, resource.type_name());
    let mut text =
        resource.doc.clone().unwrap_or_else(|| format!("What requests of `{feature}` send, and their answers."));
    text.push_str(&format!(
        "\n\nThese types are what the methods of [`{handle}`](crate::resources::{handle}) send and answer with. Feature `{feature}`."
    ));
    if !shared.is_empty() {
        let links: Vec<_> = shared.iter().map(|name| format!("[`{name}`]")).collect();
        text.push_str(&format!("\n\nOther resources need these types, too: {}.", links.join(", ")));
    }
    text
}

/// What finds the same by an id of the caller's own: a method beside this one, or a filter of the list.
fn by_your_own_id(resource: &Resource, operation: &Operation) -> Option<String> {
    let stays = |other: &&Operation| !other.is_experimental() || operation.is_experimental();
    let named = |name: &str| resource.operations.iter().filter(stays).find(|other| other.name == name);
    let beside = format!("{}_by_external_id", operation.name);
    if named(&beside).is_some() {
        return Some(format!("\n\nWith your own id instead: [`{beside}`](Self::{beside})."));
    }
    let filter = named("list")?.query.iter().find(|field| field.wire == "externalId" && !field.required)?;
    let is_get = operation.name == "get" && !operation.path_parameters.is_empty();
    is_get.then(|| format!("\n\nBy an id of your own, [`list`](Self::list) finds it, with `{}`.", filter.ident))
}

/// An operation: prose, method and path, errors.
pub(crate) fn of_operation(resource: &Resource, operation: &Operation, is_paged: bool, target: Target) -> String {
    let mut text = operation.doc.clone().unwrap_or_else(|| format!("Operation `{}`.", operation.id));
    text.push_str(&by_your_own_id(resource, operation).unwrap_or_default());
    if is_paged {
        text.push_str(&format!(
            "\n\nThe answer is one page; [`stream`]({}::stream) reads on to the end.",
            operation.builder()
        ));
    }
    text.push_str(&format!("\n\n`{} {}`", operation.http_method, operation.path));
    if operation.is_experimental() {
        text.push_str(&format!("\n\nExperimental: Paid may change it without notice. Feature `{EXPERIMENTAL}`."));
    }
    if let Some(source) = &operation.source {
        text.push_str(&format!("\n\n{}", origin(source)));
    }
    text.push_str("\n\n# Errors\n\n");
    if !operation.errors.is_empty() {
        text.push_str(&format!("Documented statuses: {}. ", operation.errors.join(", ")));
    }
    text.push_str(&format!("Every failure is an [`Error`]({}::Error).", target.crate_name()));
    text
}
