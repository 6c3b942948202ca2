//! What surrounds the emulated account: its time, its files, its page, and who may ask.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use paid::emulator::Emulator;
use paid::types::*;
use paid::{Client, Decimal, object};
use serde_json::{Value, json};

fn seed() -> Value {
    let fee = json!({"pricingType": "RecurringPerUnit", "billingFrequency": "Monthly",
        "pricePoints": [{"currency": "USD", "unitPrice": 5000}]});
    let meetings = json!({"pricingType": "UsagePerUnit", "eventName": "meeting_booked",
        "pricePoints": [{"currency": "USD", "unitPrice": 300}]});
    json!({
        "products": [{"name": "AI SDR", "externalId": "sdr", "productAttributes": [
            {"name": "Fee", "pricing": fee}, {"name": "Meetings", "pricing": meetings}]}],
        "customers": [{"name": "Acme", "externalId": "acme"}],
        "orders": [{"customer": "acme", "currency": "USD", "creationState": "active", "autoPostInvoices": true,
            "lines": [{"product": "sdr"}]}],
    })
}

async fn send(client: &Client, event: &str, key: &str) -> i64 {
    let signal = NewSignal::new(event, ExternalCustomerId::from("acme"))
        .attribution(ExternalProductId::from("sdr"))
        .idempotency_key(key);
    client.signals().create(&CreateSignalsRequest::new([signal])).await.unwrap().ingested
}

async fn invoices(client: &Client) -> Vec<(String, Decimal)> {
    let all = client.invoices().list().await.unwrap();
    all.data.iter().map(|invoice| invoice.unwrap()).map(|it| (it.status.to_string(), it.invoice_total)).collect()
}

/// A request without the client, which knows the API only.
async fn post(emulator: &Emulator, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}__emulator/{path}", emulator.page_url());
    let request = reqwest::Client::new().post(url).header("authorization", "Bearer paid_test").body(body.to_string());
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

fn total(cents: i64) -> Decimal {
    cents.into()
}

#[tokio::test]
async fn time_moves_and_periods_begin_with_it() {
    let emulator = Emulator::builder().seed(seed()).start().await.unwrap();
    let client = emulator.client();
    send(&client, "meeting_booked", "1").await;
    assert_eq!(invoices(&client).await, [("draft".to_owned(), total(5300))]);
    let before = emulator.now();
    assert!(emulator.advance(Duration::from_secs(32 * 24 * 60 * 60)).await);
    assert!(*emulator.now() - *before >= chrono::TimeDelta::days(32));
    send(&client, "meeting_booked", "2").await;
    assert_eq!(invoices(&client).await, [("posted".to_owned(), total(5300)), ("draft".to_owned(), total(5300))]);
    let (status, answer) = post(&emulator, "clock", json!({"advanceDays": 31})).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(invoices(&client).await.len(), 3);
    for wrong in [json!({"to": "2020-01-01T00:00:00Z"}), json!({}), json!({"advanceDays": 1, "advanceSeconds": 1})] {
        assert_eq!(post(&emulator, "clock", wrong).await.0, 400);
    }
    for far in [json!({"advanceDays": u64::MAX}), json!({"to": "9999-12-31T00:00:00Z"}), json!({"days": 1})] {
        assert_eq!(post(&emulator, "clock", far).await.0, 400);
    }
}

#[tokio::test]
async fn faults_are_armed_and_everything_begins_anew_over_http() {
    let emulator = Emulator::builder().seed(seed()).start().await.unwrap();
    let client = Client::builder().api_key("paid_test").base_url(emulator.url()).retry(paid::RetryPolicy::never());
    let client = client.build().unwrap();
    let fault = json!({"status": 503, "times": 2, "operation": "list-invoices", "headers": {"retry-after": "1"}});
    assert_eq!(post(&emulator, "faults", fault).await.0, 200);
    for _ in 0..2 {
        assert_eq!(client.invoices().list().await.unwrap_err().status().unwrap(), 503);
    }
    assert_eq!(invoices(&client).await.len(), 1);
    for wrong in [json!({}), json!({"status": 503, "drop": true}), json!({"status": 7}), json!({"staus": 503})] {
        assert_eq!(post(&emulator, "faults", wrong.clone()).await.0, 400, "{wrong}");
    }
    assert_eq!(post(&emulator, "reset", json!({})).await.0, 200);
    assert_eq!(invoices(&client).await, []);
}

