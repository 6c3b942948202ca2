//! Changes of a view's statements and of its bundle: as a whole, or in parts, but not both.

use serde_json::Value;

use super::super::refusal::Refusal;
use super::Query;

/// Reads statements. No two have one id.
pub(super) fn queries(given: &Value, place: &str) -> Result<Vec<Query>, Refusal> {
    let mut queries: Vec<Query> = Vec::new();
    for (index, query) in given.as_array().into_iter().flatten().enumerate() {
        let text = |key: &str| query[key].as_str().unwrap_or_default().to_owned();
        let query = Query { id: text("id"), sql: text("sql") };
        let problem = if query.id.is_empty() {
            Some("is empty".to_owned())
        } else {
            let is_known = queries.iter().any(|known| known.id == query.id);
            is_known.then(|| format!("{:?} is there twice", query.id))
        };
        if let Some(problem) = problem {
            return Err(Refusal::invalid(&format!("{place}.{index}.id"), problem));
        }
        queries.push(query);
    }
    Ok(queries)
}

pub(super) fn change_queries(stored: &mut Vec<Query>, body: &Value) -> Result<(), Refusal> {
    let part = ["queryUpserts", "queryRemovals"].into_iter().find(|key| !body[*key].is_null());
    if !body["queries"].is_null() {
        if let Some(part) = part {
            return Err(Refusal::invalid(&format!("body.{part}"), "is there beside queries"));
        }
        *stored = queries(&body["queries"], "body.queries")?;
        return Ok(());
    }
    for (index, id) in body["queryRemovals"].as_array().into_iter().flatten().enumerate() {
        let at = stored.iter().position(|query| *id == query.id);
        let at = at.ok_or_else(|| {
            Refusal::invalid(&format!("body.queryRemovals.{index}"), format!("the view has no query {id}"))
        })?;
        stored.remove(at);
    }
    for query in queries(&body["queryUpserts"], "body.queryUpserts")? {
        match stored.iter_mut().find(|known| known.id == query.id) {
            Some(known) => *known = query,
            None => stored.push(query),
        }
    }
    Ok(())
}

pub(super) fn change_bundle(stored: &mut String, body: &Value) -> Result<(), Refusal> {
    if let Some(bundle) = body["renderBundle"].as_str() {
        if !body["bundleEdits"].is_null() {
            return Err(Refusal::invalid("body.bundleEdits", "is there beside renderBundle"));
        }
        bundle.clone_into(stored);
        return Ok(());
    }
    for (index, edit) in body["bundleEdits"].as_array().into_iter().flatten().enumerate() {
        let text = |key: &str| edit[key].as_str().unwrap_or_default();
        let (old, new) = (text("oldText"), text("newText"));
        let everywhere = edit["replaceAll"] == true;
        let times = if old.is_empty() { 0 } else { stored.matches(old).count() };
        if times == 0 || (times > 1 && !everywhere) {
            let place = format!("body.bundleEdits.{index}.oldText");
            return Err(Refusal::invalid(
                &place,
                format!("is in the bundle {times} times; replaceAll replaces several"),
            ));
        }
        *stored = stored.replace(old, new);
    }
    Ok(())
}
