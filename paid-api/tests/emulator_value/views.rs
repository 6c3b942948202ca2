//! Custom views.

use paid::types::*;
use serde_json::{Value, json};

use super::{World, items};

const BUNDLE: &str = "<script>addEventListener('message', e => e.data.type === 'paid:data')</script>";

fn counted() -> CustomViewQuery {
    CustomViewQuery::new("signals", "SELECT signal_name, count(*) AS signals FROM fact_signal GROUP BY 1 ORDER BY 1")
}

fn dated() -> CustomViewQuery {
    let sql = "SELECT count(*) AS signals FROM fact_signal \
        WHERE created_at BETWEEN {period_start:DateTime} AND {period_end:DateTime}";
    CustomViewQuery::new("dated", sql)
}

fn days(amount: i64) -> CustomViewPeriod {
    CustomViewPeriod::new(CustomViewPeriodKind::Relative).unit(CustomViewPeriodUnit::Day).amount(amount)
}

#[tokio::test]
async fn a_view_shows_one_customers_data_only() {
    let world = World::new().await;
    for customer in ["acme", "acme", "globex"] {
        world.signal(customer, "ticket_resolved", "2026-01-05T00:00:00Z", json!({})).await;
    }
    let views = world.client.custom_views();
    let view = views.create(&CreateCustomViewRequest::new("Usage", [counted()], BUNDLE)).await.unwrap();
    assert_eq!((view.status, view.preview_url), (CustomViewStatus::Draft, None));
    let id = view.display_id;
    let data = views.get_data(&id).customer_id("acme").await.unwrap().data;
    assert_eq!(data["signals"][0]["signals"], "2");
    let globex = world.customer("globex").await;
    assert_eq!(views.get_data(&id).customer_id(globex).await.unwrap().data["signals"][0]["signals"], "1");
    let path = format!("/experimental/views/{}/data", id.as_str());
    assert_eq!(world.refused("GET", &path, Value::Null).await, (400, "query.customerId".to_owned()));
    assert_eq!(world.refused("GET", &format!("{path}?customerId=nobody"), Value::Null).await.0, 404);
    let all = CreateCustomViewRequest::new("All", [counted()], BUNDLE).scope(CustomViewScope::Organization);
    let all = views.create(&all).await.unwrap();
    assert_eq!(views.get_data(&all.display_id).await.unwrap().data["signals"][0]["signals"], "3");
    let listed = views.list().await.unwrap().views;
    let listed = items(&listed);
    let names: Vec<&str> = listed.iter().map(|view| view.name.as_str()).collect();
    assert_eq!((names, listed[0].query_count), (vec!["All", "Usage"], 1));
}

#[tokio::test]
async fn the_period_of_a_view_fills_its_placeholders() {
    let world = World::new().await;
    let now = world.emulator.now();
    let ago = |days: i64| (*now - chrono::TimeDelta::days(days)).to_rfc3339();
    for day in [0, 3, 20] {
        world.signal("acme", "ticket_resolved", &ago(day), json!({})).await;
    }
    let views = world.client.custom_views();
    let request = CreateCustomViewRequest::new("Usage", [dated()], BUNDLE);
    assert_eq!(views.create(&request).await.unwrap_err().status().unwrap(), 400, "it needs a period");
    let id = views.create(&request.period(days(7))).await.unwrap().display_id;
    let count = |data: CustomViewDataResponse| data.data["dated"][0]["signals"].as_str().unwrap().to_owned();
    let data = || views.get_data(&id).customer_id("acme");
    assert_eq!(count(data().await.unwrap()), "2");
    let month = data().period_kind(CustomViewPeriodKind::Relative).period_unit(CustomViewPeriodUnit::Month);
    assert_eq!(count(month.period_amount(1).await.unwrap()), "3");
    let today = now.format("%Y-%m-%d").to_string();
    let one_day = data().period_kind(CustomViewPeriodKind::Absolute).period_start(&today).period_end(&today);
    assert_eq!(count(one_day.await.unwrap()), "1");
    views.update_period(&id, &UpdateCustomViewPeriodRequest::new(days(30))).await.unwrap();
    assert_eq!(count(data().await.unwrap()), "3");
    assert_eq!(views.get(&id).await.unwrap().period.unwrap().amount, Some(30));
    let path = format!("/experimental/views/{}/data?customerId=acme", id.as_str());
    for (query, place) in [
        ("periodAmount=3", "query.periodAmount"),
        ("periodKind=relative&periodUnit=day", "query.periodAmount"),
        ("periodKind=absolute&periodStart=2026-01-02&periodEnd=2026-01-01", "query.periodEnd"),
    ] {
        let refused = world.refused("GET", &format!("{path}&{query}"), Value::Null).await;
        assert_eq!(refused, (400, place.to_owned()));
    }
}

