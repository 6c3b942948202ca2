//! A process whose stdout and stderr nobody reads any more, while its outbox fails: what is logged ends nothing.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use paid::{EmitterBuilder, Signal};

use super::process::Flaky;
use super::{Server, block_on, signal};

const FOLDER: &str = "PAID_UNFAILING_FOLDER";
const SOON: Duration = Duration::from_secs(20);

/// What a process said that must end within this time.
pub(super) fn output_within(mut child: Child, limit: Duration) -> Output {
    let until = Instant::now() + limit;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("the process does not end: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// The process in which it happens. What it found out is in a file.
#[test]
fn child() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let Ok(folder) = std::env::var(FOLDER) else { return };
    println!("ready");
    // Until nobody reads any more.
    std::io::stdin().lines().next();
    assert!(std::io::stdout().write_all(b"x\n").and_then(|()| std::io::stdout().flush()).is_err(), "stdout is open");
    std::panic::set_hook(Box::new(|_| {
        PANICS.fetch_add(1, Ordering::SeqCst);
    }));
    let (server, outbox) = (Server::default(), Path::new(&folder).join("outbox"));
    let sink = Flaky::over(server.clone());
    let quick = Duration::from_millis(1);
    let emitter = EmitterBuilder::over(sink).retry_delays(quick, quick).outbox(&outbox).build().unwrap();
    // Dead letters cannot be written.
    std::fs::create_dir(outbox.join("dead-letters.jsonl")).unwrap();
    paid::install(emitter.clone());
    paid::emit(signal("refused"));
    for _ in 0..300 {
        paid::emit(Signal::new("no_customer"));
        paid::emit(signal("good"));
    }
    drop(block_on(emitter.store(signal("good"))).unwrap());
    let until = Instant::now() + SOON;
    while server.names().len() < 301 && Instant::now() < until {
        std::thread::sleep(quick);
    }
    let stats = emitter.stats();
    std::fs::remove_dir(outbox.join("dead-letters.jsonl")).unwrap();
    let ended = block_on(emitter.shutdown(SOON));
    let said = format!(
        "good {} rejected {} refused {} ended {} letters {} panics {}",
        server.names().len(),
        stats.rejected,
        stats.refused,
        ended.is_ok(),
        paid::outbox::dead_letters(&outbox).unwrap().letters.len(),
        PANICS.load(Ordering::SeqCst),
    );
    std::fs::write(Path::new(&folder).join("said"), said).unwrap();
    std::process::exit(0);
}

#[test]
fn closed_outputs_end_nothing_while_an_outbox_and_a_server_fail() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "outputs::child", "--nocapture"]).env(FOLDER, folder.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.ends_with("ready")));
    drop((lines, child.stderr.take()));
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let ended = output_within(child, Duration::from_secs(60));
    assert!(ended.status.success(), "{ended:?}");
    let said = std::fs::read_to_string(folder.path().join("said")).unwrap();
    assert_eq!(said, "good 301 rejected 1 refused 300 ended true letters 1 panics 0");
}
