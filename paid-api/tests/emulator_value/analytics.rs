//! Analytics: the tables, the keys of signals' data, and SQL.

use std::time::Duration;

use paid::emulator::Emulator;
use paid::types::*;
use serde_json::{Value, json};

use super::{World, hours, items};

async fn ask(world: &World, sql: &str) -> Vec<Vec<Value>> {
    let answer = world.client.analytics().execute_query(&AnalyticsQueryRequest::new(sql)).await;
    answer.unwrap_or_else(|error| panic!("{sql}: {error}")).rows
}

/// The status, the code and the message of a query that fails.
async fn refused(world: &World, sql: &str) -> (u16, String) {
    let (status, answer) = world.call("POST", "/analytics/query", json!({ "query": sql })).await;
    assert!(status >= 400, "{sql}: {answer}");
    (status, answer["error"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_table_and_column_of_the_schema_can_be_asked() {
    let world = World::new().await;
    let schema = world.client.analytics().get_schema().await.unwrap();
    assert_eq!(schema.views.len(), 8);
    for view in items(&schema.views) {
        let names: Vec<&str> = items(&view.columns).iter().map(|column| column.name.as_str()).collect();
        let query = AnalyticsQueryRequest::new(format!("SELECT {} FROM {}", names.join(", "), view.name));
        let answer = world.client.analytics().execute_query(&query).await.unwrap();
        let columns = answer.columns.unwrap();
        let found: Vec<&str> = items(&columns).iter().map(|column| column.name.as_str()).collect();
        assert_eq!(found, names, "{}", view.name);
    }
    let old = world.good("GET", "/experimental/analytics/schema", Value::Null).await;
    assert_eq!(old["views"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn queries_find_what_is_in_the_account_exactly() {
    let world = World::new().await;
    world.model(hours()).await;
    let product = world.client.products().get_by_external_id("support").await.unwrap().id;
    let order = CreateOrderRequest::new(world.customer("acme").await)
        .currency("USD")
        .creation_state(OrderCreationState::Active)
        .lines([CreateOrderLineRequest::new(product)]);
    world.client.orders().create(&order).await.unwrap();
    let now = world.emulator.now().to_string();
    world.signal("acme", "ticket_resolved", &now, json!({"country": "de", "minutes": 60})).await;
    world.signal("acme", "ticket_resolved", &now, json!({"country": "fr"})).await;
    world.signal("globex", "other", "2026-01-05T00:00:00.5Z", json!({"country": "de"})).await;
    let cost = |amount: &str| {
        json!({"type": "cost", "customer": {"externalCustomerId": "acme"}, "amount": amount.parse::<f64>().unwrap(),
            "currency": "USD", "vendor": "openai", "model": "m"})
    };
    world.good("POST", "/costs/bulk", json!({"costs": [cost("0.001"), cost("0.002")]})).await;

    let by_country = "SELECT data ->> '$.country' AS country, count(*) AS signals FROM fact_signal \
        GROUP BY country ORDER BY country";
    assert_eq!(ask(&world, by_country).await, [[json!("de"), json!("2")], [json!("fr"), json!("1")]]);
    let times = "SELECT created_at FROM fact_signal WHERE created_at < '2026-01-05 00:00:01'";
    assert_eq!(ask(&world, times).await, [[json!("2026-01-05 00:00:00.500")]]);
    // A tenth and two tenths of a cent are three tenths, to the last digit.
    let costs = "SELECT decimal_sum(cost_amount), min(currency) FROM fact_cost";
    assert_eq!(ask(&world, costs).await, [[json!("0.3"), json!("USD")]]);
    let invoices = "SELECT i.total_amount, l.quantity, c.external_customer_id FROM fact_invoice i \
        JOIN fact_invoice_line l USING (invoice_id) JOIN dim_customer c ON c.customer_id = i.customer_id";
    assert_eq!(ask(&world, invoices).await, [[json!("600"), json!("2"), json!("acme")]]);
    let value =
        "SELECT value_metric, unit_value, monetary_amount FROM fact_delivered_value ORDER BY monetary_amount DESC";
    let expected = [["hours", "1", "5000"], ["hours", "0.333333333333333", "1666.66666666667"]];
    assert_eq!(ask(&world, value).await, expected.map(|row| row.map(|cell| json!(cell))));
    let typed =
        AnalyticsQueryRequest::new("WITH a AS (SELECT 1 AS n) SELECT n, 0.5 AS half, 'x' AS t, NULL AS no FROM a;");
    let answer = world.client.analytics().execute_query(&typed).await.unwrap();
    let (columns, meta) = (answer.columns.unwrap(), answer.meta.unwrap());
    let types: Vec<&str> = items(&columns).iter().map(|column| column.type_.as_str()).collect();
    assert_eq!(types, ["Int64", "Float64", "String", "Nullable(Nothing)"]);
    assert_eq!((meta.row_count, meta.truncated), (Some(1), Some(false)));
    let old = json!({"query": "SELECT count(*) FROM dim_customer"});
    assert_eq!(world.good("POST", "/experimental/analytics/query", old).await["rows"], json!([["2"]]));
}

#[tokio::test]
async fn time_in_queries_is_the_emulators() {
    let world = World::new().await;
    world.emulator.advance(Duration::from_secs(400 * 24 * 60 * 60)).await;
    let today = world.emulator.now().format("%Y-%m-%d").to_string();
    for sql in [
        "SELECT date('now')",
        "SELECT date()",
        "SELECT substr(now(), 1, 10)",
        "SELECT substr(CURRENT_TIMESTAMP, 1, 10)",
        "SELECT CURRENT_DATE",
        "SELECT strftime('%Y-%m-%d', 'now')",
        "SELECT date('now', '+1 day', '-1 day')",
        "SELECT date(unixepoch('NOW'), 'unixepoch')",
    ] {
        assert_eq!(ask(&world, sql).await, [[json!(today)]], "{sql}");
    }
    assert_eq!(ask(&world, "SELECT date('2026-01-31', '+1 month'), datetime(NULL)").await[0][1], Value::Null);
}

#[tokio::test]
async fn queries_read_and_reach_nothing_else() {
    let world = World::new().await;
    for sql in [
        "DELETE FROM dim_customer",
        "INSERT INTO dim_customer SELECT * FROM dim_customer",
        "CREATE TABLE a (b)",
        "DROP TABLE fact_signal",
        "PRAGMA table_info(dim_customer)",
        "ATTACH 'x.db' AS x",
        "SELECT * FROM sqlite_schema",
        "SELECT * FROM sqlite_temp_schema",
        "SELECT * FROM pragma_table_info('dim_customer')",
        "SELECT * FROM pragma_function_list",
        "VACUUM INTO 'x.db'",
        "SELECT 1; SELECT 2",
        "SELECT nothing FROM dim_customer",
        "SELECT data.country::String FROM fact_signal",
        "SELECT :x",
        "SELECT zeroblob(4)",
        "",
    ] {
        let (status, error) = refused(&world, sql).await;
        assert_eq!(status, 400, "{sql}: {error}");
    }
    assert_eq!(ask(&world, "SELECT count(*) FROM dim_customer").await, [[json!("2")]]);
}

#[tokio::test]
async fn queries_that_take_too_much_end() {
    let world = World::new().await;
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    assert_eq!(refused(&world, endless).await.0, 408);
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10001) SELECT i FROM n";
    let answer = world.client.analytics().execute_query(&AnalyticsQueryRequest::new(many)).await.unwrap();
    let meta = answer.meta.unwrap();
    assert_eq!((meta.row_count, meta.truncated), (Some(10_000), Some(true)));
    let large = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) \
        SELECT hex(zeroblob(1000000)) FROM n";
    assert_eq!(refused(&world, large).await.0, 422);
    assert_eq!(refused(&world, "SELECT length(hex(zeroblob(100000000)))").await.0, 400);
}

#[tokio::test]
async fn the_keys_of_signals_are_listed_for_a_window() {
    let world = World::new().await;
    let now = world.emulator.now().to_string();
    world.signal("acme", "meeting", &now, json!({"lead": {"id": "l1"}, "score": 1})).await;
    world.signal("acme", "meeting", &now, json!({"lead": {"id": 2}})).await;
    world.signal("acme", "call", &now, json!({})).await;
    world.signal("acme", "meeting", "2026-01-01T00:00:00Z", json!({"old": true})).await;
    let all = world.client.analytics().get_signals_metadata().await.unwrap();
    let signals = items(&all.signals);
    let names: Vec<&str> = signals.iter().map(|signal| signal.signal_name.as_str()).collect();
    assert_eq!(names, ["call", "meeting"]);
    let paths: Vec<(&str, Vec<&str>)> = items(&signals[1].paths)
        .iter()
        .map(|path| (path.path.as_str(), path.types.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(paths, [("lead.id", vec!["Int64", "String"]), ("score", vec!["Int64"])]);
    let from = "2026-01-01T00:00:00Z".parse::<paid::Timestamp>().unwrap();
    let old = world.client.analytics().get_signals_metadata().signal_name("meeting").from_date(from).await.unwrap();
    assert!(items(&items(&old.signals)[0].paths).iter().any(|path| path.path == "old"));
    let turned = "/analytics/signals/metadata?fromDate=2026-02-01T00:00:00Z&toDate=2026-01-01T00:00:00Z";
    assert_eq!(world.refused("GET", turned, Value::Null).await, (400, "query.fromDate".to_owned()));
}

#[tokio::test]
async fn asking_is_not_kept_as_a_change_of_the_account() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account.jsonl");
    let world = World::of(Emulator::builder().state(&file).start().await.unwrap());
    ask(&world, "SELECT 1").await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
}
