//! The emulator holds what it receives against a catalogue.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_emulator_tells_what_the_catalogue_does_not_allow() {
    let own = Crate::new(CATALOGUE, SOURCE);
    let path = own.0.path().join("signals.toml");
    let emulator = Emulator::builder().catalogue(path.as_path()).start().await.unwrap();
    emulator.add_product("sdr");
    let client = emulator.client();
    let signal = |name: &str, data: Value| {
        json!({ "eventName": name, "customer": { "externalCustomerId": "acme" },
            "attribution": { "externalProductId": "sdr" }, "data": data, "idempotencyKey": name })
    };
    let signals = json!({ "signals": [signal("email_sent", json!({})), signal("emial_sent", json!({}))] });
    client.request(paid::Method::POST, "/signals/bulk").body(&signals).await.unwrap();
    let report = emulator.catalogue_report().unwrap();
    let problems: Vec<(&str, &str)> =
        report.objections.iter().map(|objection| (objection.event_name.as_str(), objection.problem.as_str())).collect();
    assert_eq!(
        problems,
        [
            ("email_sent", "the field `lead_id` is required"),
            ("emial_sent", "the catalogue has no such signal; did you mean `email_sent`?"),
        ]
    );
    assert_eq!((report.received, report.never_received), (2, vec!["meeting_booked".to_owned()]));
    emulator.reset();
    assert!(emulator.catalogue_report().unwrap().is_clean());
    assert!(Emulator::start().await.unwrap().catalogue_report().is_none());
    own.write("signals.toml", "[signals.a]\n");
    let error = Emulator::builder().catalogue(path).start().await.unwrap_err().to_string();
    assert!(error.contains("signals.toml:1:10: `a` needs `type"), "{error}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_says_it_at_its_route_and_when_it_is_stopped() {
    let Some(program) = option_env!("CARGO_BIN_EXE_paid-emulator") else {
        println!("skipped: the program needs feature emulator-cli");
        return;
    };
    let own = Crate::new(CATALOGUE, SOURCE);
    let mut program = Command::new(program);
    program.args(["--port", "0", "--signals"]).arg(own.0.path().join("signals.toml")).stdout(Stdio::piped());
    let mut program = program.spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let url = lines.find_map(|line| line.unwrap().split_once("PAID_BASE_URL=").map(|(_, url)| url.to_owned())).unwrap();
    let client = Client::builder().api_key("paid_x").base_url(url.as_str()).build().unwrap();
    let signal = json!({ "eventName": "meeting_booked", "customer": { "externalCustomerId": "acme" },
        "attribution": { "externalProductId": "other" } });
    client.request(paid::Method::POST, "/signals/bulk").body(&json!({ "signals": [signal] })).await.unwrap();

    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    let mut route = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /__emulator/catalogue HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer paid_x\r\nConnection: close\r\n\r\n"
    );
    route.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    route.read_to_string(&mut answer).unwrap();
    let report: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!((&report["received"], &report["neverReceived"]), (&json!(1), &json!(["email_sent"])));

    let stopped = Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    let said: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(program.wait().unwrap().success());
    let said = said.join("\n");
    let expected = "catalogue: 1 signal received\n  meeting_booked: its product is \"sdr\", not \"other\"\nnever received: email_sent";
    assert!(said.ends_with(expected), "{said}");
}
