//! What a killed process leaves, opened again.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use paid::outbox::dead_letters;

use super::server::{Answer, MS, SECOND, Server, builder, cost};

pub(crate) const JOURNAL: &str = "costs-on-their-way";

/// What the disk holds when a process is killed now.
pub(crate) fn killed(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(10 * MS).await;
    }
    panic!("never {what}");
}

#[tokio::test]
async fn what_paid_has_is_not_sent_again_though_its_frame_is_still_on_disk() {
    let first = Server::start(|vendors| match vendors {
        [one] if one == "there" => Answer::STORED,
        [_] => Answer::of(false, 503),
        _ => Answer::of(false, 400),
    });
    let folder = tempfile::tempdir().unwrap();
    let costs = builder(first.url(), 5 * SECOND).outbox(folder.path()).linger(100 * MS);
    // So that nothing is on its way when it is killed.
    let costs = costs.retry_delays(100 * SECOND, 100 * SECOND).patience(MS).build().unwrap();
    let there = costs.record(cost("there", "a"));
    costs.record(cost("waits", "b"));
    there.await.unwrap();
    // The removal of its frame, if it were removed, takes less.
    tokio::time::sleep(SECOND / 2).await;
    let copy = killed(folder.path());
    let second = Server::start(|_| Answer::STORED);
    let again = builder(second.url(), 5 * SECOND).outbox(copy.path()).build().unwrap();
    again.flush(10 * SECOND).await.unwrap();
    assert_eq!(second.seen(), ["waits"]);
    let stats = again.stats();
    assert_eq!((stats.recovered, stats.delivered, stats.rejected, again.uncertain()), (2, 2, 0, 0));
    // When the frame is gone, so is what was known about it.
    again.shutdown(10 * SECOND).await.unwrap();
    drop(again);
    drop(builder(second.url(), 5 * SECOND).outbox(copy.path()).build().unwrap());
    let lines = fs::read_to_string(copy.path().join(JOURNAL)).unwrap();
    assert_eq!(lines.matches('=').count(), lines.matches('~').count(), "{lines}");
}

/// An outbox with a record on its way and one that was never sent, left by a killed process.
pub(crate) async fn left_behind(server: &Server) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let costs = builder(server.url(), 60 * SECOND).outbox(folder.path()).in_flight(1).max_batch(1);
    let costs = costs.patience(MS).build().unwrap();
    costs.record(cost("on its way", "a"));
    until("on its way", || server.seen().len() == 1).await;
    costs.record(cost("waits", "b"));
    // Until both are on disk.
    tokio::time::sleep(SECOND / 2).await;
    let copy = killed(folder.path());
    drop(costs);
    copy
}

type Damage = fn(&Path);

