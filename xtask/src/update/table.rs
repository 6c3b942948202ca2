//! Edits `names.yaml` as a person would: an entry more, an entry less, everything else as it stands.

use anyhow::{Result, ensure};

use super::naming::Proposal;
use crate::names::NameTable;

/// Above what a person has not seen yet.
const MARK: &str = "  # Proposed by `cargo xtask spec update`; review, then remove this line.";

/// The table with these proposals.
pub(crate) fn with(text: &str, proposals: &[Proposal]) -> Result<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (mut renames, mut keeps, mut aparts) = (Vec::new(), Vec::new(), Vec::new());
    for proposal in proposals {
        match proposal {
            Proposal::Remove(entry) => remove(&mut lines, entry),
            Proposal::Split { pattern, others, .. } => replace(&mut lines, pattern, others),
            Proposal::Rename { published, name } => {
                if !append(&mut lines, name, published) {
                    // A name that was good as published now means several.
                    let kept = lines.iter().any(|line| line.trim() == format!("- {name}"));
                    remove_kept(&mut lines, name);
                    let own = if kept { format!("{name}, ") } else { String::new() };
                    renames.push((name.clone(), format!("{own}{published}")));
                }
            }
            Proposal::Keep(name) => keeps.push(format!("  - {name}")),
            Proposal::Apart(names) => aparts.push(format!("  - [{}]", names.join(", "))),
        }
    }
    insert(&mut lines, "rename:", grouped(renames));
    insert(&mut lines, "keep:", keeps);
    insert(&mut lines, "apart:", aparts);
    let edited = lines.join("\n") + "\n";
    let edited = if proposals.is_empty() { text.to_owned() } else { edited };
    ensure!(
        NameTable::parse(&edited).is_ok(),
        "openapi/names.yaml cannot be edited; its YAML is not written as it was"
    );
    Ok(edited)
}

/// One line for each name.
fn grouped(renames: Vec<(String, String)>) -> Vec<String> {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for (name, published) in renames {
        match lines.iter_mut().find(|(known, _)| *known == name) {
            Some((_, all)) => all.push(published),
            None => lines.push((name, vec![published])),
        }
    }
    lines.into_iter().map(|(name, published)| format!("  {name}: [{}]", published.join(", "))).collect()
}

/// The entries of a line `  Name: [a, 'b*']`.
fn entries(line: &str) -> Option<(&str, Vec<String>)> {
    let (name, list) = line.strip_prefix("  ")?.split_once(": [")?;
    let list = list.strip_suffix(']')?;
    Some((name, list.split(',').map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty()).collect()))
}

fn unquoted(entry: &str) -> &str {
    entry.trim_matches(|letter| letter == '\'' || letter == '"')
}

fn written(name: &str, entries: &[String]) -> String {
    format!("  {name}: [{}]", entries.join(", "))
}

/// The lines of `rename`, to which entries belong.
fn renames(lines: &[String]) -> std::ops::Range<usize> {
    let start = lines.iter().position(|line| line == "rename:").map_or(lines.len(), |at| at + 1);
    start..end(lines, start)
}

fn end(lines: &[String], start: usize) -> usize {
    let next = lines[start..].iter().position(|line| line.starts_with(char::is_alphabetic));
    next.map_or(lines.len(), |at| start + at)
}

/// A published name more for a name that is there.
fn append(lines: &mut [String], name: &str, published: &str) -> bool {
    for at in renames(lines) {
        if let Some((known, mut all)) = entries(&lines[at])
            && known == name
        {
            all.push(published.to_owned());
            lines[at] = written(name, &all);
            return true;
        }
    }
    false
}

fn remove(lines: &mut Vec<String>, entry: &str) {
    replace(lines, entry, &[]);
    remove_kept(lines, entry);
}

fn remove_kept(lines: &mut Vec<String>, entry: &str) {
    lines.retain(|line| line.strip_prefix("  - ").is_none_or(|kept| unquoted(kept) != entry));
}

/// Puts these entries in place of one; a name without entries goes.
fn replace(lines: &mut Vec<String>, entry: &str, others: &[String]) {
    for at in renames(lines).rev() {
        let Some((name, all)) = entries(&lines[at]) else { continue };
        if !all.iter().any(|known| unquoted(known) == entry) {
            continue;
        }
        let mut left: Vec<String> = all.iter().filter(|known| unquoted(known) != entry).cloned().collect();
        left.extend(others.iter().filter(|other| !all.contains(other)).cloned());
        if left.is_empty() {
            lines.remove(at);
        } else {
            lines[at] = written(name, &left);
        }
    }
}

fn insert(lines: &mut Vec<String>, section: &str, more: Vec<String>) {
    if more.is_empty() {
        return;
    }
    let start = match lines.iter().position(|line| line == section) {
        Some(at) => at + 1,
        None => {
            lines.extend([String::new(), section.to_owned()]);
            lines.len()
        }
    };
    let mut at = end(lines, start);
    // The comments and the empty line before the next section are its own.
    while at > start && (lines[at - 1].is_empty() || lines[at - 1].starts_with('#')) {
        at -= 1;
    }
    lines.splice(at..at, std::iter::once(MARK.to_owned()).chain(more));
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# Names.

rename:
  # Credits.
  Frequency: ['*BillingFrequency', Other]
  Gone: [GoneItems]

# Good as published.
keep:
  - Contact
  - Old

# Equal by chance.
apart:
  - [A, B]
";

    #[test]
    fn entries_are_added_and_removed_and_everything_else_stays() {
        let rename = |published: &str, name: &str| Proposal::Rename { published: published.into(), name: name.into() };
        let edited = with(
            TABLE,
            &[
                Proposal::Remove("GoneItems".into()),
                Proposal::Remove("Old".into()),
                Proposal::Split {
                    published: "XBillingFrequency".into(),
                    was: "Frequency".into(),
                    pattern: "*BillingFrequency".into(),
                    others: vec!["YBillingFrequency".into()],
                },
                rename("Third", "Frequency"),
                rename("PersonItems", "Contact"),
                rename("NewItems", "New"),
                Proposal::Keep("Payment".into()),
                Proposal::Apart(vec!["C".into(), "D".into()]),
            ],
        );
        let mark = MARK;
        let expected = format!(
            "# Names.

rename:
  # Credits.
  Frequency: [Other, YBillingFrequency, Third]
{mark}
  Contact: [Contact, PersonItems]
  New: [NewItems]

# Good as published.
keep:
{mark}
  - Payment

# Equal by chance.
apart:
  - [A, B]
{mark}
  - [C, D]
"
        );
        assert_eq!(edited.unwrap(), expected);
    }

    #[test]
    fn nothing_proposed_is_nothing_edited() {
        assert_eq!(with(TABLE, &[]).unwrap(), TABLE);
    }
}
