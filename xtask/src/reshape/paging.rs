//! Which lists go on, and how: by the number of items before, by the number of a page, or from where the page before ended. A list is
//! recognised where all parts fit; where one is missing or of another type, the answer is a plain answer.

use anyhow::Result;
use proc_macro2::TokenStream;
use quote::quote;

use super::syntax::{items, rust_name};
use crate::document;
use crate::facts::{Facts, Field, Form, Kind, Operation, Payload, Shape};

/// How a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paging {
    /// The parameter that asks for the next page; `None` for `offset`.
    pub(super) parameter: Option<&'static str>,
    item: String,
    list: String,
    end: End,
}

/// What a page says of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// In the ways of Paid's document, by the name of the runtime's rule.
    Known(&'static str),
    /// By a field, at this path, that the rule reads.
    Field { rule: &'static str, path: Vec<String> },
    /// By a flag; the next page begins after the last item, whose id this field is.
    LastItem { path: Vec<String>, id: String },
}

/// Parameters that ask for what follows a cursor, with the fields that say it.
const CURSORS: [(&str, [&str; 2]); 5] = [
    ("cursor", ["next_cursor", "nextCursor"]),
    ("page_token", ["next_page_token", "nextPageToken"]),
    ("pageToken", ["nextPageToken", "next_page_token"]),
    ("next_token", ["next_token", "nextToken"]),
    ("nextToken", ["nextToken", "next_token"]),
];

/// Parameters that ask for what follows an item.
const AFTER: [&str; 2] = ["starting_after", "after"];

/// Where a page may say how it ends, besides its own fields.
const PLACES: [&str; 4] = ["pagination", "meta", "paging", "page_info"];

/// How the list of an operation goes on; `None` if its answer is a plain answer.
pub(super) fn of(facts: &Facts, operation: &Operation) -> Option<Paging> {
    let own = fitting(facts, operation)?;
    let answer = operation.answer.as_ref()?.component()?;
    // An answer is a page in one way.
    let first = lists(facts, answer).next()?;
    (first.item == own.item && first.list == own.list && first.end == own.end).then_some(own)
}

/// The line that makes an answer a page, where some list answers with it. `root` is the path of the runtime.
pub(super) fn page_of(facts: &Facts, answer: &str, root: &syn::Path) -> Result<Vec<syn::Item>> {
    let Some(Paging { item, list, end, .. }) = lists(facts, answer).next() else { return Ok(Vec::new()) };
    let (answer, item, list) = (rust_name(answer)?, rust_name(&item)?, rust_name(&list)?);
    let path = |path: &[String]| -> Result<TokenStream> {
        let names = path.iter().map(|name| rust_name(name)).collect::<Result<Vec<_>>>()?;
        Ok(quote!(#(#names).*))
    };
    items(match &end {
        End::Known(rule) => {
            let rule = rust_name(rule)?;
            quote!(#root::__page!(#answer, #item, #rule);)
        }
        End::Field { rule, path: at } => {
            let (rule, path) = (rust_name(rule)?, path(at)?);
            quote!(#root::__page!(#answer, #item, #list, #rule #path);)
        }
        End::LastItem { path: at, id } => {
            let (path, id) = (path(at)?, rust_name(id)?);
            quote!(#root::__page!(#answer, #item, #list, has_more #path or #id);)
        }
    })
}

fn lists<'a>(facts: &'a Facts, answer: &'a str) -> impl Iterator<Item = Paging> + 'a {
    let operations = facts.resources.iter().flat_map(|resource| &resource.operations);
    let of_answer =
        operations.filter(move |operation| operation.answer.as_ref().and_then(Payload::component) == Some(answer));
    of_answer.filter_map(|operation| fitting(facts, operation))
}

fn fitting(facts: &Facts, operation: &Operation) -> Option<Paging> {
    let payload = operation.answer.as_ref().filter(|payload| !payload.optional && payload.form == Form::Json)?;
    let answer = Answer { facts, fields: structure(facts, payload.component()?)? };
    let has = |name: &str, kind: Kind| operation.query.iter().any(|field| field.wire == name && field.kind == kind);
    // A builder sets it, and a stream in its place.
    let asks = |name: &str, kind: Kind| {
        operation.query.iter().any(|field| field.wire == name && field.kind == kind && !field.required)
    };
    if has("limit", Kind::Integer) && has("offset", Kind::Integer) {
        return answer.counted();
    }
    if asks("page", Kind::Integer) {
        return answer.numbered();
    }
    let cursor = CURSORS.iter().find(|(name, _)| asks(name, Kind::Text));
    if let Some((parameter, said)) = cursor {
        return answer.with_cursor(parameter, said);
    }
    // A date to begin after is no item.
    let is_plain = |name: &str| operation.query.iter().any(|field| field.wire == name && field.format.is_none());
    let after = AFTER.iter().find(|name| asks(name, Kind::Text) && is_plain(name))?;
    answer.after_items(after)
}

fn structure<'a>(facts: &'a Facts, name: &str) -> Option<&'a [Field]> {
    match &facts.types.get(name)?.shape {
        Shape::Struct(fields) => Some(fields),
        _ => None,
    }
}

struct Answer<'a> {
    facts: &'a Facts,
    fields: &'a [Field],
}

impl Answer<'_> {
    /// The only list, or `data` if there are several.
    fn list_field(&self) -> Option<&Field> {
        let mut lists = self.fields.iter().filter(|field| field.kind == Kind::Array);
        let field = lists.next()?;
        let field = match lists.next() {
            None => Some(field),
            Some(_) => self.fields.iter().find(|field| field.wire == "data" && field.kind == Kind::Array),
        };
        field.filter(|field| item(field).is_some())
    }

    /// Its name, and the type of its items.
    fn list(&self) -> Option<(String, String)> {
        let field = self.list_field()?;
        Some((field.ident.clone(), item(field)?))
    }

    /// A field of the page, or of the part of it that tells how it ends.
    fn field(&self, names: &[&str], kind: &Kind) -> Option<Vec<String>> {
        let named = |fields: &[Field]| {
            let fits = |field: &&Field| names.contains(&field.wire.as_str()) && field.kind == *kind;
            fields.iter().find(fits).map(|field| field.ident.clone())
        };
        let below = || {
            self.fields.iter().find_map(|part| {
                let Kind::Component(name) = &part.kind else { return None };
                if !PLACES.contains(&part.wire.as_str()) || !is_there(part) {
                    return None;
                }
                Some(vec![part.ident.clone(), named(structure(self.facts, name)?)?])
            })
        };
        named(self.fields).map(|name| vec![name]).or_else(below)
    }

    /// By `limit` and `offset`.
    fn counted(&self) -> Option<Paging> {
        let (list, item) = self.list()?;
        let is_known = self.list_field().is_some_and(|field| field.wire == "data" && is_there(field));
        let known = is_known.then(|| self.known_end()).flatten().map(End::Known);
        let flag =
            || Some(End::Field { rule: "has_more", path: self.field(&["has_more", "hasMore"], &Kind::Boolean)? });
        // Beside a list of another name, a total may be one of money.
        let total = || {
            let path = self.field(&["total", "total_count"], &Kind::Integer)?;
            (list == "data" || path.len() > 1).then_some(End::Field { rule: "total", path })
        };
        let end = known.or_else(flag).or_else(total)?;
        Some(Paging { parameter: None, item, list, end })
    }

    fn known_end(&self) -> Option<&'static str> {
        self.fields.iter().find_map(|field| match (field.wire.as_str(), &field.kind) {
            ("pagination", Kind::Component(name)) if says_whether_more_follow(self.facts, name) => {
                Some(if is_there(field) { "pagination" } else { "optional_pagination" })
            }
            ("total", Kind::Integer) => Some("total"),
            _ => None,
        })
    }

    /// By the number of a page: the page says which one is next.
    fn numbered(&self) -> Option<Paging> {
        let (list, item) = self.list()?;
        let path = self.field(&["next_page", "nextPage"], &Kind::Integer)?;
        Some(Paging { parameter: Some("page"), item, list, end: End::Field { rule: "next_page", path } })
    }

    /// By a cursor, which the page says.
    fn with_cursor(&self, parameter: &'static str, said: &[&str]) -> Option<Paging> {
        let (list, item) = self.list()?;
        let path = self.field(said, &Kind::Text)?;
        Some(Paging { parameter: Some(parameter), item, list, end: End::Field { rule: "next", path } })
    }

    /// By the id of the last item.
    fn after_items(&self, parameter: &'static str) -> Option<Paging> {
        let (list, item) = self.list()?;
        let path = self.field(&["has_more", "hasMore"], &Kind::Boolean)?;
        let is_id = |field: &&Field| field.wire == "id" && field.kind == Kind::Text;
        let id = structure(self.facts, &item)?.iter().find(is_id)?.ident.clone();
        Some(Paging { parameter: Some(parameter), item, list, end: End::LastItem { path, id } })
    }
}

/// Whether an answer always has the field.
fn is_there(field: &Field) -> bool {
    field.required && !field.nullable && !field.lenient
}

fn item(list: &Field) -> Option<String> {
    document::referenced(list.schema.get("items")?).map(str::to_owned)
}

fn says_whether_more_follow(facts: &Facts, name: &str) -> bool {
    let fields = structure(facts, name).unwrap_or_default();
    fields.iter().any(|field| field.ident == "has_more" && field.kind == Kind::Boolean)
}
