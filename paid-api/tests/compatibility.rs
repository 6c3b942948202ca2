//! The same workflow with Paid's own Python client and with this one: names, attributes and status of every span.
//!
//! What the Python client sent is committed as a table of facts. `PAID_PYTHON=<a python with paid-python, openai and
//! anthropic>` runs it again and compares; with `PAID_PYTHON_RECORD=1` too, the table is written anew.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use paid::emulator::{CollectedSpan, Emulator};
use paid::signal::Signal;
use paid::trace::{Operation, genai, read};
use serde_json::{Value, json};

/// What differs from one run to the next, and from one client to another.
const BY_CLIENT: [&str; 2] = ["paid_scope_id", "paid.sdk.version"];

/// What this client says beside what the Python client says: provider and request as OpenTelemetry has them now, and ids.
const OURS: [&str; 4] = ["gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.id", "error.type"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compatibility")
}

/// A span in the terms of the table.
fn fact(span: &CollectedSpan, is_root: bool) -> Value {
    let mut attributes = span.attributes.clone();
    for key in BY_CLIENT {
        if let Some(value) = attributes.get_mut(key) {
            *value = if value.is_i64() { "an integer".into() } else { "a text".into() };
        }
    }
    if let Some(data) = attributes.get_mut("data") {
        // JSON, however it is spaced.
        *data = serde_json::from_str(data.as_str().unwrap()).unwrap();
    }
    json!({"kind": span.kind, "status": span.status, "is_root": is_root, "attributes": attributes})
}

/// By name; work that failed apart from work that did not.
fn facts(spans: &[CollectedSpan]) -> BTreeMap<String, Value> {
    let of = |span: &CollectedSpan| {
        let is_failed = span.name.ends_with("parent_span") && span.status == 2;
        let name = if is_failed { format!("{} (failed)", span.name) } else { span.name.clone() };
        (name, fact(span, span.parent_span_id.is_empty()))
    };
    spans.iter().map(of).collect()
}

fn table() -> BTreeMap<String, Value> {
    serde_json::from_slice(&std::fs::read(folder().join("python-1.12.0.json")).unwrap()).unwrap()
}

async fn ours(emulator: &Emulator) -> BTreeMap<String, Value> {
    let builder = paid::trace::builder().api_key("paid_rust").endpoint(emulator.collector_url()).enabled(true);
    let guard = builder.build().unwrap();
    let scope = guard.scope().customer("acme").product("ai-sdr").emitter(guard.signals());
    let metadata = (json!({"name": "a", "size": 2}), json!(["x", "y"]));
    scope
        .metadata("team", &metadata.0)
        .metadata("tags", &metadata.1)
        .run(async {
            let answer = |body: Value| async move { Ok::<_, std::io::Error>(body) };
            let chat = json!({"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "usage": {
                "prompt_tokens": 12, "completion_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": {"reasoning_tokens": 1}}});
            let call = genai("openai", Operation::Chat).request_model("gpt-4o").start();
            call.observe_with(answer(chat), read::openai_chat).await.unwrap();
            let embedding = json!({"model": "text-embedding-3-small", "usage": {"prompt_tokens": 8, "total_tokens": 8}});
            let call = genai("openai", Operation::Embeddings).request_model("text-embedding-3-small").start();
            call.observe_with(answer(embedding), read::openai_chat).await.unwrap();
            let response = json!({"id": "resp_1", "model": "gpt-5", "usage": {
                "input_tokens": 12, "input_tokens_details": {"cached_tokens": 8}, "output_tokens": 3,
                "output_tokens_details": {"reasoning_tokens": 1}}});
            let call = genai("openai", Operation::Responses).request_model("gpt-5").start();
            call.observe_with(answer(response), read::openai_responses).await.unwrap();
            let message = json!({"id": "msg_1", "role": "assistant", "model": "claude-sonnet-4-5", "usage": {
                "input_tokens": 5, "output_tokens": 17, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 3}});
            let call = genai("anthropic", Operation::Messages).request_model("claude-sonnet-4-5").start();
            call.observe_with(answer(message), read::anthropic_messages).await.unwrap();
            paid::emit(Signal::new("email_sent").field("lead_id", "l1").cost_attributed());
        })
        .await;
    let failed = guard.scope().customer("acme").try_run(async { Err::<(), _>(std::io::Error::other("failed")) }).await;
    assert!(failed.is_err());
    guard.flush(Duration::from_secs(10)).await.unwrap();
    facts(&emulator.spans())
}

#[tokio::test]
async fn what_leaves_is_what_the_python_client_sends() {
    let (theirs, ours) = (table(), ours(&Emulator::start().await.unwrap()).await);
    assert_eq!(theirs.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>());
    for (name, theirs) in &theirs {
        let (mut theirs, mut ours) = (theirs.clone(), ours[name].clone());
        let (theirs_has, ours_has) =
            (theirs["attributes"].as_object_mut().unwrap(), ours["attributes"].as_object_mut().unwrap());
        ours_has.retain(|key, _| theirs_has.contains_key(key) || !OURS.contains(&key.as_str()));
        // Where OpenAI counts cached tokens as input too, this client keeps them apart.
        if name.contains("openai")
            && let (Some(input), Some(cached)) =
                (theirs_has.get("gen_ai.usage.input_tokens"), theirs_has.get("gen_ai.usage.cached_input_tokens"))
        {
            let apart = input.as_i64().unwrap() - cached.as_i64().unwrap();
            theirs_has.insert("gen_ai.usage.input_tokens".into(), apart.into());
        }
        assert_eq!(theirs, ours, "{name}");
    }
}

#[tokio::test]
async fn the_table_is_what_the_python_client_sends_today() {
    let Ok(python) = std::env::var("PAID_PYTHON") else {
        eprintln!(
            "SKIPPED: set PAID_PYTHON to a python with paid-python, openai and anthropic to run Paid's own client"
        );
        return;
    };
    let emulator = Emulator::start().await.unwrap();
    let (script, url) = (folder().join("workflow.py"), emulator.collector_url());
    let run = move || std::process::Command::new(python).arg(script).arg(url).output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sent = facts(&emulator.spans());
    if std::env::var_os("PAID_PYTHON_RECORD").is_some() {
        let text = serde_json::to_string_pretty(&sent).unwrap() + "\n";
        std::fs::write(folder().join("python-1.12.0.json"), text).unwrap();
    }
    assert_eq!(sent, table());
}
