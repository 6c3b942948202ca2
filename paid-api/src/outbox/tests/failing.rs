use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::rig::{Frail, Rig};
use crate::dispatch::{Ended, Folder, TellGone};
use crate::{files, outbox};

/// The chunks that are on disk at the end.
fn chunks(ended: &Ended) -> Vec<u64> {
    ended.on_disk.iter().cloned().flatten().collect()
}

#[tokio::test(start_paused = true)]
async fn on_a_full_disk_only_what_is_written_is_said_to_be_there() {
    let place = tempfile::tempdir().unwrap();
    let folder = Frail::at(place.path());
    let mut rig = Rig::open(Arc::clone(&folder) as Arc<dyn Folder>);
    (0..20).for_each(|number| rig.add(number, 50));
    assert_eq!(rig.hear().await.stored.len(), 20);
    folder.is_full.store(true, Ordering::Relaxed);
    (20..30).for_each(|number| rig.add(number, 500));
    let heard = rig.hear().await;
    assert_eq!((heard.failing, heard.working, heard.stored), (1, 0, BTreeSet::new()), "once, though it is tried again");
    // Reading and removing go on.
    rig.disk.load(0, 30, 200, 1 << 20);
    (10..20).for_each(|number| rig.disk.done(number));
    let heard = rig.hear().await;
    assert_eq!((heard.loaded.len(), heard.next, heard.failing), (200, Some(4), 0));
    let ended = rig.end().await;
    assert_eq!((chunks(&ended), ended.records), ((0..10).collect(), 500));
    // A healthy store is not taken for a damaged one, and can be opened.
    let rig = Rig::open(Arc::clone(&folder) as Arc<dyn Folder>);
    assert_eq!((rig.opened.records, &rig.opened.damage), (500, &None));
    rig.end().await;
    assert!(folder.list().unwrap().iter().all(|name| !name.contains("damaged")));
}

#[tokio::test(start_paused = true)]
async fn a_disk_with_room_again_goes_on_as_before() {
    let place = tempfile::tempdir().unwrap();
    let folder = Frail::at(place.path());
    let mut rig = Rig::open(Arc::clone(&folder) as Arc<dyn Folder>);
    folder.is_full.store(true, Ordering::Relaxed);
    (0..10).for_each(|number| rig.add(number, 500));
    assert_eq!(rig.hear().await.failing, 1);
    // Delivered meanwhile: perhaps it was written all the same, so it is removed.
    rig.disk.done(3);
    assert_eq!(rig.hear().await.failing, 0);
    folder.is_full.store(false, Ordering::Relaxed);
    let heard = rig.hear().await;
    assert_eq!((heard.working, heard.stored.len(), heard.stored.contains(&3)), (1, 9, false));
    assert_eq!(rig.end().await.records, 4_500);
}

