//! What a doc comment says beyond the name of its item.

use std::collections::BTreeSet;

/// Words that hold sentences together, and words that fit every item.
const EMPTY: &str = "a all an and any are as at be been both but by can could do does each either else for from had has have \
    here how if in into is it its just may means more neither no nor not of on one only or other out over own same such than \
    that the their them then there these they this those through to under until up upon was were what when where whether which \
    while who whose will with within without would you your \
    create data default define describe entry enum field get given hold kind name new object option optional property record \
    represent request response return set struct thing type use value";

/// How sentences of the generator begin that fit every item of their kind: each goes on to its full stop.
pub(crate) const FORMULAS: [&str; 10] = [
    "with its optional parameters; `.await` or [`send`](Self::send) sends it",
    "from its required fields",
    "from all of its fields",
    "without fields; the methods below set them",
    "The methods below set the others",
    "Not in Paid's published document yet; known from",
    "Sent by ",
    "Taken by ",
    "The answer of ",
    "Answers have it in ",
];

/// Whether the doc says more than these names do, or shows how the item is used. A part, such as a field or its setter, stands
/// below its owner, which says what it is about: one word is enough there.
pub(crate) fn says_more(doc: &str, names: &[&str], is_part: bool) -> bool {
    doc.contains("```") || own_words(doc, names).len() >= if is_part { 1 } else { 2 }
}

/// The words of a doc that neither its names have nor every doc.
pub(crate) fn own_words(doc: &str, names: &[&str]) -> BTreeSet<String> {
    let known: BTreeSet<_> = names.iter().flat_map(|name| words(&apart(name))).collect();
    let empty: BTreeSet<_> = EMPTY.split_whitespace().map(stem).collect();
    let said = words(&prose(doc)).into_iter();
    said.filter(|word| !known.contains(word) && !empty.contains(word)).collect()
}

/// What is prose: without lists of facts in brackets, targets of links, formulas, and the section on errors.
fn prose(doc: &str) -> String {
    let doc = doc.split("\n# Errors").next().unwrap_or_default();
    let doc = FORMULAS.iter().fold(doc.to_owned(), |doc, formula| without_sentence(&doc, formula));
    ["](", "(`", "` ("].iter().fold(doc, |doc, open| without(&doc, open, ')'))
}

/// Without what stands from each `start` up to its full stop.
fn without_sentence(text: &str, start: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(start) {
        left.push_str(&rest[..at]);
        left.push(' ');
        let inside = &rest[at + start.len()..];
        let ends = inside.char_indices().filter(|(_, letter)| *letter == '.').map(|(at, _)| at + 1);
        let end = ends.into_iter().find(|end| inside[*end..].chars().next().is_none_or(char::is_whitespace));
        rest = end.map_or("", |end| &inside[end..]);
    }
    left + rest
}

/// Without what stands from each `open` up to the `close` that belongs to it.
fn without(text: &str, open: &str, close: char) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(open) {
        left.push_str(&rest[..at]);
        left.push(' ');
        let inside = &rest[at + open.len()..];
        let mut depth = 1;
        let end = inside.char_indices().find(|(_, letter)| {
            depth += i32::from(*letter == '(') - i32::from(*letter == close);
            depth == 0
        });
        rest = end.map_or("", |(end, _)| &inside[end + 1..]);
    }
    left + rest
}

/// `CreateOrderRequest` and `create_order` as words.
fn apart(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            text.push(' ');
        }
        text.push(if letter == '_' { ' ' } else { letter });
    }
    text
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(stem).filter(|word| word.chars().count() > 1 || word.parse::<u32>().is_ok()).collect()
}

/// The word without its ending.
fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    let word = match word.strip_suffix("ies") {
        Some(start) if start.len() > 1 => format!("{start}y"),
        _ => word,
    };
    let endings = ["ing", "ed", "es", "s", "e"];
    let start = endings.iter().find_map(|ending| word.strip_suffix(ending).filter(|start| start.len() > 2));
    start.unwrap_or(&word).to_owned()
}

#[test]
fn the_name_in_other_words_is_not_enough() {
    for (doc, names, is_part) in [
        ("The field `id` (string).", ["Order", "id"], true),
        ("Sets [`quantity`](Self::quantity).", ["Order", "quantity"], false),
        ("Order seat list response.", ["OrderSeatListResponse", ""], false),
        ("Creates a request from its required fields: [`name`](Self::name).", ["CreateOrderRequest", "new"], false),
        (
            "Order seat list.\n\nThe answer of [`Orders::seats`](crate::resources::Orders::seats).",
            ["OrderSeatList", ""],
            false,
        ),
        ("Price (`pricing`, [`OrderLinePricing`]).", ["Plan", "pricing"], true),
        ("Days.", ["DurationUnit", "Days"], true),
        ("The created orders.\n\n# Errors\n\nEvery failure is an error.", ["Orders", "create"], false),
    ] {
        assert!(!says_more(doc, &names, is_part), "{doc}: {:?}", own_words(doc, &names));
    }
}

#[test]
fn meaning_bounds_and_examples_are() {
    for (doc, names, is_part) in [
        ("Last day that is billed (`endDate`, string).", ["Order", "end_date"], true),
        ("Maximum number of items on a page (`limit`, integer).", ["ListOrders", "limit"], false),
        ("The order.\n\n```\nlet order = 1;\n```", ["Order", ""], false),
        ("At most 250 characters.", ["Order", "name"], true),
    ] {
        assert!(says_more(doc, &names, is_part), "{doc}: {:?}", own_words(doc, &names));
    }
}
