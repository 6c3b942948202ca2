//! Processes that are killed at any moment: every signal that was said to be on disk is billed, exactly once.
//!
//! The test runs itself again as the process to be killed. `PAID_KILLS=1000` is the long version.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use paid::emulator::{Emulator, Fault};
use paid::types::*;
use paid::{Client, Decimal, DeliveryError, Emitter, RetryPolicy, Signal};

const FOLDER: &str = "PAID_CRASH_FOLDER";
const URL: &str = "PAID_CRASH_URL";
const RUN: &str = "PAID_CRASH_RUN";
/// The last run is not killed: it sends what is left.
const LAST: &str = "PAID_CRASH_LAST";

fn emitter(folder: &Path, url: &str) -> Emitter {
    let retry = RetryPolicy::default().delays(Duration::from_millis(5), Duration::from_millis(20));
    let client = Client::builder().api_key("paid_x").base_url(url).retry(retry).build().unwrap();
    Emitter::builder(client)
        .outbox(folder)
        .on_error(|failure| {
            if matches!(failure, DeliveryError::Outbox { .. }) {
                let _ = std::io::stdout().write_all(format!("outbox {failure}\n").as_bytes());
            }
        })
        .max_batch(50)
        .linger(Duration::from_millis(10))
        .retry_delays(Duration::from_millis(10), Duration::from_millis(50))
        .build()
        .unwrap()
}

/// The process that is killed: emits from several tasks, and says which signals are on disk.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let (url, run) = (std::env::var(URL).unwrap(), std::env::var(RUN).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let emitter = emitter(Path::new(&folder), &url);
        if std::env::var(LAST).is_ok() {
            emitter.flush(Duration::from_secs(60)).await.unwrap();
            emitter.shutdown(Duration::from_secs(10)).await.unwrap();
            return;
        }
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let (emitter, run) = (emitter.clone(), run.clone());
                tokio::spawn(async move {
                    for number in 0_u32.. {
                        let key = format!("{run}-{task}-{number}");
                        let signal = Signal::new("sent").customer("acme").product("p");
                        let stored = emitter.store(signal.idempotency_key(&*key)).await;
                        if stored.is_ok() {
                            // One write, so that a kill cuts no line in two.
                            let _ = std::io::stdout().write_all(format!("stored {key}\n").as_bytes());
                        }
                        // Others that nobody waits for.
                        let extra = Signal::new("extra")
                            .customer(format!("c{task}"))
                            .product("p")
                            .field("text", &"x".repeat(4_000));
                        emitter.emit(extra);
                    }
                })
            })
            .collect();
        for task in tasks {
            let _ = task.await;
        }
    });
}

/// How large a file may become, in blocks of 512 bytes: a larger one fails to be written, as on a full disk.
type Limit = Option<u32>;