#[tokio::test(start_paused = true)]
async fn an_unwritable_file_of_dead_letters_holds_up_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let folder = Frail::at(place.path());
    let mut rig = Rig::open(Arc::clone(&folder) as Arc<dyn Folder>);
    (0..3).for_each(|number| rig.add(number, 2));
    rig.hear().await;
    folder.letters_fail.store(true, Ordering::Relaxed);
    rig.bury(1, "1-0");
    // Never written on its own, but the only copy of a letter.
    rig.add(3, 2);
    rig.bury(3, "3-1");
    (0..4).for_each(|number| rig.disk.done(number));
    rig.add(4, 2);
    let heard = rig.hear().await;
    // One answer for each, however often it is tried.
    assert_eq!((heard.letters_failing, heard.handled, heard.buried, heard.failing), (2, 2, 0, 0));
    assert!(heard.stored.contains(&4) && heard.stored.contains(&3), "{heard:?}");
    let ended = rig.end().await;
    assert_eq!(chunks(&ended), [1, 3, 4]);
    // At the next start they are refused again; and the file can be written again.
    let mut rig = Rig::open(Arc::clone(&folder) as Arc<dyn Folder>);
    assert_eq!(rig.opened.records, 6);
    rig.bury(1, "1-0");
    rig.bury(3, "3-1");
    [1, 3].into_iter().for_each(|number| rig.disk.done(number));
    assert_eq!(rig.hear().await.letters_failing, 2);
    folder.letters_fail.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(20)).await;
    let heard = rig.hear().await;
    assert_eq!((heard.buried, heard.handled), (2, 0));
    assert_eq!(chunks(&rig.end().await), [4]);
    assert_eq!(outbox::dead_letters(place.path()).unwrap().letters.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn many_letters_that_cannot_be_written_take_no_more_memory_and_their_records_stay_on_disk() {
    let place = tempfile::tempdir().unwrap();
    let folder = Frail::at(place.path());
    let mut rig = Rig::open(Arc::clone(&folder) as Arc<dyn Folder>);
    folder.letters_fail.store(true, Ordering::Relaxed);
    for number in 0..20 {
        rig.add_in_memory(number, 1);
    }
    rig.hear().await;
    for number in 0..20 {
        rig.bury_large(number, 1 << 20);
        rig.disk.done(number);
    }
    let heard = rig.hear().await;
    assert_eq!((heard.letters_failing, heard.buried, heard.problems.len()), (20, 0, 1), "{heard:?}");
    folder.letters_fail.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(20)).await;
    // What was not kept in memory is refused again at the next start.
    assert_eq!(rig.hear().await.buried, 15);
    assert_eq!(chunks(&rig.end().await), [15, 16, 17, 18, 19]);
    assert_eq!(outbox::dead_letters(place.path()).unwrap().letters.len(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_removed_is_noticed_and_nothing_in_it_is_said_to_be_there() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("outbox");
    let mut rig = Rig::open(files::folder(&path).unwrap());
    rig.add(0, 5);
    assert_eq!(rig.hear().await.stored.len(), 1);
    fs::remove_dir_all(&path).unwrap();
    rig.add(1, 5);
    let heard = rig.hear().await;
    assert_eq!((heard.stored.len(), heard.failing), (0, 1));
    // It comes back, empty.
    fs::create_dir(&path).unwrap();
    let heard = rig.hear().await;
    assert_eq!((heard.working, heard.lost, heard.damage.len()), (1, 5, 1), "{heard:?}");
    assert!(heard.stored.contains(&1));
    fs::remove_dir_all(&path).unwrap();
    assert!(rig.end().await.on_disk.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_vanishes_takes_only_what_is_nowhere_else() {
    let place = tempfile::tempdir().unwrap();
    let mut rig = Rig::open(files::folder(place.path()).unwrap());
    (0..3).for_each(|number| rig.add_in_memory(number, 2));
    (3..9).for_each(|number| rig.add(number, 2));
    rig.hear().await;
    // Read back, and one of them delivered.
    rig.disk.load(3, 9, 4, 1 << 20);
    assert_eq!(rig.hear().await.next, Some(5));
    rig.disk.done(3);
    fs::remove_file(place.path().join("outbox.redb")).unwrap();
    rig.add(9, 2);
    let heard = rig.hear().await;
    assert_eq!((heard.lost, heard.working), (8, 1), "{heard:?}");
    assert!(heard.damage[0].contains("8 signals lost"), "{heard:?}");
    // Chunks of which nothing is in memory: 5 to 8. The one that was being written is whole.
    assert!((5..9).all(|number| heard.torn.contains(&number)) && !heard.torn.contains(&9), "{heard:?}");
    assert_eq!(chunks(&rig.end().await), [9]);
}

#[tokio::test(start_paused = true)]
async fn keys_are_told_when_their_frame_has_left_the_disk() {
    let place = tempfile::tempdir().unwrap();
    let folder = Frail::at(place.path());
    let told = Arc::new(Mutex::new(Vec::new()));
    let gone: TellGone = Arc::new({
        let told = Arc::clone(&told);
        move |keys| told.lock().unwrap().extend(keys)
    });
    let take = || std::mem::take(&mut *told.lock().unwrap());
    let mut rig = Rig::try_open(Arc::clone(&folder) as Arc<dyn Folder>, Some(gone)).unwrap();
    (0..3).for_each(|number| rig.add(number, 2));
    rig.hear().await;
    assert!(take().is_empty());
    // In any order.
    rig.disk.done(2);
    rig.hear().await;
    assert_eq!(take(), ["2-0", "2-1"]);
    rig.disk.done(0);
    rig.hear().await;
    assert_eq!(take(), ["0-0", "0-1"]);
    // Before it is written.
    rig.add(3, 1);
    rig.disk.done(3);
    rig.hear().await;
    assert_eq!(take(), ["3-0"]);
    // Perhaps written: only once it is certain that it is not.
    folder.is_full.store(true, Ordering::Relaxed);
    rig.add(4, 500);
    rig.hear().await;
    rig.add(5, 500);
    rig.disk.done(4);
    rig.hear().await;
    assert!(take().len() != 1);
    folder.is_full.store(false, Ordering::Relaxed);
    rig.hear().await;
    assert_eq!(chunks(&rig.end().await), [1, 5]);
}