#[tokio::test]
async fn an_account_is_kept_in_its_file_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account.jsonl");
    let start = || Emulator::builder().seed(seed()).state(&file).start();
    let emulator = start().await.unwrap();
    let client = emulator.client();
    send(&client, "meeting_booked", "1").await;
    emulator.advance(Duration::from_secs(40 * 24 * 60 * 60)).await;
    send(&client, "meeting_booked", "2").await;
    let invoice = client.invoices().list().await.unwrap().data.first().unwrap().unwrap().id.clone();
    assert!(emulator.pay_invoice(invoice.as_str()).await);
    let before =
        (invoices(&client).await, client.customers().list().await.unwrap().data.first().unwrap().unwrap().clone());
    let time = emulator.now();
    drop(emulator);
    // A kill in the middle of a line.
    let mut text = std::fs::read(&file).unwrap();
    text.extend_from_slice(br#"{"at":"2026-01-01T00:00:0"#);
    std::fs::write(&file, text).unwrap();
    let emulator = start().await.unwrap();
    let client = emulator.client();
    let after =
        (invoices(&client).await, client.customers().list().await.unwrap().data.first().unwrap().unwrap().clone());
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    assert_eq!(client.invoices().get(&invoice).await.unwrap().payment_status.to_string(), "paid");
    assert!(*emulator.now() >= *time);
    // What was known is a duplicate; what is new gets ids of its own.
    assert_eq!((send(&client, "meeting_booked", "2").await, send(&client, "meeting_booked", "3").await), (0, 1));
    let other = client.customers().create(&CreateCustomerRequest::new("Other")).await.unwrap();
    assert_ne!(other.id, after.1.id);
    drop(emulator);
    let emulator = start().await.unwrap();
    assert_eq!(emulator.client().customers().get(&other.id).await.unwrap().name, "Other");
    drop(emulator);
    std::fs::write(&file, "nonsense\n{}\n").unwrap();
    let problem = start().await.unwrap_err().to_string();
    assert!(problem.contains("line 1 of") && problem.contains("account.jsonl"), "{problem}");
}

#[tokio::test]
async fn a_state_file_is_compacted_at_the_start_and_while_it_grows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account.jsonl");
    let start = || Emulator::builder().seed(seed()).state(&file).start();
    let size = || std::fs::metadata(&file).unwrap().len();
    let emulator = start().await.unwrap();
    let client = emulator.client();
    let note = "n".repeat(20_000);
    let update = |number: usize| UpdateCustomerRequest::new().name(format!("{number}{note}"));
    for number in 0..40 {
        client.customers().update_by_external_id("acme", &update(number)).await.unwrap();
        send(&client, "meeting_booked", "the same").await;
    }
    let before = (invoices(&client).await, size());
    drop(emulator);
    let emulator = start().await.unwrap();
    assert!(size() < before.1 / 10, "{} of {}", size(), before.1);
    let client = emulator.client();
    assert_eq!(invoices(&client).await, before.0);
    assert!(client.customers().get_by_external_id("acme").await.unwrap().name.starts_with("39n"));
    // 1 MiB is where it begins to look.
    for number in 0..60 {
        client.customers().update_by_external_id("acme", &update(number)).await.unwrap();
    }
    for _ in 0..100 {
        if size() < 400_000 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(size() < 400_000, "{}", size());
    let other = client.customers().create(&CreateCustomerRequest::new("Other")).await.unwrap();
    drop(emulator);
    let emulator = start().await.unwrap();
    assert_eq!(emulator.client().customers().get(&other.id).await.unwrap().name, "Other");
    assert_eq!(invoices(&emulator.client()).await, before.0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no file is left over");
}

#[tokio::test]
async fn every_request_is_recorded_without_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("requests.jsonl");
    let emulator = Emulator::builder().record(&file).start().await.unwrap();
    let client = emulator.client();
    client.customers().create(&CreateCustomerRequest::new("Acme\n").external_id("acme")).await.unwrap();
    client.customers().get_by_external_id("nobody").await.unwrap_err();
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> =
        lines.iter().map(|line| (line["operation"].as_str().unwrap(), line["status"].as_u64().unwrap())).collect();
    assert_eq!(seen, [("create-customer", 201), ("get-customer-by-external-id", 404)]);
    assert_eq!(lines[0]["body"]["name"], "Acme\n");
    assert!(!text.contains("paid_emulator"), "{text}");
}

