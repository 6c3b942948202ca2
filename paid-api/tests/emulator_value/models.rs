//! Value models and their versions.

use paid::types::*;
use serde_json::{Value, json};

use super::{World, hours};

#[tokio::test]
async fn every_upload_is_a_version_and_the_latest_is_active() {
    let world = World::new().await;
    let models = world.client.value_models();
    assert_eq!(models.get_current_value_model().await.unwrap_err().status().unwrap(), 404);
    assert_eq!(world.refused("POST", "/value-models/backfill", json!({})).await.0, 404);
    let first = world.model(hours()).await;
    let mut changed = hours();
    changed["currency"] = "EUR".into();
    world.model(changed).await;
    let current = models.get_current_value_model().await.unwrap();
    assert_eq!((current.version, current.content.currency.as_str()), (2, "EUR"));
    let listed = models.list_versions().await.unwrap();
    let listed: Vec<(i64, ValueModelStatus)> =
        listed.data.iter().map(|each| each.unwrap()).map(|each| (each.version, each.status.clone())).collect();
    assert_eq!(listed, [(2, ValueModelStatus::Active), (1, ValueModelStatus::Archived)]);
    assert_eq!(models.list_versions().limit(1).await.unwrap().data.len(), 1);
    let old = models.get_version(1).await.unwrap();
    assert_eq!((old.content.currency.as_str(), old.id.to_string()), ("USD", first["id"].as_str().unwrap().to_owned()));
    assert_eq!(world.refused("GET", "/value-models/versions/3", Value::Null).await.0, 404);
    assert_eq!(world.good("POST", "/value-models/backfill", json!({})).await["version"], 2);
}

#[tokio::test]
async fn every_metric_is_shown_with_a_timeline_and_is_worth_the_same_with_it() {
    let world = World::new().await;
    let mut content = hours();
    content["valueTypes"].as_array_mut().unwrap().push(json!({"slug": "calls", "name": "Calls",
        "unit": {"type": "custom", "unit": "call", "unitDisplay": "calls"}}));
    content["overrides"] = json!([{"id": "acme", "label": "Acme", "scope": {"customerIds": ["acme"]},
        "signalOverrides": {"ticket_resolved": {"defaults": {"minutes": 30}}}}]);
    world.model(content).await;
    world.signal("acme", "ticket_resolved", "2026-01-05T00:00:00Z", json!({})).await;
    let path = "/delivered-value?externalCustomerId=acme&startDate=2026-01-01&endDate=2026-01-31";
    let before = world.good("GET", path, Value::Null).await;
    assert_eq!(before["totals"]["monetaryTotal"], 25);
    let shown = world.good("GET", "/value-models/", Value::Null).await["content"].clone();
    assert_eq!(
        shown["valueTypes"][0]["calculationTimeline"],
        json!([{"effectiveFrom": "1970-01-01T00:00:00Z", "calculation": {
            "unit": {"type": "duration", "durationUnit": "hours"},
            "monetaryConversion": hours()["valueTypes"][0]["monetaryConversion"],
            "formulaIds": ["saved"],
            "signalEventNames": ["ticket_resolved"],
            "segmentTableIds": [],
            "overrideIds": ["acme"],
        }}])
    );
    let unit = &shown["valueTypes"][1]["calculationTimeline"][0]["calculation"]["unit"];
    assert_eq!(*unit, json!({"type": "custom", "unit": "call", "unit_display": "calls"}));
    world.model(shown).await;
    assert_eq!(world.good("GET", path, Value::Null).await, before);
}

