//! Signals that carry costs, and signals over the collector.

use super::*;

#[tokio::test]
async fn a_signal_takes_the_costs_of_its_scope_and_the_next_ones_begin_anew() {
    let emulator = Emulator::start().await.unwrap();
    emulator.add_product("p");
    let guard = tracing_to(&emulator);
    let emitter = paid::Emitter::new(emulator.client()).unwrap();
    guard
        .scope()
        .customer("acme")
        .product("p")
        .emitter(emitter.clone())
        .run(async {
            genai("openai", Operation::Chat).attribute("n", 1_i64).start().finish();
            let own = json!({"own": true});
            paid::emit(Signal::new("email_sent").field("paid", &own).field("a", &1).cost_attributed());
            genai("openai", Operation::Chat).attribute("n", 2_i64).start().finish();
            paid::emit(Signal::new("plain"));
            genai("openai", Operation::Chat).attribute("n", 3_i64).start().finish();
            let _ = emitter.send(Signal::new("meeting_booked").cost_attributed()).await.unwrap();
        })
        .await;
    emitter.flush(10 * SECOND).await.unwrap();
    let spans = spans(&emulator, &guard).await;
    let scope_id =
        |n: i64| spans.iter().find(|span| span.attribute("n") == n).unwrap().attribute("paid_scope_id").clone();
    assert_ne!(scope_id(1), scope_id(2));
    assert_eq!(scope_id(2), scope_id(3), "a signal without attribution renews nothing");
    let signals: Vec<Value> = emulator
        .requests()
        .into_iter()
        .flat_map(|request| request.body["signals"].as_array().cloned().unwrap_or_default())
        .collect();
    let data = |name: &str| signals.iter().find(|signal| signal["eventName"] == name).unwrap()["data"].clone();
    assert_eq!(data("email_sent"), json!({"a": 1, "paid": {"own": true, "paid_scope_id": scope_id(1)}}));
    assert_eq!(data("meeting_booked"), json!({"paid": {"paid_scope_id": scope_id(2)}}));
    assert_eq!(data("plain"), Value::Null);
    assert_eq!(guard.stats().repeated_attributions, 1, "counted, and warned of");
}

#[tokio::test]
async fn a_signal_that_is_refused_leaves_its_costs_to_the_next() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    let emitter = paid::Emitter::new(emulator.client()).unwrap();
    emitter.shutdown(SECOND).await.unwrap();
    let recorder = paid::testing::Recorder::new();
    guard
        .scope()
        .customer("acme")
        .run(async {
            assert!(emitter.send(Signal::new("lost").cost_attributed()).await.is_err());
            genai("openai", Operation::Chat).start().finish();
            recorder.run_sync(|| paid::emit(Signal::new("next").cost_attributed()));
        })
        .await;
    let spans = spans(&emulator, &guard).await;
    let root = named(&spans, "paid.trace.parent_span");
    assert!(spans.iter().all(|span| span.attribute("paid_scope_id") == root.attribute("paid_scope_id")));
    assert_eq!(recorder.signals()[0].to_json()["data"]["paid"]["paid_scope_id"], *root.attribute("paid_scope_id"));
}

#[tokio::test]
async fn signals_go_over_the_collector_where_they_are_to() {
    let emulator = Emulator::start().await.unwrap();
    let guard = tracing_to(&emulator);
    guard
        .scope()
        .customer("acme")
        .product("ai-sdr")
        .emitter(guard.signals())
        .run(async {
            paid::emit(Signal::new("email_sent").field("text", "grüße").cost_attributed());
        })
        .await;
    // Outside any scope, a signal that says whose it is stands alone.
    paid::testing::Recorder::new().run_sync(|| ());
    paid::scope().emitter(guard.signals()).run_sync(|| {
        paid::emit(Signal::new("alone").customer("other"));
        // Nobody's, by Paid's id, and with a unit: reported, not sent.
        paid::emit(Signal::new("nobodys"));
        paid::emit(Signal::new("by_paids_id").customer(CustomerId::from("cus_1")));
        paid::emit(Signal::new("of_a_unit").customer("other").unit("sales"));
    });
    let spans = spans(&emulator, &guard).await;
    let signals: Vec<_> = spans.iter().filter(|span| span.name == "paid.trace.signal").collect();
    assert_eq!(signals.len(), 2);
    let (email, alone) = (signals[0], signals[1]);
    let root = named(&spans, "paid.trace.parent_span");
    assert_eq!((email.status, &email.parent_span_id, &email.trace_id), (1, &root.span_id, &root.trace_id));
    assert_eq!(email.attribute("event_name"), "email_sent");
    let data: Value = serde_json::from_str(email.attribute("data").as_str().unwrap()).unwrap();
    assert_eq!(data, json!({"text": "grüße", "paid": {"enable_cost_tracing": true}}));
    assert_eq!(email.attribute("external_agent_id"), "ai-sdr");
    assert_eq!(alone.attribute("external_customer_id"), "other");
    assert_eq!(alone.attribute("external_agent_id"), &Value::Null);
    assert_eq!(guard.stats().refused_signals, 3);
}