#[tokio::test]
async fn a_wrong_seed_is_refused_with_its_place() {
    let seed = |seed: Value| async { Emulator::builder().seed(seed).start().await.map(drop).unwrap_err().to_string() };
    let unknown = seed(json!({"custmers": []})).await;
    assert_eq!(unknown, "the seed: custmers: a seed has products, plans, customers, contacts, orders only");
    let nameless = seed(json!({"customers": [{"name": "A"}, {"externalId": "b"}]})).await;
    assert!(nameless.starts_with("the seed: customers[1]: ") && nameless.contains("name"), "{nameless}");
    let missing = seed(json!({"orders": [{"customer": "acme"}]})).await;
    assert_eq!(missing, "the seed: orders[0]: there is no customer \"acme\" before it");
}

#[tokio::test]
async fn plans_are_seeded_by_the_names_of_their_product_and_its_attributes() {
    let mut seed = seed();
    seed["plans"] = json!([{"product": "sdr", "externalId": "gold", "name": "Gold", "isDefault": true,
        "attributes": [{"attribute": "Meetings", "pricing": {"pricingType": "UsagePerUnit", "eventName": "meeting_booked",
            "pricePoints": [{"currency": "USD", "unitPrice": 200}]}}]}]);
    let emulator = Emulator::builder().seed(seed.clone()).start().await.unwrap();
    let plan = emulator.client().plans().get_by_external_id("gold").await.unwrap();
    assert_eq!((plan.name.as_deref(), plan.attributes.len()), (Some("Gold"), 1));
    seed["plans"][0]["attributes"][0]["attribute"] = "Metings".into();
    let problem = Emulator::builder().seed(seed).start().await.map(drop).unwrap_err().to_string();
    assert_eq!(problem, "the seed: plans[0]: the product has no attribute \"Metings\"");
}

#[tokio::test]
async fn other_hosts_and_pages_of_others_are_refused() {
    let emulator = Emulator::builder().seed(seed()).start().await.unwrap();
    let state = format!("{}__emulator/state", emulator.page_url());
    let ask = |url: String, header: Option<(&'static str, &'static str)>| async move {
        let request = reqwest::Client::new().get(url).header("authorization", "Bearer paid_test");
        let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask(state.clone(), None).await, 200);
    assert_eq!(ask(state.clone(), Some(("origin", "http://localhost:3000"))).await, 200);
    assert_eq!(ask(state.clone(), Some(("origin", "https://evil.example"))).await, 403);
    assert_eq!(ask(state, Some(("host", "evil.example"))).await, 403);
    assert_eq!(ask(format!("{}/customers/", emulator.url()), Some(("host", "evil.example"))).await, 403);
    assert_eq!(ask(emulator.page_url(), Some(("host", "evil.example"))).await, 403);
}