fn start(folder: &Path, url: &str, run: usize, is_last: bool, limit: Limit) -> Child {
    let own = std::env::current_exe().unwrap();
    let mut command = match limit {
        None => Command::new(own),
        Some(blocks) => {
            // Without the trap, the signal ends the process.
            let mut shell = Command::new("sh");
            let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
            shell.arg("-c").arg(limited).arg(own);
            shell
        }
    };
    command.args(["--exact", "child", "--nocapture"]).env(FOLDER, folder).env(URL, url).env(RUN, run.to_string());
    if is_last {
        command.env(LAST, "1");
    }
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// A price of one cent a signal: the invoice counts them.
async fn sell(client: &Client) -> OrderId {
    let product = CreateProductRequest::new("P").external_id("p");
    let product = client.products().create(&product).await.unwrap();
    let price = UsagePerUnitPricing::new("sent", [PricePointInput::new("USD", 1)]);
    let prices = UpdateProductRequest::new().product_attributes([ProductAttributeUpsert::new("Sent", price)]);
    client.products().update(&product.id, &prices).await.unwrap();
    let acme = client.customers().create(&CreateCustomerRequest::new("Acme").external_id("acme")).await.unwrap();
    let order = CreateOrderRequest::new(&acme.id).currency("USD").lines([CreateOrderLineRequest::new(&product.id)]);
    let order = client.orders().create(&order).await.unwrap();
    client.orders().activate(&order.id).await.unwrap();
    order.id
}

/// How many requests fail in an outage.
const OUTAGE: u32 = 50;

/// What a server answers that tells no truth about the signals, and to how many requests.
fn lie() -> (Fault, u32) {
    let counts = |text: &'static str| Fault::html(200, text);
    let fault = match fastrand::u8(0..7) {
        0 => counts(r#"{"ingested":0,"duplicates":0,"failed":0}"#).after_work(),
        1 => counts(r#"{"ingested":1,"duplicates":0,"failed":0}"#),
        2 => counts(r#"{"ingested":0,"duplicates":0,"failed":99}"#),
        3 => counts(r#"{"ingested":-1,"duplicates":0,"failed":0}"#).after_work(),
        4 => Fault::status(500).after_work(),
        // An outage that outlives the process.
        5 => return (Fault::status(503).times(OUTAGE).operation("create-signals"), OUTAGE),
        _ => return random_fault(),
    };
    (fault.operation("create-signals"), 1)
}

fn random_fault() -> (Fault, u32) {
    let fault = match fastrand::u8(0..6) {
        0 => Fault::status(503),
        1 => Fault::status(429),
        2 => Fault::drop_connection(),
        3 => Fault::drop_connection().after_work(),
        4 => Fault::truncate_body(),
        _ => Fault::latency(Duration::from_millis(fastrand::u64(1..30))),
    };
    (fault.operation("create-signals"), 1)
}

fn kills(default: usize) -> usize {
    std::env::var("PAID_KILLS").map_or(default, |kills| kills.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_processes_lose_nothing_that_was_on_disk_and_bill_nothing_twice() {
    assert_eq!(kill_again_and_again(kills(50), random_fault, || None).await, (0, 0));
}

/// The disk is full in most runs, at another place each time, and the server lies. What it says is wrong with a signal
/// that stands alone is believed: such a signal is a dead letter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_and_a_server_that_lies_make_nothing_said_to_be_stored_untrue() {
    let limit = || (fastrand::u8(0..4) > 0).then(|| fastrand::u32(120..260));
    let kills = kills(30);
    let (full, _) = kill_again_and_again(kills, lie, limit).await;
    assert!(full > 0, "the disk was full in {full} of {kills} runs");
}

/// Returns how many runs found the disk full, and how many signals were refused.
async fn kill_again_and_again(kills: usize, fault: fn() -> (Fault, u32), limit: impl Fn() -> Limit) -> (usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    let emulator = Arc::new(Emulator::start().await.unwrap());
    let client = emulator.client();
    let order = sell(&client).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let trouble = tokio::spawn({
        let (emulator, is_over) = (Arc::clone(&emulator), Arc::clone(&is_over));
        async move {
            while !is_over.load(Ordering::Relaxed) {
                let (fault, requests) = fault();
                emulator.fault(fault);
                // An outage passes before the next fault: otherwise they would pile up, and none would ever pass.
                tokio::time::sleep(Duration::from_millis(fastrand::u64(10..100)) * requests).await;
            }
        }
    });
    let stored = Arc::new(Mutex::new(BTreeSet::new()));
    let (mut survived_its_start, mut full) = (0, 0);
    for run in 0..kills {
        let mut child = start(folder.path(), &emulator.url(), run, false, limit());
        let output = BufReader::new(child.stdout.take().unwrap());
        let heard = std::thread::spawn({
            let stored = Arc::clone(&stored);
            move || {
                let before = stored.lock().unwrap().len();
                let mut is_full = false;
                for line in output.lines().map_while(Result::ok) {
                    is_full |= line.contains("outbox the outbox of signals: ");
                    if let Some((_, key)) = line.split_once("stored ") {
                        stored.lock().unwrap().insert(key.to_owned());
                    }
                }
                (stored.lock().unwrap().len() > before, is_full)
            }
        });
        tokio::time::sleep(Duration::from_millis(fastrand::u64(20..800))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let (has_stored, is_full) = heard.join().unwrap();
        survived_its_start += usize::from(has_stored);
        full += usize::from(is_full);
    }
    is_over.store(true, Ordering::Relaxed);
    trouble.await.unwrap();
    let mut last = start(folder.path(), &emulator.url(), kills, true, None);
    assert!(last.wait().unwrap().success(), "what was left is sent");

    let stored = stored.lock().unwrap().clone();
    assert!(survived_its_start > kills / 10, "{survived_its_start} of {kills} runs got so far as to store something");
    // Keys of the others were made, and are longer.
    let sent: BTreeSet<_> = emulator.idempotency_keys().into_iter().filter(|key| key.len() < 30).collect();
    let refused = paid::outbox::dead_letters(folder.path()).unwrap();
    assert!(refused.unreadable.len() <= kills, "{:?}", refused.unreadable);
    let refused: BTreeSet<_> = refused.letters.into_iter().map(|letter| letter.key).collect();
    let missing: Vec<_> = stored.difference(&sent).filter(|key| !refused.contains(*key)).collect();
    assert!(missing.is_empty(), "{} of {} lost: {missing:?}", missing.len(), stored.len());
    // Each once: the invoice has as many cents as there are keys.
    let invoices = client.invoices().list().order_id(&order).await.unwrap();
    let billed = invoices.data.first().unwrap().unwrap().invoice_total;
    assert_eq!(billed, Decimal::from(sent.len()), "of {} stored", stored.len());
    let refused = refused.len();
    println!(
        "{kills} kills, {full} on a full disk: {} stored, {} sent, {refused} refused, {billed} billed",
        stored.len(),
        sent.len()
    );
    (full, refused)
}
