//! The collector takes OTLP as JSON, as the exporter of Node sends it.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use paid::emulator::Emulator;
use serde_json::{Value, json};

/// Ids are in hexadecimal, numbers of 64 bits are strings or numbers, and what is not set is left out.
fn request() -> Value {
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "sdr"}}], "droppedAttributesCount": 0},
        "scopeSpans": [{
            "scope": {"name": "paid.node"},
            "spans": [{
                "traceId": "5b8efff798038103d269b633813fc60c",
                "spanId": "eee19b7ec3c1b174",
                "parentSpanId": "eee19b7ec3c1b173",
                "name": "paid.trace.signal",
                "kind": 1,
                "startTimeUnixNano": "1544712660000000001",
                "endTimeUnixNano": "1544712661000000000",
                "attributes": [
                    {"key": "event_name", "value": {"stringValue": "sent"}},
                    {"key": "tokens", "value": {"intValue": "9007199254740993"}},
                    {"key": "scope", "value": {"intValue": 7}},
                    {"key": "cost", "value": {"doubleValue": 0.5}},
                    {"key": "flags", "value": {"arrayValue": {"values": [{"boolValue": true}]}}},
                    {"key": "nested", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}]}}},
                ],
                "events": [{"name": "first", "timeUnixNano": "1544712660500000000", "attributes": []}],
                "status": {"code": 1},
            }],
        }],
    }]})
}

async fn post(emulator: &Emulator, kind: &str, gzip: bool, body: &[u8]) -> (u16, Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request =
        http.post(emulator.collector_url()).header("content-type", kind).header("authorization", "Bearer paid_x");
    let request = if gzip { request.header("content-encoding", "gzip") } else { request };
    let response = request.body(body.to_vec()).send().await.unwrap();
    let (status, kind) = (response.status().as_u16(), response.headers()["content-type"].clone());
    assert_eq!(kind, "application/json");
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn spans_in_json_are_taken_with_and_without_compression() {
    let emulator = Emulator::start().await.unwrap();
    let body = request().to_string();
    assert_eq!(post(&emulator, "application/json", false, body.as_bytes()).await, (200, json!({})));
    let mut compressed = GzEncoder::new(Vec::new(), Compression::default());
    compressed.write_all(body.as_bytes()).unwrap();
    let compressed = compressed.finish().unwrap();
    assert_eq!(post(&emulator, "application/json; charset=utf-8", true, &compressed).await.0, 200);
    let spans = emulator.spans();
    assert_eq!((spans.len(), &spans[0]), (2, &spans[1]));
    let span = &spans[0];
    assert_eq!(
        (span.trace_id.as_str(), span.span_id.as_str(), span.parent_span_id.as_str()),
        ("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173")
    );
    assert_eq!((span.start, span.end, span.status), (1_544_712_660_000_000_001, 1_544_712_661_000_000_000, 1));
    assert_eq!((span.tracer.as_str(), span.resource["service.name"].as_str()), ("paid.node", Some("sdr")));
    assert_eq!(span.attribute("tokens"), &json!(9_007_199_254_740_993_i64));
    assert_eq!((span.attribute("scope"), span.attribute("cost")), (&json!(7), &json!(0.5)));
    assert_eq!((span.attribute("flags"), span.attribute("nested")), (&json!([true]), &json!({"a": 1})));
    assert_eq!(span.events[0].0, "first");
}

#[tokio::test]
async fn the_rules_are_those_of_protobuf() {
    let emulator = Emulator::start().await.unwrap();
    emulator.refuse_spans(2);
    let (status, answer) = post(&emulator, "application/json", false, request().to_string().as_bytes()).await;
    assert_eq!((status, &answer["partialSuccess"]["rejectedSpans"]), (200, &json!("2")));
    for (kind, body) in [
        ("application/json", "[]"),
        ("application/json", r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"not hex"}]}]}]}"#),
        ("text/plain", "{}"),
        ("application/x-protobuf", r#"{"resourceSpans":[]}"#),
    ] {
        assert_eq!(post(&emulator, kind, false, body.as_bytes()).await.0, 400, "{kind} {body}");
    }
    assert_eq!(emulator.spans().len(), 1);
}

