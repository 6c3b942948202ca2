//! How a name is made of a published one. Pure text.

use heck::{ToSnakeCase, ToUpperCamelCase};

use super::naming::Named;
use crate::names::objection;

/// Names that a person would choose, the best first.
pub(super) fn candidates(published: &str, named: &Named<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if objection(published).is_none() {
        found.push(published.to_owned());
    }
    if let Some(filter) = of_parameter(published) {
        found.push(filter);
    }
    // Of what it is a part: the longest component whose name it begins with.
    let part_of = |owner: &str| published.len() > owner.len() && published.starts_with(owner) && words(owner).len() > 1;
    let owners = named.iter().filter(|(owner, _)| part_of(owner));
    let mut owners: Vec<_> =
        owners.filter(|(owner, _)| published[owner.len()..].starts_with(char::is_uppercase)).collect();
    owners.sort_by_key(|(owner, _)| std::cmp::Reverse(owner.len()));
    for (owner, name) in owners {
        let part = without_places(&published[owner.len()..]);
        found.push(shortened(&format!("{}{part}", stem(name))));
        found.push(shortened(&format!("{name}{part}")));
    }
    let whole = without_places(published);
    found.push(shortened(&whole));
    found.push(whole);
    for suffix in ["Input", "Request", "Response", "Detail"] {
        if published.contains(suffix) {
            let base = found[0].clone();
            found.push(shortened(&format!("{base}{suffix}")));
        }
    }
    found.push(format!("{published}Model"));
    found
}

/// The last two words, places left out.
pub(super) fn ending(published: &str) -> Vec<String> {
    let words = words(&without_places(published));
    words[words.len().saturating_sub(2)..].to_vec()
}

fn stem(name: &str) -> &str {
    ["Input", "Output", "Request", "Response"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// `CreditsCurrenciesGetParametersStatus` is `CreditCurrencyStatusFilter`, `OrdersIdSeatsGetParametersStatus` is
/// `SeatStatusFilter`.
fn of_parameter(published: &str) -> Option<String> {
    let (resource, name, suffix) = ["Get", "Post", "Patch", "Put", "Delete"].iter().find_map(|method| {
        let (resource, name) = published.split_once(&format!("{method}Parameters"))?;
        Some((resource, name, if *method == "Get" { "Filter" } else { "" }))
    })?;
    // Behind the last id of the path stands what is listed.
    let words = words(resource);
    let after = words.iter().rposition(|word| word == "Id").map_or(0, |at| at + 1);
    let listed = if after < words.len() { &words[after..] } else { &words[..] };
    let listed: String = listed.iter().filter(|word| *word != "Id").map(|word| singular(word)).collect();
    Some(shortened(&format!("{listed}{name}{suffix}")))
}

fn words(name: &str) -> Vec<String> {
    name.to_snake_case().split('_').map(ToUpperCamelCase::to_upper_camel_case).collect()
}

fn singular(word: &str) -> String {
    match word {
        _ if word.ends_with("ies") => format!("{}y", &word[..word.len() - 3]),
        _ if ["sses", "ches", "shes", "xes"].iter().any(|end| word.ends_with(end)) => word[..word.len() - 2].to_owned(),
        _ if word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us") => word[..word.len() - 1].to_owned(),
        _ => word.to_owned(),
    }
}

/// Without the words for places in the document, and without digits at the end.
fn without_places(name: &str) -> String {
    let name = name.trim_end_matches(|last: char| last.is_ascii_digit());
    let mut kept: Vec<String> = Vec::new();
    for word in words(name) {
        match word.as_str() {
            "Items" => {
                if let Some(last) = kept.pop() {
                    kept.push(singular(&last));
                }
            }
            "Discriminator" | "Mapping" => {}
            _ => kept.push(word),
        }
    }
    kept.concat()
}

/// The last words count most: the first ones are dropped until a name is short enough.
fn shortened(name: &str) -> String {
    let mut words = words(name);
    while words.len() > 2 && words.iter().map(String::len).sum::<usize>() > 40 {
        words.remove(0);
    }
    words.concat()
}