/// The page as a browser shows it, or `None`, aloud, without one.
async fn rendered(emulator: &Emulator, width: u32) -> Option<String> {
    let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        std::process::Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    });
    let Some(browser) = browser else {
        eprintln!("skipped: no chromium is here to look at the page");
        return None;
    };
    let profile = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new(browser);
    command.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--virtual-time-budget=3000",
    ]);
    command.arg(format!("--user-data-dir={}", profile.path().display())).arg(format!("--window-size={width},1000"));
    let output = command.arg("--dump-dom").arg(emulator.page_url()).output().await.unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn the_page_shows_signals_with_what_they_bill_and_everything_stays_text() {
    let emulator = Emulator::builder().seed(seed()).start().await.unwrap();
    let client = emulator.client();
    send(&client, "meeting_booked", "1").await;
    send(&client, "<script>alert(1)</script>", "2").await;
    let Some(page) = rendered(&emulator, 1200).await else { return };
    assert!(page.contains("Meetings, in ord_"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
    assert!(page.contains("no price has exactly this event name; the product bills `meeting_booked`"), "{page}");
    assert!(page.contains("53.00 USD") || page.contains("53 USD"), "{page}");
    assert!(!page.contains("<script>alert"), "{page}");
}

#[tokio::test]
async fn the_page_s_data_says_why_a_signal_bills_nothing() {
    let emulator = Emulator::builder().seed(seed()).start().await.unwrap();
    let client = emulator.client();
    client.customers().create(&CreateCustomerRequest::new("Other").external_id("other")).await.unwrap();
    send(&client, "meeting_bookd", "1").await;
    let other = NewSignal::new("meeting_booked", ExternalCustomerId::from("other"));
    let other = other.attribution(ExternalProductId::from("sdr")).data(object!({"a": 1}));
    client.signals().create(&CreateSignalsRequest::new([other])).await.unwrap();
    let url = format!("{}__emulator/state", emulator.page_url());
    let answer = reqwest::Client::new().get(url).header("authorization", "Bearer paid_x").send().await.unwrap();
    let state: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let says: Vec<_> = state["signals"].as_array().unwrap().iter().map(|it| it["says"].as_str().unwrap()).collect();
    let no_price = "no price has exactly this event name; the product bills `meeting_booked`";
    assert_eq!(says, ["the customer has no active order", no_price]);
    assert_eq!(state["counts"]["customers"], 2);
}

#[tokio::test]
async fn an_invoice_that_a_read_finds_ended_stays_posted_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account.jsonl");
    let mut seed = seed();
    seed["orders"][0]["startDate"] = (chrono::Utc::now() - chrono::TimeDelta::days(100)).to_rfc3339().into();
    let start = || Emulator::builder().seed(seed.clone()).state(&file).start();
    let emulator = start().await.unwrap();
    // Also a read that finds nothing.
    emulator.client().invoices().get("inv_none").await.unwrap_err();
    let before = invoices(&emulator.client()).await;
    assert!(before.iter().filter(|(status, _)| status == "posted").count() > 1, "{before:?}");
    let posted = emulator.client().invoices().list().await.unwrap().data.first().unwrap().unwrap().posted_date;
    drop(emulator);
    let emulator = start().await.unwrap();
    let again = emulator.client().invoices().list().await.unwrap().data.first().unwrap().unwrap().posted_date;
    assert_eq!((invoices(&emulator.client()).await, again), (before, posted));
}

/// The pages' blocks of YAML that are seeds.
fn seeds_of_pages() -> Vec<(String, Value)> {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let mut seeds = Vec::new();
    for entry in std::fs::read_dir(docs).unwrap() {
        let path = entry.unwrap().path();
        let Some(text) = path.extension().and_then(|_| std::fs::read_to_string(&path).ok()) else { continue };
        for block in text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            if block.starts_with("products:") {
                seeds.push((path.display().to_string(), serde_saphyr::from_str(block).unwrap()));
            }
        }
    }
    seeds
}