#[tokio::test]
async fn what_a_model_cannot_be_calculated_from_is_refused_with_its_place() {
    let world = World::new().await;
    let change = |path: &str, value: Value| {
        let mut content = hours();
        *content.pointer_mut(path).unwrap() = value;
        content
    };
    let with = |key: &str, value: Value| {
        let mut content = hours();
        content[key] = value;
        content
    };
    for (content, status, place) in [
        (change("/currency", json!("dollars")), 400, "body.content.currency"),
        (change("/formulas/0/expression", json!("minutes ^ 2")), 400, "body.content.formulas.0.expression"),
        (change("/formulas/0/expression", json!("hours * 2")), 400, "body.content.formulas.0.expression"),
        (change("/formulas/0/valueTypeSlug", json!("days")), 400, "body.content.formulas.0.valueTypeSlug"),
        (change("/signals/0/formulaId", json!("other")), 400, "body.content.signals.0.formulaId"),
        (change("/valueTypes/0", json!({"slug": "hours", "name": "Hours"})), 400, "body.content.valueTypes.0.unit"),
        (change("/valueTypes/0/unit", json!({"type": "duration"})), 400, "body.content.valueTypes.0.unit.durationUnit"),
        (
            change("/valueTypes/0/monetaryConversion/expression", json!("unit_value * other")),
            400,
            "body.content.valueTypes.0.monetaryConversion.expression",
        ),
        (
            with(
                "overrides",
                json!([{"id": "o", "label": "O", "scope": {}, "valueTypeOverrides": {"hours": {"variables": {"rate": 1}}}}]),
            ),
            501,
            "overrides.0.valueTypeOverrides",
        ),
        (
            with(
                "overrides",
                json!([{"id": "o", "label": "O", "scope": {}, "valueTypeOverrides": {"hours": {"variables": {"rate": 1}}}}]),
            ),
            501,
            "overrides.0.valueTypeOverrides",
        ),
        (with("flows", json!([{"id": "f", "name": "F", "groupingKeyId": "g", "value": "1"}])), 501, "flows"),
    ] {
        let body = json!({ "content": content });
        let (found, details) = world.refused("PUT", "/value-models/", body).await;
        assert_eq!(found, status, "{place}: {details}");
        assert!(details.contains(place), "{details} instead of {place}");
    }
    assert_eq!(world.client.value_models().get_current_value_model().await.unwrap_err().status().unwrap(), 404);
    let bounds =
        json!({"content": hours(), "effectiveFrom": "2026-02-01T00:00:00Z", "effectiveTo": "2026-01-01T00:00:00Z"});
    assert_eq!(world.refused("PUT", "/value-models/", bounds).await, (400, "body.effectiveTo".to_owned()));
}

#[tokio::test]
async fn an_override_of_a_group_is_for_its_members_and_one_s_own_goes_first() {
    let world = World::new().await;
    let group = world.good("POST", "/customer-groups/", json!({"name": "G"})).await["id"].as_str().unwrap().to_owned();
    let minutes = |id: &str, scope: Value, minutes: i64| json!({"id": id, "label": id, "scope": scope, "signalOverrides": {"ticket_resolved": {"defaults": {"minutes": minutes}}}});
    let mut content = hours();
    content["overrides"] = json!([minutes("group", json!({"customerGroupIds": [group]}), 60)]);
    world.model(content.clone()).await;
    world.signal("acme", "ticket_resolved", "2026-01-05T00:00:00Z", json!({})).await;
    let total = async || {
        let path = "/delivered-value?externalCustomerId=acme&startDate=2026-01-01&endDate=2026-01-31";
        world.good("GET", path, Value::Null).await["totals"]["monetaryTotal"]
            .to_string()
            .parse::<f64>()
            .unwrap()
            .round()
    };
    assert_eq!(total().await, 17.0, "20 minutes at 50 an hour: it is in no group");
    world.good("POST", &format!("/customer-groups/{group}/members"), json!({"customerIds": ["acme"]})).await;
    assert_eq!(total().await, 50.0);
    content["overrides"].as_array_mut().unwrap().push(minutes("own", json!({"customerIds": ["acme"]}), 30));
    world.model(content).await;
    assert_eq!(total().await, 25.0);
    world.good("DELETE", &format!("/customer-groups/{group}"), json!({})).await;
    assert_eq!(total().await, 25.0);
}
