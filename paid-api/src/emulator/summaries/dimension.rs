//! What divides the signals of an event: whether they have a value, or the range that a number is in.

use rust_decimal::Decimal;
use serde_json::Value;

use super::super::numbers::amount;
use super::super::refusal::Refusal;
use super::super::value::{found, slug};

/// A dimension of an export.
#[derive(Debug)]
pub(super) struct Dimension {
    path: String,
    /// The events, or groups of events, that it divides.
    pub(super) applies_to: Vec<String>,
    pub(super) parts: Vec<Part>,
    /// Its ranges; none if it asks only whether there is a value.
    ranges: Option<Vec<Range>>,
}

/// One of the parts that a dimension divides signals into.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) slug: String,
    pub(super) group: Option<String>,
}

#[derive(Debug)]
struct Range {
    from: Option<Decimal>,
    up_to: Option<Decimal>,
}

impl Dimension {
    pub(super) fn read(dimension: &Value, place: &str) -> Result<Self, Refusal> {
        let path = dimension["path"].as_str().unwrap_or_default().to_owned();
        if path.is_empty() {
            return Err(Refusal::invalid(&format!("{place}.path"), "is empty"));
        }
        let names = dimension["appliesTo"].as_array().into_iter().flatten();
        let applies_to = names.filter_map(Value::as_str).map(str::to_owned).collect();
        if dimension["kind"] == "presence" {
            let parts = ["true", "false"].map(|key| part(&dimension["values"][key]));
            return Ok(Self { path, applies_to, parts: parts.into(), ranges: None });
        }
        let brackets = dimension["brackets"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut parts: Vec<Part> = brackets.iter().map(part_of_range).collect();
        let overflow = dimension["overflowSlug"].as_str().unwrap_or("other");
        parts.push(Part { slug: overflow.to_owned(), group: None });
        let bound = |bracket: &Value, key: &str| bracket[key].as_number().and_then(|_| amount(&bracket[key]));
        let ranges =
            brackets.iter().map(|bracket| Range { from: bound(bracket, "from"), up_to: bound(bracket, "upTo") });
        Ok(Self { path, applies_to, parts, ranges: Some(ranges.collect()) })
    }

    /// The number of the part that a signal belongs to. The last holds what is in no range.
    pub(super) fn part_of(&self, data: &Value) -> usize {
        let value = found(data, &self.path);
        let Some(ranges) = &self.ranges else { return usize::from(value.is_none()) };
        let number = value.filter(|value| value.is_number()).and_then(amount);
        let holds = |range: &Range| {
            number.is_some_and(|number| {
                range.from.is_none_or(|from| from <= number) && range.up_to.is_none_or(|up_to| number <= up_to)
            })
        };
        ranges.iter().position(holds).unwrap_or(ranges.len())
    }
}

fn part(value: &Value) -> Part {
    let group = value["group"].as_str().unwrap_or_default();
    Part { slug: value["slug"].as_str().map_or_else(|| slug(group), str::to_owned), group: Some(group.to_owned()) }
}

fn part_of_range(bracket: &Value) -> Part {
    let group = bracket["group"].as_str();
    let bound = |key: &str| bracket[key].as_number().map(ToString::to_string);
    let named = bracket["slug"].as_str().map(str::to_owned).or_else(|| group.map(slug));
    let of_bounds = || match (bound("from"), bound("upTo")) {
        (Some(from), Some(up_to)) => format!("{from}_{up_to}"),
        (None, Some(up_to)) => format!("up_to_{up_to}"),
        (Some(from), None) => format!("{from}_plus"),
        (None, None) => "all".to_owned(),
    };
    Part { slug: named.unwrap_or_else(of_bounds), group: group.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_fall_into_the_first_range_that_holds_them_and_all_else_into_the_last() {
        let bands = json!({"kind": "bands", "path": "run.steps", "appliesTo": ["run"], "overflowSlug": "rest",
            "brackets": [{"from": 1, "upTo": 1, "slug": "one"}, {"from": 2, "upTo": 5}, {"from": 6, "upTo": null}]});
        let bands = Dimension::read(&bands, "body").unwrap();
        let slugs: Vec<&str> = bands.parts.iter().map(|part| part.slug.as_str()).collect();
        assert_eq!(slugs, ["one", "2_5", "6_plus", "rest"]);
        for (steps, part) in
            [(json!(1), 0), (json!(5), 1), (json!(900), 2), (json!(0), 3), (json!("2"), 3), (json!(5.5), 3)]
        {
            assert_eq!(bands.part_of(&json!({"run": {"steps": steps}})), part, "{steps}");
        }
        assert_eq!(bands.part_of(&Value::Null), 3);
    }
}
