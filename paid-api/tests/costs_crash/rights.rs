//! Who may read what an emitter of cost records keeps: its owner alone, also after files are written anew.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::restarts::{JOURNAL, until};
use super::server::{Answer, MS, SECOND, Server, builder, cost};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn is_private(folder: &Path, names: &[&str]) {
    assert_eq!(mode(folder), 0o700);
    for entry in fs::read_dir(folder).unwrap().flatten() {
        assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.file_name());
    }
    for name in names {
        assert!(folder.join(name).exists(), "no {name}");
    }
}

/// Refuses `bad`, loses the answer to `lost`, and is not there for `waits` at first.
fn server(is_up: Arc<AtomicBool>) -> Server {
    Server::start(move |vendors| match vendors {
        [one] if one == "bad" => Answer::of(false, 400),
        [one] if one == "lost" => Answer::of(true, 500),
        [one] if one == "waits" && !is_up.load(Ordering::SeqCst) => Answer::of(false, 503),
        [_] => Answer::STORED,
        _ => Answer::of(false, 400),
    })
}

#[tokio::test]
async fn only_the_owner_can_read_the_outbox_of_cost_records_its_journal_and_its_letters() {
    const LETTERS: &str = "dead-letters.jsonl";
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("deep/costs");
    let is_up = Arc::new(AtomicBool::new(false));
    let server = server(Arc::clone(&is_up));
    let build = || builder(server.url(), 5 * SECOND).outbox(&folder).max_batch(1).patience(MS).on_error(|_| ());
    let costs = build().build().unwrap();
    for vendor in ["bad", "lost", "good", "waits"] {
        costs.record(cost(vendor, vendor));
    }
    until("all are answered", || costs.stats().delivered == 1 && costs.stats().dead_lettered == 2).await;
    is_private(&folder, &["outbox.redb", "contents", "mark", JOURNAL, LETTERS]);
    drop(costs);
    is_up.store(true, Ordering::SeqCst);

    // An earlier version, or a restored copy, left them open to others; and a crash left half a journal.
    let new = format!(".{JOURNAL}.new");
    fs::write(folder.join(&new), "half").unwrap();
    for name in ["outbox.redb", "mark", JOURNAL, LETTERS, &new] {
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let costs = build().build().unwrap();
    // The journal is written anew with the first request, and the letters when one is delivered.
    costs.record(cost("good", "later")).await.unwrap();
    let outcome = costs.resubmit().await.unwrap();
    assert_eq!(outcome.refused.len(), 2, "{outcome:?}");
    is_private(&folder, &["outbox.redb", "contents", "mark", JOURNAL, LETTERS]);
    assert!(!folder.join(new).exists());
    drop(costs);

    // What is kept of a damaged file holds customers' data, too.
    fs::write(folder.join("outbox.redb"), vec![7; 9_000]).unwrap();
    fs::write(folder.join(JOURNAL), "damaged").unwrap();
    let costs = build().build().unwrap();
    costs.record(cost("good", "last")).await.unwrap();
    is_private(&folder, &["outbox.redb", "contents", "mark", JOURNAL, LETTERS]);
    let is_kept = |name: &std::ffi::OsStr| name.to_string_lossy().contains("damaged");
    assert!(fs::read_dir(&folder).unwrap().flatten().any(|entry| is_kept(&entry.file_name())));
    drop(costs);
}
