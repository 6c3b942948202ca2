//! Delivered value: what signals are worth by the value model.

use serde_json::{Value, json};

use super::{World, decimal, hours, items};

async fn report(world: &World, query: &str) -> Value {
    world.good("GET", &format!("/delivered-value?externalCustomerId=acme&{query}"), Value::Null).await
}

const JANUARY: &str = "startDate=2026-01-01&endDate=2026-01-31";

#[tokio::test]
async fn value_adds_up_exactly_by_metric_and_by_event() {
    let world = World::new().await;
    world.model(hours()).await;
    for at in ["2026-01-01T00:00:00Z", "2026-01-31T23:59:59Z"] {
        world.signal("acme", "ticket_resolved", at, json!({})).await;
    }
    world.signal("acme", "ticket_resolved", "2026-01-05T00:00:00Z", json!({"minutes": 20})).await;
    world.signal("acme", "ticket_resolved", "2026-02-01T00:00:00Z", json!({})).await;
    world.signal("globex", "ticket_resolved", "2026-01-05T00:00:00Z", json!({})).await;
    world.signal("acme", "unvalued", "2026-01-05T00:00:00Z", json!({})).await;
    let value = world.client.delivered_value();
    let january = value.get("2026-01-31", "2026-01-01").external_customer_id("acme").await.unwrap();
    // Three times 20 minutes are one hour, to the last digit.
    assert_eq!((january.currency.as_str(), january.totals.monetary_total), ("USD", decimal("50")));
    let metric = items(&january.value_metrics)[0];
    assert_eq!((metric.slug.as_str(), metric.unit_total, metric.signal_count), ("hours", Some(decimal("1")), 3.0));
    let calculation = items(metric.calculations.as_ref().unwrap())[0];
    let terms = items(&calculation.terms);
    let terms: Vec<(&str, f64)> = terms.iter().map(|term| (term.label.as_str(), term.value)).collect();
    assert_eq!(terms, [("Tickets", 3.0), ("Minutes", 20.0), ("60", 60.0)]);
    assert_eq!(january.signals.len(), 1, "the model knows one event");
    let event = items(&january.signals)[0];
    assert_eq!((event.event_name.as_str(), event.label.as_str(), event.count), ("ticket_resolved", "Tickets", 3.0));
    let value = items(&event.values)[0];
    assert_eq!((value.monetary_value, value.unit_value), (decimal("50"), Some(decimal("1"))));
    let all = report(&world, "startDate=2026-01-01&endDate=2026-02-01T00:00:00Z").await;
    assert_eq!(all["valueMetrics"][0]["signalCount"], 4);
}

#[tokio::test]
async fn batches_conditions_segments_and_overrides_count() {
    let world = World::new().await;
    let mut content = hours();
    content["formulas"][0]["conditions"] = json!([
        {"field": "priority", "operator": "eq_string", "value": "high",
            "result": {"type": "expression", "expression": "minutes / 30"}},
        {"field": "steps", "operator": "gte", "value": 10, "result": {"type": "constant", "value": 2}},
    ]);
    content["segmentTables"] = json!([{"id": "by_region", "label": "Regions", "segmentKeys": ["region"],
        "columns": [{"variableId": "minutes", "label": "Minutes", "type": "number"}],
        "rows": [{"segmentValues": {"region": "eu"}, "variables": {"minutes": 90}}]}]);
    content["signals"][0]["segmentTableIds"] = json!(["by_region"]);
    content["overrides"] = json!([{"id": "vip", "label": "VIP", "scope": {"customerIds": ["globex"]}, "currency": "EUR",
        "signalOverrides": {"ticket_resolved": {"defaults": {"minutes": 120}}},
        "monetaryConversionOverrides": {"hours": {"variables": {"rate": 100}}}}]);
    world.model(content).await;
    for (data, units) in [
        (json!({"quantity": 6}), "2"),
        (json!({"priority": "high"}), "0.666666666666667"),
        (json!({"steps": 10}), "2"),
        (json!({"region": "eu"}), "1.5"),
        (json!({"minutes": 6, "region": "eu"}), "0.1"),
    ] {
        let before = report(&world, JANUARY).await["valueMetrics"][0]["unitTotal"].clone();
        world.signal("acme", "ticket_resolved", "2026-01-05T00:00:00Z", data.clone()).await;
        let after = report(&world, JANUARY).await["valueMetrics"][0]["unitTotal"].clone();
        let of = |value: Value| decimal(&value.to_string());
        assert_eq!((of(after) - of(before)).round_dp(9), decimal(units).round_dp(9), "{data}");
    }
    // Formulas with conditions are no single product.
    assert!(report(&world, JANUARY).await["valueMetrics"][0].get("calculations").is_none());
    world.signal("globex", "ticket_resolved", "2026-01-05T00:00:00Z", json!({})).await;
    let other = world.good("GET", &format!("/delivered-value?customerId=globex&{JANUARY}"), Value::Null).await;
    assert_eq!((&other["currency"], &other["totals"]["monetaryTotal"]), (&json!("EUR"), &json!(200)));
}

