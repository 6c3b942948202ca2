//! What is said of a component is said of what is split off from it, too: corrections and prose in the overlay and the supplement.

use super::naming::Proposal;
use crate::diff::{Finding, Level};

/// The names of what is split off: the one it had, and its own.
pub(super) fn split_off(proposals: &[Proposal]) -> Vec<(&str, &str)> {
    let name_of = |component: &str| {
        proposals.iter().find_map(|proposal| match proposal {
            Proposal::Rename { published, name } if published == component => Some(name.as_str()),
            Proposal::Keep(name) if name == component => Some(name.as_str()),
            _ => None,
        })
    };
    let pairs = proposals.iter().filter_map(|proposal| match proposal {
        Proposal::Split { published, was, .. } => Some((was.as_str(), name_of(published)?)),
        _ => None,
    });
    pairs.filter(|(was, now)| was != now).collect()
}

/// What users notice of it: where the one type was, there is another.
pub(super) fn finding((was, now): (&str, &str)) -> Finding {
    Finding {
        check: "component-split-off".to_owned(),
        what: format!("a type of its own, {now}"),
        wire: Level::Documentation,
        rust: Level::Breaking,
        location: was.to_owned(),
        old: Some(format!("#/components/schemas/{was}")),
        new: Some(format!("#/components/schemas/{now}")),
        operation: None,
    }
}

/// The overlay with every target that names a component naming what is split off from it as well. Everything else stays as written.
pub(super) fn with(text: &str, pairs: &[(&str, &str)]) -> String {
    let line = |line: &str| pairs.iter().fold(line.to_owned(), |line, pair| widened(&line, *pair).unwrap_or(line));
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

const TARGET: &str = "target: ";

fn widened(line: &str, (was, now): (&str, &str)) -> Option<String> {
    let (before, rest) = line.split_at(line.find(TARGET)? + TARGET.len());
    let (target, after) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        // In braces, it ends where the next key begins.
        None if before.contains('{') => rest.split_at(rest.find([',', '}'])?),
        None => (rest.trim_end(), ""),
    };
    Some(format!("{before}\"{}\"{after}", of_both(target, was, now)?))
}

/// The target for both components, if it is one for the first.
fn of_both(target: &str, was: &str, now: &str) -> Option<String> {
    let rest = target.strip_prefix("$.components.schemas")?;
    if let Some(list) = rest.strip_prefix("['") {
        let (names, after) = list.split_once("']")?;
        let mut names: Vec<_> = names.split("','").collect();
        if !names.contains(&was) || names.contains(&now) {
            return None;
        }
        names.push(now);
        return Some(format!("$.components.schemas['{}']{after}", names.join("','")));
    }
    let rest = rest.strip_prefix('.')?;
    let (name, after) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
    (name == was).then(|| format!("$.components.schemas['{was}','{now}']{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_name_what_is_split_off_and_nothing_else_changes() {
        let text = "actions:
  # Tiers.
  - target: $.components.schemas.Tier.properties.price
    update: {description: Of Tier.}
  - {target: $.components.schemas.Tier, update: {x-rust-lenient: true}}
  - target: \"$.components.schemas['Other','Tier'].properties['a','b']\"
  - target: $.components.schemas.Tiers
  - target: $.paths['/tiers'].get
";
        let expected = text
            .replace(
                "$.components.schemas.Tier.properties.price",
                "\"$.components.schemas['Tier','NewTier'].properties.price\"",
            )
            .replace("{target: $.components.schemas.Tier,", "{target: \"$.components.schemas['Tier','NewTier']\",")
            .replace("['Other','Tier']", "['Other','Tier','NewTier']");
        let changed = with(text, &[("Tier", "NewTier")]);
        assert_eq!(changed, expected);
        assert_eq!(with(&changed, &[("Tier", "NewTier")]), expected);
    }
}
