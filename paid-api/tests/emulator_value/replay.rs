//! All of it is kept in the state file, and is the same after a restart.

use paid::emulator::Emulator;
use serde_json::{Value, json};

use super::{World, hours, seed};

#[tokio::test]
async fn everything_is_the_same_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account.jsonl");
    let start = || Emulator::builder().seed(seed()).state(&file).start();
    let world = World::of(start().await.unwrap());
    world.model(hours()).await;
    world.signal("acme", "ticket_resolved", "2026-01-05T00:00:00Z", json!({})).await;
    let period = json!({"externalCustomerId": "acme", "startDate": "2026-01-01T00:00:00Z",
        "endDate": "2026-01-31T00:00:00Z"});
    // What fails takes no id, since it is not done again.
    assert_eq!(
        world
            .refused(
                "POST",
                "/value-receipts/",
                json!({"externalCustomerId": "nobody",
        "startDate": "2026-01-01T00:00:00Z", "endDate": "2026-01-31T00:00:00Z"})
            )
            .await
            .0,
        404
    );
    let receipt = world.good("POST", "/value-receipts/", period).await["id"].as_str().unwrap().to_owned();
    world.good("POST", &format!("/value-receipts/{receipt}/publish"), json!({})).await;
    let view = json!({"name": "A", "queries": [{"id": "a", "sql": "SELECT 1"}], "renderBundle": "paid:data"});
    let bad = json!({"name": "A", "queries": [{"id": "a", "sql": "SELECT"}], "renderBundle": "paid:data"});
    assert_eq!(world.refused("POST", "/experimental/views/", bad).await.0, 400);
    world.good("POST", "/experimental/views/", view).await;
    let export = json!({"from": "2026-01-01", "to": "2026-02-01", "spec": {"name": "S", "measures": [{"fn": "count"}],
        "signalNames": [{"name": "ticket_resolved", "group": "Tickets"}]}});
    let export = world.good("POST", "/experimental/signal-summaries/exports", export).await["id"].clone();
    let metric = json!({"name": "Calls", "unit": {"type": "custom", "unit": "call"},
        "formula": {"expression": "1", "variables": []}, "signal": {"eventName": "ticket_resolved"}});
    world.good("POST", "/value-metrics/", metric).await;
    let export = export.as_str().unwrap();
    let before = shown(&world, &receipt, export).await;
    drop(world);
    let world = World::of(start().await.unwrap());
    assert_eq!(shown(&world, &receipt, export).await, before);
}

/// All that was made, without the address of the emulator.
async fn shown(world: &World, receipt: &str, export: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for path in [
        format!("/value-receipts/{receipt}"),
        format!("/experimental/signal-summaries/exports/{export}"),
        "/experimental/views/".to_owned(),
        "/value-models/".to_owned(),
        "/value-metrics/".to_owned(),
    ] {
        let mut answer = world.good("GET", &path, Value::Null).await;
        if let Some(answer) = answer.as_object_mut() {
            answer.remove("downloadUrl");
        }
        all.push(answer);
    }
    all
}