#[tokio::test]
async fn whatever_is_wrong_with_the_journal_nothing_is_sent_that_may_be_there() {
    let first = Server::start(|_| Answer::STORED.after(60 * SECOND));
    let left = left_behind(&first).await;
    let damages: [(&str, bool, Damage); 7] = [
        ("none", true, |_| {}),
        ("not UTF-8", false, |path| {
            fs::write(path, [fs::read(path).unwrap(), b"\xff\xfe\n".to_vec()].concat()).unwrap()
        }),
        ("other text", false, |path| fs::write(path, "+something\n").unwrap()),
        ("emptied", false, |path| fs::write(path, "").unwrap()),
        ("cut off", false, |path| {
            let text = fs::read(path).unwrap();
            fs::write(path, &text[..text.len() - 7]).unwrap();
        }),
        ("a line short", false, |path| {
            let text = fs::read_to_string(path).unwrap();
            let lines: Vec<_> = text.split_inclusive('\n').collect();
            fs::write(path, lines[..lines.len() - 1].concat()).unwrap();
        }),
        ("missing", false, |path| fs::remove_file(path).unwrap()),
    ];
    for (name, is_whole, damage) in damages {
        let folder = killed(left.path());
        damage(&folder.path().join(JOURNAL));
        let server = Server::start(|_| Answer::STORED);
        let heard = Arc::<Mutex<Vec<String>>>::default();
        for attempt in 0..3 {
            let hears = Arc::clone(&heard);
            let costs = builder(server.url(), 5 * SECOND)
                .outbox(folder.path())
                .on_error(move |failure| hears.lock().unwrap().push(failure.to_string()));
            let costs = costs.build().unwrap();
            costs.flush(10 * SECOND).await.unwrap();
            assert_eq!(server.seen().contains(&"waits".to_owned()), is_whole, "{name}, attempt {attempt}");
            assert!(!server.seen().contains(&"on its way".to_owned()), "{name}, attempt {attempt}");
            assert_eq!(costs.uncertain(), if is_whole { 1 } else { 2 }, "{name}, attempt {attempt}");
            costs.shutdown(10 * SECOND).await.unwrap();
        }
        let letters = dead_letters(folder.path()).unwrap().letters;
        assert_eq!(letters.len(), if is_whole { 1 } else { 2 }, "{name}");
        assert!(letters.iter().all(|letter| letter.reason.contains("uncertain")), "{name}");
        let heard = heard.lock().unwrap();
        assert_eq!(heard.len(), letters.len() + usize::from(!is_whole), "{name}: {heard:?}");
        assert!(is_whole || heard[0].contains("journal is"), "{name}: {heard:?}");
    }
}

#[tokio::test]
async fn a_journal_that_cannot_be_opened_is_an_error_until_it_is_removed() {
    let first = Server::start(|_| Answer::STORED.after(60 * SECOND));
    let folder = left_behind(&first).await;
    let journal = folder.path().join(JOURNAL);
    fs::remove_file(&journal).unwrap();
    fs::create_dir(&journal).unwrap();
    let server = Server::start(|_| Answer::STORED);
    for _ in 0..3 {
        let refused = builder(server.url(), SECOND).outbox(folder.path()).build().unwrap_err().to_string();
        assert!(refused.contains(JOURNAL) && refused.contains("remove it"), "{refused}");
        tokio::time::sleep(SECOND / 10).await;
    }
    assert!(server.seen().is_empty());
    fs::remove_dir(&journal).unwrap();
    let costs = builder(server.url(), SECOND).outbox(folder.path()).build().unwrap();
    costs.flush(10 * SECOND).await.unwrap();
    assert_eq!((costs.uncertain(), server.seen().len()), (2, 0));
    // They are the user's to decide about.
    until("dead letters", || costs.stats().dead_lettered == 2).await;
    assert_eq!(costs.resubmit().await.unwrap().delivered, 2);
    assert_eq!((costs.uncertain(), server.seen().len()), (0, 2));
}

#[tokio::test]
async fn a_damaged_outbox_brings_nothing_back_that_was_sent() {
    let first = Server::start(|vendors| match vendors {
        [one] if one == "there" => Answer::STORED,
        _ => Answer::of(false, 503),
    });
    let folder = tempfile::tempdir().unwrap();
    let costs = builder(first.url(), 5 * SECOND).outbox(folder.path()).patience(MS).build().unwrap();
    costs.record(cost("there", "a")).await.unwrap();
    costs.record(cost("waits", "b"));
    tokio::time::sleep(SECOND / 2).await;
    let copy = killed(folder.path());
    let database = copy.path().join("outbox.redb");
    let mut bytes = fs::read(&database).unwrap();
    bytes[..64].fill(7);
    fs::write(&database, bytes).unwrap();
    let server = Server::start(|_| Answer::STORED);
    let again = builder(server.url(), 5 * SECOND).outbox(copy.path()).build().unwrap();
    again.flush(10 * SECOND).await.unwrap();
    assert_eq!(server.seen(), Vec::<String>::new());
    until("a dead letter", || again.stats().dead_lettered > 0).await;
    let letters = dead_letters(copy.path()).unwrap().letters;
    assert!(letters.iter().any(|letter| letter.record.get().contains("waits")));
}
