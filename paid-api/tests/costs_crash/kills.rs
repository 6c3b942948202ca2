//! Processes that are killed at any moment, while answers are lost at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use paid::outbox::{Fsync, dead_letters};

use super::server::{Answer, MS, SECOND, Server, builder, cost};

const FOLDER: &str = "PAID_CRASH_FOLDER";
const URL: &str = "PAID_CRASH_URL";
const RUN: &str = "PAID_CRASH_RUN";
/// The last run is not killed: it sends what is left.
const LAST: &str = "PAID_CRASH_LAST";

fn say(word: &str, vendor: &str) {
    // One write, so that a kill cuts no line in two.
    let _ = std::io::stdout().write_all(format!("{word} {vendor}\n").as_bytes());
}

/// The process that is killed: records costs, and says what it hears about them.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let (url, run) = (std::env::var(URL).unwrap(), std::env::var(RUN).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let costs = builder(&url, 150 * MS).outbox(folder).fsync(Fsync::Every(10 * MS)).max_batch(20).build().unwrap();
        if std::env::var(LAST).is_ok() {
            costs.flush(60 * SECOND).await.unwrap();
            costs.shutdown(10 * SECOND).await.unwrap();
            return;
        }
        for number in 0_u32.. {
            let vendor = format!("{run}-{number}");
            let (costs, record) = (costs.clone(), cost(&vendor, &format!("c{}", number % 6)));
            tokio::spawn(async move {
                let Ok(receipt) = costs.store(record).await else { return };
                say("safe", &vendor);
                match receipt.await {
                    Ok(_) => say("delivered", &vendor),
                    Err(failure) if failure.to_string().contains("uncertain") => say("uncertain", &vendor),
                    Err(_) => {}
                }
            });
            tokio::time::sleep(3 * MS).await;
        }
    });
}

fn start(folder: &Path, url: &str, run: usize, is_last: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "kills::child", "--nocapture"]);
    command.env(FOLDER, folder).env(URL, url).env(RUN, run.to_string());
    if is_last {
        command.env(LAST, "1");
    }
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

fn any_answer() -> Answer {
    let answer = match fastrand::u8(..100) {
        0..8 => Answer::of(false, 503),
        8..13 => Answer::of(false, 429),
        13..19 => Answer::of(true, 500),
        19..25 => Answer::of(false, 500),
        25..30 => return Answer::STORED.after(300 * MS),
        _ => Answer::STORED,
    };
    answer.after(fastrand::u32(..30) * MS)
}

type Heard = BTreeMap<String, BTreeSet<String>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_processes_send_no_cost_record_twice_and_hide_none() {
    let kills: usize = std::env::var("PAID_KILLS").map_or(25, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let server = Server::start({
        let is_over = Arc::clone(&is_over);
        move |_| if is_over.load(Ordering::Relaxed) { Answer::STORED } else { any_answer() }
    });
    let heard = Arc::new(Mutex::new(Heard::new()));
    for run in 0..kills {
        let mut child = start(folder.path(), server.url(), run, false);
        let output = BufReader::new(child.stdout.take().unwrap());
        let listener = std::thread::spawn({
            let heard = Arc::clone(&heard);
            move || {
                for line in output.lines().map_while(Result::ok) {
                    if let Some((word, vendor)) = line.split_once(' ') {
                        heard.lock().unwrap().entry(word.to_owned()).or_default().insert(vendor.to_owned());
                    }
                }
            }
        });
        tokio::time::sleep(fastrand::u32(50..900) * MS).await;
        child.kill().unwrap();
        child.wait().unwrap();
        listener.join().unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    let mut last = start(folder.path(), server.url(), kills, true);
    assert!(last.wait().unwrap().success(), "what was left is sent");

    let stored = server.stored();
    let once: BTreeSet<_> = stored.iter().cloned().collect();
    let mut twice = BTreeMap::<_, usize>::new();
    stored.iter().for_each(|vendor| *twice.entry(vendor).or_default() += 1);
    twice.retain(|_, times| *times > 1);
    assert!(twice.is_empty(), "sent twice: {twice:?}");

    let letters = dead_letters(folder.path()).unwrap().letters;
    assert!(letters.iter().all(|letter| letter.reason.contains("uncertain")));
    let vendor = |record: &str| {
        serde_json::from_str::<serde_json::Value>(record).unwrap()["vendor"].as_str().unwrap().to_owned()
    };
    let uncertain: BTreeSet<_> = letters.iter().map(|letter| vendor(letter.record.get())).collect();
    let heard = heard.lock().unwrap();
    let said = |word: &str| heard.get(word).cloned().unwrap_or_default();
    let known: BTreeSet<_> = once.union(&uncertain).cloned().collect();
    assert_eq!(said("safe").difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "disappeared");
    assert_eq!(said("delivered").difference(&once).collect::<Vec<_>>(), Vec::<&String>::new(), "claimed");
    assert!(
        said("safe").len() > kills && !uncertain.is_empty(),
        "{} safe, {} uncertain",
        said("safe").len(),
        uncertain.len()
    );
    println!("{kills} kills: {} stored, {} uncertain, {} old", once.len(), uncertain.len(), said("safe").len());
}
