//! Exports of signals, added up by customer and month.

use paid::types::*;
use serde_json::{Value, json};

use super::{World, items};

fn spec() -> Value {
    json!({
        "name": "Runs",
        "signalNames": [{"name": "run", "group": "Workflow runs", "slug": "runs"}, {"name": "call", "group": "Calls"}],
        "measures": [{"fn": "count"}, {"fn": "sum", "path": "run.pages", "slug": "pages"}],
        "dimensions": [{"kind": "presence", "path": "ticket", "appliesTo": ["run"],
            "values": {"true": {"group": "Ticket"}, "false": {"group": "No ticket", "slug": "plain"}}}],
        "columnNameTemplate": "{dim1}_{signal}_{dim2}",
    })
}

async fn download(url: &str) -> (u16, String) {
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn an_export_is_a_file_with_a_row_for_each_customer_and_month() {
    let world = World::new().await;
    for (customer, event, at, data) in [
        ("acme", "run", "2026-01-31T23:59:59.999Z", json!({"ticket": "t", "run": {"pages": 0.1}})),
        ("acme", "run", "2026-01-01T00:00:00Z", json!({"ticket": "u", "run": {"pages": 0.2}})),
        ("acme", "run", "2026-02-01T00:00:00Z", json!({})),
        ("acme", "call", "2026-02-01T00:00:00Z", json!({})),
        ("acme", "run", "2026-03-01T00:00:00Z", json!({})),
        ("globex", "unselected", "2026-02-01T00:00:00Z", json!({})),
    ] {
        world.signal(customer, event, at, data).await;
    }
    let body = json!({"spec": spec(), "from": "2026-01-15", "to": "2026-03-20"});
    let pending = world.good("POST", "/experimental/signal-summaries/exports", body).await;
    assert_eq!((&pending["status"], &pending["downloadUrl"]), (&json!("pending"), &Value::Null));
    assert_eq!((&pending["from"], &pending["to"]), (&json!("2026-01-01"), &json!("2026-03-01")));
    let id = pending["id"].as_str().unwrap();
    let export = world.client.signal_summaries().get_export(id).await.unwrap();
    assert_eq!((export.status, export.row_count), (SignalSummaryExportStatus::Succeeded, Some(2)));
    let columns = export.columns.unwrap();
    let names: Vec<&str> = items(&columns).iter().map(|column| column.name.as_str()).collect();
    let expected = [
        "ticket_runs_count",
        "ticket_runs_pages",
        "plain_runs_count",
        "plain_runs_pages",
        "calls_count",
        "calls_pages",
    ];
    assert_eq!(names, expected);
    let acme = world.customer("acme").await;
    let (status, file) = download(&export.download_url.unwrap()).await;
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(status, 200);
    assert_eq!(lines.len(), 5, "{file}");
    assert_eq!(lines[0], ",,,,Workflow runs,Workflow runs,Workflow runs,Workflow runs,Calls,Calls");
    assert_eq!(lines[1], ",,,,Ticket,Ticket,No ticket,No ticket,,");
    assert_eq!(lines[2], format!("customer_id,external_customer_id,customer_name,month,{}", expected.join(",")));
    assert_eq!(lines[3], format!("{},acme,\"Acme, Inc.\",2026-01,2,0.3,0,0,0,0", acme.as_str()));
    assert_eq!(lines[4], format!("{},acme,\"Acme, Inc.\",2026-02,0,0,1,0,1,0", acme.as_str()));

    let copy = json!({"copyFrom": id, "from": "2026-02-01", "to": "2026-03-01", "customerIds": ["globex"]});
    let copy = world.good("POST", "/experimental/signal-summaries/exports", copy).await;
    assert_eq!(copy["spec"], spec());
    let copy = world.client.signal_summaries().get_export(copy["id"].as_str().unwrap()).await.unwrap();
    assert_eq!(copy.row_count, Some(0));
}

#[tokio::test]
async fn a_file_can_be_downloaded_for_a_while() {
    let world = World::new().await;
    let body = json!({"spec": spec(), "from": "2026-01-01", "to": "2026-02-01"});
    let id = world.good("POST", "/experimental/signal-summaries/exports", body).await["id"].clone();
    let id = id.as_str().unwrap();
    let exports = world.client.signal_summaries();
    let url = exports.get_export(id).await.unwrap().download_url.unwrap();
    assert_eq!(download(&url).await.0, 200);
    world.emulator.advance(std::time::Duration::from_secs(8 * 24 * 60 * 60)).await;
    assert_eq!(exports.get_export(id).await.unwrap().download_url, None);
    assert_eq!(download(&url).await.0, 404);
}

#[tokio::test]
async fn exports_that_cannot_be_are_refused_with_their_place() {
    let world = World::new().await;
    let with = |more: Value| {
        let mut body = json!({"spec": spec(), "from": "2026-01-01", "to": "2026-02-01"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let with_spec = |key: &str, value: Value| {
        let mut changed = spec();
        changed[key] = value;
        with(json!({ "spec": changed }))
    };
    for (body, status, place) in [
        (json!({"from": "2026-01-01", "to": "2026-02-01"}), 400, "body.spec"),
        (with(json!({"copyFrom": "exp_none"})), 400, "body.copyFrom"),
        (json!({"copyFrom": "exp_none", "from": "2026-01-01", "to": "2026-02-01"}), 404, "exp_none"),
        (with(json!({"from": "2025-08-31"})), 400, "body.from"),
        (with(json!({"to": "2026-01-31"})), 400, "body.to"),
        (with(json!({"to": "later"})), 400, "body.to"),
        (with(json!({"customerIds": ["nobody"]})), 404, "nobody"),
        (with_spec("measures", json!([])), 400, "body.spec.measures"),
        (with_spec("measures", json!([{"fn": "sum"}])), 400, "body.spec.measures.0.path"),
        (with_spec("signalNames", json!([])), 400, "body.spec.signalNames"),
        (
            with_spec("signalNames", json!([{"name": "walk", "group": "A"}, {"name": "call", "group": "A"}])),
            400,
            "body.spec.signalNames.1",
        ),
        (
            with_spec("dimensions", json!([{"kind": "bands", "path": "a", "appliesTo": ["walk"], "brackets": []}])),
            400,
            "body.spec.dimensions.0.appliesTo",
        ),
    ] {
        let (found, details) = world.refused("POST", "/experimental/signal-summaries/exports", body.clone()).await;
        assert!(found == status && details.contains(place), "{body}: {found} {details}");
    }
    assert_eq!(world.refused("GET", "/experimental/signal-summaries/exports/exp_none", Value::Null).await.0, 404);
}