#[tokio::test]
async fn a_metric_without_money_has_none_and_archived_ones_are_shown_if_they_delivered() {
    let world = World::new().await;
    let mut content = hours();
    content["valueTypes"][0]["monetaryConversion"] = Value::Null;
    content["valueTypes"][0].as_object_mut().unwrap().remove("monetaryConversion");
    content["valueTypes"][0]["archivedAt"] = "2026-01-01T00:00:00Z".into();
    world.model(content).await;
    assert_eq!(report(&world, JANUARY).await["valueMetrics"], json!([]));
    world.signal("acme", "ticket_resolved", "2026-01-05T00:00:00Z", json!({"minutes": 30})).await;
    let metric = &report(&world, JANUARY).await["valueMetrics"][0];
    assert_eq!((&metric["monetaryTotal"], &metric["unitTotal"]), (&Value::Null, &json!(0.5)));
}

#[tokio::test]
async fn a_timeline_calculates_each_signal_by_its_time() {
    let world = World::new().await;
    let calculation = |unit: &str, rate: i64| {
        json!({"unit": {"type": "duration", "durationUnit": unit}, "formulaIds": ["saved"],
            "signalEventNames": ["ticket_resolved"], "segmentTableIds": [], "overrideIds": [],
            "monetaryConversion": {"expression": "unit_value * rate",
                "variables": [{"id": "rate", "label": "Rate", "default": rate}]}})
    };
    let mut content = hours();
    content["formulas"][0]["expression"] = "minutes".into();
    content["valueTypes"][0] = json!({"slug": "hours", "name": "Time", "calculationTimeline": [
        {"effectiveFrom": "2026-01-10T00:00:00Z", "calculation": calculation("hours", 2)},
        {"effectiveFrom": "2026-01-02T00:00:00Z", "calculation": calculation("minutes", 1)},
    ]});
    world.model(content).await;
    for day in ["01", "05", "15"] {
        let at = format!("2026-01-{day}T00:00:00Z");
        world.signal("acme", "ticket_resolved", &at, json!({"minutes": 60})).await;
    }
    let january = report(&world, JANUARY).await;
    // The first had no calculation yet; then 60 minutes at 1, and 60 hours at 2.
    assert_eq!(january["totals"]["monetaryTotal"], 180);
    let metric = &january["valueMetrics"][0];
    assert_eq!((&metric["unitTotal"], &metric["unit"]["durationUnit"]), (&json!(61), &json!("hours")));
    let strips = metric["calculations"].as_array().unwrap();
    assert_eq!((strips.len(), &strips[0]["unitTotal"], &strips[1]["unitTotal"]), (2, &json!(60), &json!(60)));
}

