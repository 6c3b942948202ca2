//! Value metrics, which change the value model one at a time.

use paid::Patch;
use paid::types::*;
use serde_json::json;

use super::{World, decimal, hours, items};

fn saved() -> CreateValueMetricRequest {
    let unit = ValueMetricUnit::new(ValueMetricUnitType::Duration).duration_unit(DurationUnit::Minutes);
    let variable = ValueMetricFormulaVariable::new("minutes", "Minutes a ticket");
    let formula = ValueMetricFormulaInput::new("minutes", [variable]);
    let signal = ValueMetricSignalBinding::new("ticket_resolved").defaults([("minutes".to_owned(), 15.0)].into());
    CreateValueMetricRequest::new("Minutes saved!", signal, formula, unit)
}

#[tokio::test]
async fn a_metric_is_created_changed_and_archived_each_as_a_version_of_the_model() {
    let world = World::new().await;
    let metrics = world.client.value_metrics();
    assert_eq!(metrics.create(&saved()).await.unwrap_err().status().unwrap(), 404);
    world.model(hours()).await;
    let rate = ValueMetricConversionInput::new(decimal("0.75")).label("Rate");
    let created = metrics.create(&saved().monetary_conversion(rate).expected_active_version(1)).await.unwrap();
    assert_eq!((created.slug.as_str(), created.version), ("minutes_saved", Some(2)));
    assert_eq!(created.name.as_deref(), Some("Minutes saved!"));
    let detail = metrics.get("minutes_saved").await.unwrap();
    let conversion = detail.monetary_conversion.unwrap();
    assert_eq!((conversion.value_per_unit, conversion.label), (Some(decimal("0.75")), Some("Rate".to_owned())));
    assert_eq!(detail.formula.unwrap().expression.as_deref(), Some("minutes"));
    assert_eq!(items(detail.signals.as_ref().unwrap())[0].defaults.as_ref().unwrap()["minutes"], 15.0);

    let edit = ValueMetricVariableEdit::new().value(30.0).label("Minutes");
    let update = UpdateValueMetricRequest::new()
        .name("Time")
        .monetary_conversion(Patch::Clear)
        .variables([("minutes".to_owned(), edit)].into());
    assert_eq!(metrics.update("minutes_saved", &update).await.unwrap().version, Some(3));
    let detail = metrics.get("minutes_saved").await.unwrap();
    assert_eq!((detail.name.as_str(), detail.monetary_conversion.is_none()), ("Time", true));
    assert_eq!(items(detail.signals.as_ref().unwrap())[0].defaults.as_ref().unwrap()["minutes"], 30.0);
    assert_eq!(items(&detail.formula.unwrap().variables.unwrap())[0].label, "Minutes");

    assert_eq!(metrics.archive("minutes_saved").expected_active_version(3).await.unwrap().version, Some(4));
    assert_eq!(metrics.archive("minutes_saved").await.unwrap().version, Some(4), "it is archived already");
    assert_eq!(metrics.list().await.unwrap().data.len(), 1);
    assert_eq!(metrics.list().include_archived(true).await.unwrap().data.len(), 2);
    let restore = UpdateValueMetricRequest::new().archived_at(Patch::Clear);
    assert_eq!(metrics.update("minutes_saved", &restore).await.unwrap().version, Some(5));
    assert_eq!(metrics.list().limit(1).offset(1).await.unwrap().data.len(), 1);
    assert_eq!(world.client.value_models().get_current_value_model().await.unwrap().version, 5);
}

#[tokio::test]
async fn what_a_metric_may_not_be_is_refused() {
    let world = World::new().await;
    world.model(hours()).await;
    let metrics = world.client.value_metrics();
    let request = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut body = json!({"name": "Calls", "unit": {"type": "custom", "unit": "call"},
            "formula": {"expression": "1", "variables": []}, "signal": {"eventName": "ticket_resolved"}});
        change(&mut body);
        body
    };
    for (body, status, place) in [
        (request(&|body| body["expectedActiveVersion"] = 7.into()), 409, "expectedActiveVersion"),
        (request(&|body| body["slug"] = "hours".into()), 409, "body.slug"),
        (request(&|body| body["signal"]["eventName"] = "never_sent".into()), 400, "body.signal.eventName"),
        (request(&|body| body["unit"] = json!({"type": "custom"})), 400, "body.unit.unit"),
        (request(&|body| body["formula"]["expression"] = "calls".into()), 400, "body.formula.expression"),
        (
            request(&|body| body["formula"]["variables"] = json!([{"id": "calls", "label": "Calls"}])),
            400,
            "body.signal.defaults",
        ),
        (request(&|body| body["signal"]["defaults"] = json!({"calls": 1})), 400, "body.signal.defaults.calls"),
        (
            request(&|body| body["sources"] = json!(vec![json!({"name": "a", "url": "https://a.invalid"}); 4])),
            400,
            "body.sources",
        ),
    ] {
        let (found, details) = world.refused("POST", "/value-metrics/", body).await;
        assert!(found == status && details.contains(place), "{found} {details} instead of {status} {place}");
    }
    let edit = json!({"variables": {"seconds": {"value": 1}}});
    let refused = world.refused("PATCH", "/value-metrics/hours", edit).await;
    assert_eq!(refused, (400, "body.variables.seconds".to_owned()));
    assert_eq!(metrics.get("calls").await.unwrap_err().status().unwrap(), 404);
    let stale = metrics.archive("hours").expected_active_version(0).await.unwrap_err();
    assert_eq!(stale.status().unwrap(), 409);
    assert_eq!(world.client.value_models().get_current_value_model().await.unwrap().version, 1, "nothing was changed");
    // A signal that was sent may be bound, too.
    world.signal("acme", "never_sent", "2026-01-01T00:00:00Z", json!({})).await;
    let late = request(&|body| body["signal"]["eventName"] = "never_sent".into());
    world.good("POST", "/value-metrics/", late).await;
}