#[tokio::test]
async fn the_seeds_of_the_book_are_taken_in() {
    let seeds = seeds_of_pages();
    assert_eq!(seeds.len(), 2, "of emulator.md and first-signal.md");
    for (page, seed) in seeds {
        let started = Emulator::builder().seed(seed).start().await;
        assert!(started.is_ok(), "{page}: {}", started.map(drop).unwrap_err());
    }
}

#[cfg(feature = "account")]
#[tokio::test]
async fn a_catalogue_is_a_seed_of_products_with_prices() {
    use paid::account::{Catalog, compare, read, seed};

    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/the-account.md"));
    let text = text.unwrap();
    let block = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let catalog = Catalog::parse(block).unwrap();
    let emulator = Emulator::builder().seed(seed(&catalog).unwrap()).start().await.unwrap();
    let account = read(&emulator.client()).await.unwrap();
    assert_eq!(account.products.len(), catalog.products.len());
    assert_eq!(compare(&catalog, &account).changes, [], "a push has nothing to do");
    let wrong = "[products.p.prices.a]\npricing_type = \"OneTimePerUnit\"\nprice = { USD = \"0.005\" }\n";
    let problem = seed(&Catalog::parse(wrong).unwrap()).unwrap_err().to_string();
    assert!(problem.starts_with("the price `a` of product p: ") && problem.contains("0.005 USD"), "{problem}");
}

/// As the image of the `Dockerfile` is: it holds the program and nothing else.
#[test]
fn the_program_starts_where_there_are_no_certificates() {
    use std::io::BufRead;
    use std::process::{Command, Stdio};

    let program = option_env!("CARGO_BIN_EXE_paid-emulator").filter(|_| cfg!(feature = "emulator-cli"));
    let Some(program) = program else { return eprintln!("skipped: the program needs the feature emulator-cli") };
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.args(["--port", "0"]).env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", folder.path());
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let first = std::io::BufReader::new(process.stdout.take().unwrap()).lines().next();
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(first.is_some_and(|line| line.unwrap().starts_with("Paid emulator")), "it ended at once");
}

#[test]
fn the_program_prints_every_variable_that_a_program_needs() {
    use std::io::BufRead;
    use std::process::{Command, Stdio};

    let program = option_env!("CARGO_BIN_EXE_paid-emulator").filter(|_| cfg!(feature = "emulator-cli"));
    let Some(program) = program else { return eprintln!("skipped: the program needs the feature emulator-cli") };
    let mut process = Command::new(program).args(["--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = std::io::BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let printed: Vec<_> = lines.take_while(|line| !line.contains("page:")).collect();
    process.kill().unwrap();
    process.wait().unwrap();
    let set = printed.iter().filter_map(|line| line.trim().strip_prefix("export ")?.split_once('='));
    let [(_, base_url), (_, key), (_, collector)] = set.clone().collect::<Vec<_>>()[..] else { panic!("{printed:?}") };
    assert_eq!(
        set.map(|(name, _)| name).collect::<Vec<_>>(),
        ["PAID_BASE_URL", "PAID_API_KEY", "PAID_OTEL_COLLECTOR_ENDPOINT"]
    );
    assert_eq!(key, "paid_emulator");
    let host = base_url.strip_suffix("/api/v2").unwrap();
    assert_eq!(collector, format!("{host}/v1/traces"));
}

/// Not a part of what CI runs, which has all features.
#[cfg(not(feature = "emulator-sql"))]
#[tokio::test]
async fn sql_without_its_feature_is_refused_by_its_name() {
    let emulator = Emulator::start().await.unwrap();
    let view = json!({"name": "A", "queries": [{"id": "a", "sql": "SELECT 1"}], "renderBundle": "paid:data"});
    for (path, body) in [("analytics/query", json!({"query": "SELECT 1"})), ("experimental/views/", view)] {
        let request = reqwest::Client::new().post(format!("{}/{path}", emulator.url()));
        let answer = request.header("authorization", "Bearer paid_test").body(body.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(status, 501, "{answer}");
        assert!(answer["error"].as_str().unwrap().contains("emulator-sql"), "{answer}");
    }
}