#[tokio::test]
async fn a_view_is_changed_in_parts_or_as_a_whole_and_checked_again() {
    let world = World::new().await;
    let views = world.client.custom_views();
    let id = views.create(&CreateCustomViewRequest::new("Usage", [counted()], BUNDLE)).await.unwrap().display_id;
    let path = format!("/experimental/views/{}", id.as_str());
    let edit = RenderBundleEdit::new("message', event", "message', e");
    let update = UpdateCustomViewRequest::new()
        .name("Use")
        .bundle_edits([edit])
        .query_upserts([CustomViewQuery::new("one", "SELECT 1 AS one")])
        .query_removals(["signals".to_owned()]);
    assert_eq!(views.update(&id, &update).await.unwrap().name, "Use");
    let detail = views.get(&id).await.unwrap();
    assert_eq!(detail.query_ids.as_deref().unwrap(), ["one"]);
    assert!(detail.render_bundle.as_deref().unwrap().contains("message', event =>"), "{:?}", detail.render_bundle);
    for (body, status, place) in [
        (json!({"queryRemovals": ["nothing"]}), 400, "body.queryRemovals.0"),
        (json!({"queryRemovals": ["one"]}), 400, "body.queries"),
        (json!({"queries": [{"id": "a", "sql": "SELECT 1"}], "queryRemovals": ["one"]}), 400, "body.queryRemovals"),
        (json!({"renderBundle": BUNDLE, "bundleEdits": []}), 400, "body.bundleEdits"),
        (json!({"bundleEdits": [{"oldText": "absent", "newText": ""}]}), 400, "body.bundleEdits.0.oldText"),
        (json!({"bundleEdits": [{"oldText": "paid:data", "newText": "x"}]}), 400, "body.renderBundle"),
        (json!({"renderBundle": format!("{BUNDLE}<script src='https://cdn.invalid'>")}), 400, "body.renderBundle"),
        (json!({"queryUpserts": [{"id": "one", "sql": "DROP TABLE fact_signal"}]}), 400, "body.queries.one.sql"),
        (json!({"queryUpserts": [{"id": "a", "sql": "SELECT {filter_a:String}"}]}), 501, "filters"),
        (json!({"filters": [{"name": "region"}]}), 501, "body.filters"),
        (json!({"name": " "}), 400, "body.name"),
    ] {
        let (found, details) = world.refused("PATCH", &path, body.clone()).await;
        assert!(found == status && details.contains(place), "{body}: {found} {details}");
    }
    let unchanged = views.get(&id).await.unwrap();
    assert_eq!((unchanged.query_ids, unchanged.render_bundle), (detail.query_ids, detail.render_bundle));
    assert_eq!(world.refused("GET", "/experimental/views/view_none", Value::Null).await.0, 404);
}

#[tokio::test]
async fn only_a_published_view_of_one_customer_is_embedded() {
    let world = World::new().await;
    let views = world.client.custom_views();
    let id = views.create(&CreateCustomViewRequest::new("Usage", [counted()], BUNDLE)).await.unwrap().display_id;
    let path = format!("/experimental/views/{}/embed-token?customerId=acme", id.as_str());
    assert_eq!(world.refused("GET", &path, Value::Null).await.0, 400, "it is a draft");
    assert_eq!(views.publish(&id).await.unwrap().status, CustomViewStatus::Published);
    assert_eq!(views.publish(&id).await.unwrap().status, CustomViewStatus::Published);
    let token = views.get_embed_token(&id, "acme").ttl_seconds(60).await.unwrap();
    assert!(!token.token.is_empty());
    let life = *token.expires_at.unwrap() - *world.emulator.now();
    assert!(life <= chrono::TimeDelta::seconds(60) && life > chrono::TimeDelta::seconds(50), "{life}");
    let long = views.get_embed_token(&id, "acme").ttl_seconds(1_000_000).await.unwrap();
    assert!(*long.expires_at.unwrap() - *world.emulator.now() <= chrono::TimeDelta::hours(1));
    assert_eq!(world.refused("GET", &format!("{path}&ttlSeconds=0"), Value::Null).await.0, 400);
    let all = CreateCustomViewRequest::new("All", [counted()], BUNDLE).scope(CustomViewScope::Organization);
    let all = views.create(&all).await.unwrap().display_id;
    views.publish(&all).await.unwrap();
    let path = format!("/experimental/views/{}/embed-token?customerId=acme", all.as_str());
    let (status, answer) = world.call("GET", &path, Value::Null).await;
    assert_eq!((status, &answer["code"]), (400, &json!("ORG_SCOPED_VIEW_NOT_EMBEDDABLE")));
}