#[tokio::test]
async fn sums_are_cut_into_intervals_and_groups_that_add_up() {
    let world = World::new().await;
    let mut content = hours();
    content["formulas"][0]["conditions"] = json!([{"field": "steps", "operator": "gt", "value": 1,
        "result": {"type": "constant", "value": 1}}]);
    world.model(content).await;
    world.signal("acme", "ticket_resolved", "2026-01-05T00:00:00Z", json!({"team": "a", "steps": 2})).await;
    world.signal("acme", "ticket_resolved", "2026-02-05T00:00:00Z", json!({"team": "b", "quantity": 3})).await;
    world.signal("acme", "ticket_resolved", "2026-02-06T00:00:00Z", json!({"team": "a"})).await;
    let summary = |query: &'static str| {
        let path = format!(
            "/delivered-value/summary?customerId=acme&startDate=2026-01-02&endDate=2026-02-28&interval=month&{query}"
        );
        let world = &world;
        async move { world.good("GET", &path, Value::Null).await["data"].as_array().unwrap().clone() }
    };
    let metrics = summary("groupBy=valueMetric").await;
    let key = |bucket: &Value, key: &str| bucket[key].as_f64().unwrap();
    assert_eq!(metrics.len(), 2);
    assert_eq!(metrics[0]["periodStart"], "2026-01-02T00:00:00Z");
    assert_eq!(metrics[1]["periodEnd"], "2026-02-28T23:59:59.999Z");
    assert_eq!((key(&metrics[0], "unitTotal"), key(&metrics[1], "signalCount")), (1.0, 4.0));
    let teams = summary("groupBy=dimension&dimensionKey=team").await;
    let shown: Vec<(&str, f64)> =
        teams.iter().map(|each| (each["groupKey"].as_str().unwrap(), key(each, "signalCount"))).collect();
    assert_eq!(shown, [("a", 1.0), ("a", 1.0), ("b", 3.0)]);
    assert!(teams.iter().all(|each| each.get("unitTotal").is_none()));
    let bands = summary("groupBy=formulaCondition").await;
    let shown: Vec<(&str, f64)> =
        bands.iter().map(|each| (each["groupKey"].as_str().unwrap(), key(each, "signalCount"))).collect();
    assert_eq!(shown, [("hours:0", 1.0), ("hours:default", 0.0), ("hours:0", 0.0), ("hours:default", 4.0)]);
    assert_eq!((&bands[0]["conditionIndex"], &bands[0]["conditionLabel"]), (&json!(0), &json!("steps gt 1")));
    let money = |buckets: &[Value]| buckets.iter().map(|each| key(each, "monetaryTotal")).sum::<f64>();
    let total = world.client.delivered_value().get("2026-02-28", "2026-01-02").external_customer_id("acme");
    let total: f64 = total.await.unwrap().totals.monetary_total.to_string().parse().unwrap();
    for buckets in [metrics, teams, bands] {
        assert!((money(&buckets) - total).abs() < 1e-9, "{} and {total}", money(&buckets));
    }
}

#[tokio::test]
async fn queries_that_mean_nothing_are_refused() {
    let world = World::new().await;
    let refused = |path: String| {
        let world = &world;
        async move { world.refused("GET", &path, Value::Null).await }
    };
    assert_eq!(refused(format!("/delivered-value?customerId=acme&{JANUARY}")).await.0, 404, "there is no model");
    world.model(hours()).await;
    for (query, status, place) in [
        (format!("customerId=acme&externalCustomerId=acme&{JANUARY}"), 400, "query.externalCustomerId"),
        (JANUARY.to_owned(), 400, "query.customerId"),
        (format!("customerId=nobody&{JANUARY}"), 404, "nobody"),
        ("customerId=acme&startDate=soon&endDate=2026-01-01".to_owned(), 400, "query.startDate"),
        ("customerId=acme&startDate=2026-02-01&endDate=2026-01-01".to_owned(), 400, "query.endDate"),
    ] {
        let (found, details) = refused(format!("/delivered-value?{query}")).await;
        assert!(found == status && details.contains(place), "{found} {details} instead of {place}");
    }
    for (query, place) in [
        ("groupBy=dimension&interval=day", "query.dimensionKey"),
        ("groupBy=valueMetric&dimensionKey=team&interval=day", "query.dimensionKey"),
        ("groupBy=dimension&dimensionKey=a-b&interval=day", "query.dimensionKey"),
        ("groupBy=valueMetric&interval=hour", "query.interval"),
    ] {
        let path = format!("/delivered-value/summary?customerId=acme&{JANUARY}&{query}");
        assert_eq!(refused(path).await, (400, place.to_owned()), "{query}");
    }
}