#[tokio::test]
async fn a_signal_in_a_span_is_taken_like_one_of_the_api_and_once() {
    let seed = json!({"customers": [{"name": "Acme", "externalId": "acme"}], "products": [{"name": "SDR", "externalId": "sdr"}]});
    let emulator = Emulator::builder().seed(seed).start().await.unwrap();
    let text = |key: &str, text: &str| json!({"key": key, "value": {"stringValue": text}});
    let mut request = request();
    let span = &mut request["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    let attributes = [
        text("event_name", "email_sent"),
        text("external_customer_id", "acme"),
        text("external_agent_id", "sdr"),
        text("data", r#"{"words":120}"#),
    ];
    span["attributes"] = attributes.into_iter().collect();
    let mut other = span.clone();
    other["name"] = "paid.trace.parent_span".into();
    request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array_mut().unwrap().push(other);
    for _ in 0..2 {
        post(&emulator, "application/json", false, request.to_string().as_bytes()).await;
    }
    let listed = emulator.client().signals().list().external_customer_id("acme").await.unwrap().data;
    assert_eq!(listed.len(), 1, "neither the other span nor the repeated one is a signal: {listed:?}");
    let signal = listed.iter().next().unwrap().unwrap();
    assert_eq!((signal.name.as_str(), &signal.data.as_ref().unwrap()["words"]), ("email_sent", &json!(120)));
    assert_eq!(signal.external_product_id.as_ref().map(AsRef::<str>::as_ref), Some("sdr"));
}

#[tokio::test]
async fn costs_in_spans_are_costs_once_in_json_and_in_protobuf() {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message;

    let seed = json!({"customers": [{"name": "Acme", "externalId": "acme"}], "products": [{"name": "SDR", "externalId": "sdr",
        "productAttributes": [{"name": "Costs", "pricing": {"pricingType": "UsageCostPlus", "costPlusMultiplier": 2}}]}],
        "orders": [{"customer": "acme", "currency": "USD", "creationState": "active", "startDate": "2018-12-01T00:00:00Z",
            "lines": [{"product": "sdr"}]}]});
    let emulator = Emulator::builder().seed(seed).start().await.unwrap();
    let text = |key: &str, text: &str| json!({"key": key, "value": {"stringValue": text}});
    let mut request = request();
    let span = &mut request["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    let scope = [text("external_customer_id", "acme"), text("external_agent_id", "sdr")];
    let data = r#"{"costData":{"vendor":"serp","cost":{"amount":0.125,"currency":"USD"}}}"#;
    let mut call = span.clone();
    span["attributes"] = scope.iter().cloned().chain([text("event_name", "sent"), text("data", data)]).collect();
    call["name"] = "paid.trace.openai.chat".into();
    call["spanId"] = "eee19b7ec3c1b175".into();
    let tokens = json!({"key": "gen_ai.usage.input_tokens", "value": {"intValue": "120"}});
    let model = [text("gen_ai.system", "openai"), text("gen_ai.response.model", "gpt-4o"), tokens];
    call["attributes"] = scope.iter().cloned().chain(model).collect();
    let mut without_scope = call.clone();
    without_scope["attributes"].as_array_mut().unwrap().remove(0);
    let spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array_mut().unwrap();
    spans.extend([call, without_scope]);
    let protobuf: ExportTraceServiceRequest = serde_json::from_value(request.clone()).unwrap();
    for _ in 0..2 {
        assert_eq!(post(&emulator, "application/json", false, request.to_string().as_bytes()).await.0, 200);
    }
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = http.post(emulator.collector_url()).header("authorization", "Bearer paid_x");
    let body = body.header("content-type", "application/x-protobuf").body(protobuf.encode_to_vec());
    assert_eq!(body.send().await.unwrap().status(), 200);
    let costs = emulator.costs();
    let seen: Vec<_> =
        costs.iter().map(|cost| (cost.vendor.as_str(), cost.model.as_str(), cost.amount.is_some())).collect();
    assert_eq!(seen, [("serp", "", true), ("openai", "gpt-4o", false)]);
    assert_eq!((&costs[1].usage["inputTokens"], costs[0].product_id.is_some()), (&json!(120), true));
    assert!(costs.iter().all(|cost| cost.timestamp.to_string().starts_with("2018-12-13T14:51:00")), "{costs:?}");
    let invoices = emulator.client().invoices().list().await.unwrap().data;
    let total = invoices.iter().next().unwrap().unwrap().invoice_total;
    assert_eq!(total, paid::Decimal::from(25), "12.5 cents, twice");
}
