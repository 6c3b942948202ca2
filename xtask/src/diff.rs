//! What changed between two documents: every change that the wire or the generated client shows, with the level of
//! each. Pure: two documents in, a report out. Prose, extensions and the spelling of a fact are not compared.

mod constraints;
mod effect;
mod operations;
mod parameters;
mod payloads;
mod properties;
mod references;
mod render;
mod report;
mod schemas;
mod unions;
mod view;
mod walk;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod published;

use anyhow::{Context, Result};
use serde_json::Value;

pub(crate) use render::Format;
pub(crate) use report::{Finding, Level, Report};

/// Compares two documents (3.0 or 3.1) as they are.
pub(crate) fn compare(old: &Value, new: &Value) -> Result<Report> {
    compare_with(old, new, Vec::new())
}

/// The same, with what is known of the change already.
pub(crate) fn compare_with(old: &Value, new: &Value, known: Vec<Finding>) -> Result<Report> {
    references::check(old).context("the old document")?;
    references::check(new).context("the new document")?;
    let mut record = walk::Record { findings: known, ..Default::default() };
    operations::compare(old, new, &mut record)?;
    Ok(Report::of(record.findings))
}

/// Whether two schemas, each of its document, are the same for everybody.
pub(crate) fn same_shape(old: (&Value, &Value), new: (&Value, &Value)) -> bool {
    let located = |(document, schema)| view::Located::new(document, String::new(), schema);
    let mut record = walk::Record::default();
    schemas::same(&mut walk::Walk::new("", effect::Side::Request, &mut record), &located(old), &located(new))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::reference;

    /// A document whose only operation sends and answers this schema.
    fn document(schema: Value, components: Value) -> Value {
        let content = json!({"application/json": {"schema": schema}});
        json!({
            "openapi": "3.1.0",
            "paths": {"/a": {"post": {
                "operationId": "a", "requestBody": {"content": content},
                "responses": {"200": {"description": "", "content": content}}
            }}},
            "components": {"schemas": components},
        })
    }

    fn changes(old: &Value, new: &Value) -> Vec<(String, Vec<String>)> {
        let report = compare(old, new).unwrap();
        let places = |entry: &report::Entry| entry.places.iter().map(|place| place.location.clone()).collect();
        report.changes.iter().map(|entry| (entry.what.clone(), places(entry))).collect()
    }

    fn object(properties: Value) -> Value {
        let required: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
        json!({"type": "object", "properties": properties, "required": required})
    }

    #[test]
    fn schemas_that_refer_to_themselves_are_compared_to_their_end() {
        let tree = |more: Value| {
            let mut tree = object(json!({"child": reference("Tree"), "text": {"type": "string"}}));
            tree["properties"]["more"] = more;
            document(reference("Tree"), json!({"Tree": tree}))
        };
        let (old, new) = (tree(json!({"type": "string"})), tree(json!({"type": "integer"})));
        assert_eq!(changes(&old, &old), []);
        assert_eq!(changes(&old, &new), [("string -> integer".to_owned(), vec!["Tree.more".to_owned()])]);
    }

    #[test]
    fn components_that_refer_to_each_other_may_be_renamed() {
        let pair = |one: &str, two: &str| {
            let first = object(json!({"two": reference(two)}));
            let second = object(json!({"one": reference(one), "text": {"type": "string"}}));
            document(reference(one), json!({one: first, two: second}))
        };
        assert_eq!(changes(&pair("A", "B"), &pair("C", "D")), []);
    }

    #[test]
    fn branches_without_names_are_matched_by_their_fields() {
        let one = object(json!({"one": {"type": "string"}}));
        let two = object(json!({"two": {"type": "string"}}));
        let changed = object(json!({"one": {"type": "integer"}}));
        let old = document(json!({"oneOf": [one, two]}), json!({}));
        let new = document(json!({"oneOf": [two, changed]}), json!({}));
        let places = ["POST /a 200 answer[#0].one", "POST /a body[#0].one"].map(str::to_owned).to_vec();
        assert_eq!(changes(&old, &new), [("string -> integer".to_owned(), places)]);
    }

    #[test]
    fn a_field_of_a_base_is_one_place_however_many_components_have_it() {
        let composed = |schema: Value| {
            let all = |name: &str| json!({"allOf": [reference("Base"), object(json!({name: {}}))]});
            let both = object(json!({"a": reference("A"), "b": reference("B")}));
            document(both, json!({"Base": object(json!({"id": schema})), "A": all("one"), "B": all("two")}))
        };
        let (old, new) = (composed(json!({"type": "string"})), composed(json!({"type": "integer"})));
        assert_eq!(changes(&old, &new), [("string -> integer".to_owned(), vec!["Base.id".to_owned()])]);
    }

    #[test]
    fn a_component_that_may_be_null_is_one_place() {
        let of = |kind: Value| {
            let fields = object(json!({"a": reference("Name"), "b": reference("Name")}));
            document(fields, json!({"Name": {"type": kind}}))
        };
        let found = changes(&of(json!("string")), &of(json!(["string", "null"])));
        assert_eq!(found, [("may be null".to_owned(), vec!["Name".to_owned()])]);
    }
}
