//! Takes actions, and keys of actions, out of an overlay's text. Everything else stays as it is written: comments, order,
//! quotes. What others refer to by a YAML anchor stays.

use anyhow::{Context, Result};

/// Some lines, from one to before another.
type Lines = std::ops::Range<usize>;

/// The text without an action.
pub(crate) fn without_action(text: &str, number: usize) -> Result<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (list, actions) = actions(&lines)?;
    let action = actions.get(number).with_context(|| format!("action {number} is not a block of its own"))?;
    let action = action.start..before_comments(&lines, action);
    if is_needed(&lines, &action) {
        return Ok(text.to_owned());
    }
    if actions.len() == 1 {
        return Ok(lines[..list].concat() + "actions: []\n");
    }
    Ok(without(&lines, &action))
}

/// The text without a key of an action's update. One that is not a block of its own stays.
pub(crate) fn without_key(text: &str, number: usize, key: &str) -> Result<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (_, actions) = actions(&lines)?;
    let action = actions.get(number).with_context(|| format!("action {number} is not a block of its own"))?.clone();
    let Some(update) = action.clone().find(|at| lines[*at].trim() == "update:") else { return Ok(text.to_owned()) };
    let depth = indent(lines[update]);
    let named = |line: &str| {
        let line = line.trim_start().trim_start_matches(['\'', '"']);
        line.strip_prefix(key).is_some_and(|rest| rest.trim_start_matches(['\'', '"']).starts_with(':'))
    };
    let inside = update + 1..action.end;
    let Some(step) = inside.clone().find(|at| counts(lines[*at])).map(|at| indent(lines[at])) else {
        return Ok(text.to_owned());
    };
    let starts = |at: &usize| counts(lines[*at]) && indent(lines[*at]) <= step;
    let found = inside.clone().find(|at| step > depth && indent(lines[*at]) == step && named(lines[*at]));
    let Some(start) = found else { return Ok(text.to_owned()) };
    let end = (start + 1..action.end).find(starts).unwrap_or(action.end);
    let block = start..before_comments(&lines, &(start..end));
    Ok(if is_needed(&lines, &block) { text.to_owned() } else { without(&lines, &block) })
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Neither empty nor a comment.
fn counts(line: &str) -> bool {
    !line.trim().is_empty() && !line.trim_start().starts_with('#')
}

/// The line of `actions:`, and the lines of each action.
fn actions(lines: &[&str]) -> Result<(usize, Vec<Lines>)> {
    let list = lines.iter().position(|line| line.starts_with("actions:")).context("no `actions`")?;
    let item = |at: &usize| counts(lines[*at]) && lines[*at].trim_start().starts_with("- ");
    let depth = (list + 1..lines.len()).find(item).map_or(0, |at| indent(lines[at]));
    let starts: Vec<usize> = (list + 1..lines.len()).filter(|at| item(at) && indent(lines[*at]) == depth).collect();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    Ok((list, starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()))
}

/// Comments and empty lines at the end of a block belong to what follows.
fn before_comments(lines: &[&str], block: &Lines) -> usize {
    block.clone().rev().find(|at| counts(lines[*at])).map_or(block.end, |at| at + 1)
}

/// Whether something outside these lines refers to an anchor inside.
fn is_needed(lines: &[&str], block: &Lines) -> bool {
    let inside = lines[block.clone()].concat();
    let outside = without(lines, block);
    names_after(&inside, '&').any(|anchor| names_after(&outside, '*').any(|alias| alias == anchor))
}

fn names_after(text: &str, mark: char) -> impl Iterator<Item = &str> {
    let name = |rest: &'_ str| rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '-');
    text.split(mark).skip(1).map(move |rest| &rest[..name(rest).unwrap_or(rest.len())]).filter(|name| !name.is_empty())
}

fn without(lines: &[&str], block: &Lines) -> String {
    lines[..block.start].concat() + &lines[block.end..].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "overlay: 1.0.0
actions:
  # First.
  - target: $.paths
    update:
      '/a':
        get: {answer: &error {a: 1}}

      # The second path.
      /b: {get: *error}
      /b/c:
        get: 1
  # Second.
  - target: $.x
    update: {a: 1}
";

    #[test]
    fn a_key_goes_with_its_lines_and_comments_stay_with_what_follows() {
        let left = without_key(TEXT, 0, "/b/c").unwrap();
        assert_eq!(left, TEXT.replace("      /b/c:\n        get: 1\n", ""));
        let left = without_key(TEXT, 0, "/b").unwrap();
        assert_eq!(left, TEXT.replace("      /b: {get: *error}\n", ""));
    }

    #[test]
    fn an_anchor_stays_as_long_as_something_refers_to_it() {
        assert_eq!(without_key(TEXT, 0, "/a").unwrap(), TEXT);
        let left = without_key(&without_key(TEXT, 0, "/b").unwrap(), 0, "/a").unwrap();
        assert!(!left.contains("error"), "{left}");
    }

    #[test]
    fn an_action_goes_with_its_lines() {
        assert_eq!(without_action(TEXT, 1).unwrap(), TEXT.replace("  - target: $.x\n    update: {a: 1}\n", ""));
        let one = without_action(TEXT, 0).unwrap();
        assert!(one.contains("# Second.\n  - target: $.x") && !one.contains("$.paths"), "{one}");
        assert_eq!(without_action(&one, 0).unwrap(), "overlay: 1.0.0\nactions: []\n");
    }

    #[test]
    fn what_is_written_on_one_line_stays_whole() {
        assert_eq!(without_key(TEXT, 1, "a").unwrap(), TEXT);
    }
}
