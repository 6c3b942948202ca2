//! What the environment of a process may not change: plain http uses no proxy. And what is logged. The test runs itself
//! again with a role.

use std::process::Command;
use std::time::Duration;

use paid::costs::{CostEmitter, CostRecord};
use paid::{Client, Currency, Emitter, Method, Money};

use super::server::{Server, accepts, answer};
use super::{KEY, builder, client, signal};

const ROLE: &str = "PAID_TEST_ROLE";
const URL: &str = "PAID_TEST_URL";
const PROXIES: [&str; 6] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"];
const PATIENCE: Duration = Duration::from_secs(10);

fn again(role: &str, url: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["processes::roles", "--exact", "--nocapture"]).env(ROLE, role).env(URL, url).env("PAID_API_KEY", KEY);
    for name in PROXIES.iter().chain(&["NO_PROXY", "no_proxy", "REQUEST_METHOD"]) {
        command.env_remove(name);
    }
    command
}

/// What the process printed, if it ended well.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    text
}

/// What a process does that was started again; nothing in the test itself.
#[test]
fn roles() {
    let (Ok(role), Ok(url)) = (std::env::var(ROLE), std::env::var(URL)) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match role.as_str() {
        "sends everything" => runtime.block_on(sends_everything(&url)),
        "asks once" => {
            let error = runtime.block_on(client(&url).request(Method::GET, "/products/").into_future()).unwrap_err();
            println!("{error} {error:?}");
        }
        "logs everything" => {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
                .with_ansi(false)
                .with_writer(std::io::stdout)
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
            runtime.block_on(logs_everything(&url));
        }
        other => panic!("{other}"),
    }
}

fn cost() -> CostRecord<paid::costs::Spent> {
    CostRecord::amount(Money::parse("0.01", Currency::USD).unwrap()).customer("acme")
}

async fn sends_everything(url: &str) {
    let through = std::env::var("PAID_TEST_PROXY").unwrap();
    // A proxy that the program asks for is not used for plain http either.
    let asked = move |http: reqwest::ClientBuilder| http.proxy(reqwest::Proxy::all(&through).unwrap());
    for client in [client(url), builder(url).http(asked).build().unwrap(), env_client(url)] {
        client.request(Method::GET, "/products/").await.unwrap();
        let emitter = Emitter::new(client.clone()).unwrap();
        emitter.send(signal("k-1")).await.unwrap();
        CostEmitter::new(client).unwrap().record(cost()).await.unwrap();
    }
    let guard = paid::trace::builder().endpoint(format!("{url}/v1/traces")).build().unwrap();
    guard.scope().customer("acme").run_sync(|| ());
    guard.flush(PATIENCE).await.unwrap();
    assert_eq!(guard.stats().exported, 1);
}

/// A client whose settings come from the environment as well.
fn env_client(url: &str) -> Client {
    paid::ClientBuilder::from_env().unwrap().base_url(url).build().unwrap()
}

#[test]
fn what_is_for_this_machine_goes_through_no_proxy() {
    let proxy = Server::start(|_| answer(502, &[], "a proxy"));
    for host in ["127.0.0.1", "127.0.0.2", "localhost", "[::1]"] {
        // Not every machine has all of them.
        let Ok(server) = Server::at(host, accepts) else { continue };
        let mut command = again("sends everything", &server.url);
        command.env("PAID_TEST_PROXY", &proxy.url).envs(PROXIES.map(|name| (name, &proxy.url)));
        output(&mut command);
        assert!(server.seen().len() >= 10, "{host}: {}", server.seen().len());
        assert!(proxy.seen().is_empty(), "{host}: {:?}", proxy.seen());
    }
}

#[test]
fn what_is_encrypted_may_go_through_a_proxy_which_sees_no_key() {
    let proxy = Server::start(|request| answer(407, &[("connection", "close")], format!("{request:?}")));
    let text = output(again("asks once", "https://paid.test/api/v2").env("HTTPS_PROXY", &proxy.url));
    assert!(text.contains("cannot connect to Paid"), "{text}");
    let seen = proxy.seen();
    assert!(seen[0].line.starts_with("CONNECT paid.test:443"), "{seen:?}");
    assert!(!format!("{seen:?}{text}").contains("paid_012"), "{seen:?} {text}");
}

async fn logs_everything(url: &str) {
    let client = client(url);
    println!("{:?}", client.request(Method::GET, "/products/").await);
    let emitter = Emitter::builder(client.clone()).build().unwrap();
    let _ = emitter.send(signal("k-1")).await;
    let costs = CostEmitter::new(client).unwrap();
    let _ = costs.record(cost()).await;
    let guard = paid::trace::builder().endpoint(format!("{url}/v1/traces")).build().unwrap();
    guard.scope().customer("acme").run_sync(|| ());
    let _ = guard.flush(PATIENCE).await;
}

#[test]
fn nothing_that_is_logged_contains_the_key() {
    use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
    use prost::Message;
    let server = Server::start(|request| {
        let echo = format!("you sent {}", request.header("authorization"));
        match request.target() {
            "/v1/traces" => {
                let partial = ExportTracePartialSuccess { rejected_spans: 1, error_message: echo };
                answer(200, &[], ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec())
            }
            "/costs/bulk" => answer(502, &[], serde_json::json!({ "error": echo }).to_string()),
            _ => answer(400, &[("x-request-id", &echo)], serde_json::json!({ "error": echo }).to_string()),
        }
    });
    let text = output(&mut again("logs everything", &server.url));
    for expected in ["the collector refused 1 of 1 spans", "uncertain", "you sent Bearer [API key]"] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(!text.contains("paid_012"), "{text}");
}
