//! What a catalogue says about one signal. Pure.

use paid_catalog::{Catalog, Field, JsonType, Literal, Protection, Signal, nearest_of};
use serde_json::Value;

/// Fields that roles write, and that no catalogue has.
const ROLES: [&str; 4] = ["paid", "quantity", "external_user_id", "costData"];

/// What the catalogue does not allow in a signal. `external` tells the external id of a product by Paid's id.
pub(super) fn problems(catalog: &Catalog, signal: &Value, external: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let name = signal["eventName"].as_str().unwrap_or_default();
    let Some(known) = catalog.signal(name) else {
        let near = nearest_of(name, catalog.nearest(name).into_iter());
        let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        return vec![format!("the catalogue has no such signal{hint}")];
    };
    let mut problems = Vec::new();
    problems.extend(wrong_product(known, &signal["attribution"], external));
    let unit = &signal["customerUnit"];
    if known.unit_required && unit.as_object().is_none_or(serde_json::Map::is_empty) {
        problems.push("a unit is required".to_owned());
    }
    let data = &signal["data"];
    for field in known.required().filter(|field| data.get(field).is_none()) {
        problems.push(format!("the field `{field}` is required"));
    }
    for (field, value) in data.as_object().into_iter().flatten() {
        match known.data.get(field) {
            Some(facts) => problems.extend(wrong_value(facts, value).map(|problem| format!("`{field}` {problem}"))),
            None if ROLES.contains(&field.as_str()) => {}
            None => {
                let near = nearest_of(field, known.nearest_field(field).into_iter());
                let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                problems.push(format!("the catalogue has no field `{field}`{hint}"));
            }
        }
    }
    problems
}

fn wrong_product(known: &Signal, named: &Value, external: impl Fn(&str) -> Option<String>) -> Option<String> {
    let wanted = known.product.as_deref()?;
    let sent = match (named["externalProductId"].as_str(), named["productId"].as_str()) {
        (Some(own), _) => Some(own.to_owned()),
        (None, Some(id)) => Some(external(id).unwrap_or_else(|| id.to_owned())),
        (None, None) => None,
    };
    match sent {
        Some(sent) if sent == wanted => None,
        Some(sent) => Some(format!("its product is {wanted:?}, not {sent:?}")),
        None => Some(format!("its product is {wanted:?}, and it names none")),
    }
}

fn wrong_value(field: &Field, value: &Value) -> Option<String> {
    // A hash is text of its own; bounds and values are those of what was hashed.
    if field.protection() != Protection::None {
        return (!value.is_string()).then(|| "must be a hash".to_owned());
    }
    let kind = match value {
        Value::Null => JsonType::Null,
        Value::Array(_) => JsonType::Array,
        Value::Object(_) => JsonType::Object,
        _ => return field.objection(&literal(value)?),
    };
    (!field.takes(kind)).then(|| {
        let types: Vec<&str> = field.types.iter().map(|kind| kind.as_str()).collect();
        format!("must be of type {}, not {kind}", types.join(" or "))
    })
}

/// A scalar. A number without decimals is whole, however it is written.
fn literal(value: &Value) -> Option<Literal> {
    #[allow(clippy::cast_possible_truncation)] // It is whole, and within 53 bits.
    let number = |number: f64| match number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        true => Literal::Integer(number as i64),
        false => Literal::Number(number),
    };
    match value {
        Value::String(text) => Some(Literal::Text(text.clone())),
        Value::Bool(flag) => Some(Literal::Boolean(*flag)),
        Value::Number(written) => written.as_i64().map(Literal::Integer).or_else(|| written.as_f64().map(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_objection_is_made() {
        let catalog = Catalog::parse(
            r#"
            [signals.a]
            type = "outcome"
            product = "p"
            unit = "required"
            [signals.a.data]
            id = { type = "string", required = true, maxLength = 3 }
            n = { type = "integer", minimum = 1 }
            c = { enum = ["x", "y"] }
            l = { type = ["array", "null"] }
            h = { pii = "hash" }
            "#,
        )
        .unwrap();
        let said = |signal: Value| problems(&catalog, &signal, |id| (id == "prod_1").then(|| "p".to_owned()));
        let good = json!({ "eventName": "a", "attribution": { "productId": "prod_1" }, "customerUnit": { "x": 1 },
            "data": { "id": "abc", "n": 2.0, "c": "y", "l": null, "h": "0f", "quantity": 2 } });
        assert_eq!(said(good), Vec::<String>::new());
        let bad = json!({ "eventName": "a", "attribution": { "externalProductId": "q" },
            "data": { "n": 0, "c": "z", "l": "text", "h": 1, "idd": "" } });
        let expected = [
            "its product is \"p\", not \"q\"",
            "a unit is required",
            "the field `id` is required",
            "`c` must be one of \"x\", \"y\"",
            "`h` must be a hash",
            "the catalogue has no field `idd`; did you mean `id`?",
            "`l` must be of type array or null, not string",
            "`n` must be at least 1",
        ];
        let mut sorted = said(bad);
        sorted[3..].sort();
        let mut expected: Vec<String> = expected.map(str::to_owned).to_vec();
        expected[3..].sort();
        assert_eq!(sorted, expected);
        assert_eq!(said(json!({ "eventName": "b" })), ["the catalogue has no such signal; did you mean `a`?"]);
        assert!(
            said(json!({ "eventName": "a", "data": { "id": "abcd" } }))
                .contains(&"`id` must have at most 3 characters".to_owned())
        );
        assert!(
            said(json!({ "eventName": "a", "data": { "n": 1.5 } }))
                .contains(&"`n` must be of type integer, not number".to_owned())
        );
    }
}
