use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::rig::{Heard, Rig, record};
use crate::files;

const FILE: &str = "outbox.redb";
const FRAMES: u64 = 60;
const RECORDS: usize = 20;

/// What redb's panics print is of no interest: they are caught.
fn hush() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.location().is_none_or(|place| !place.file().contains("redb")) {
            print(info);
        }
    }));
}

/// Leaves an outbox in which some frames are done; returns the keys of the others.
async fn fill(folder: &Path) -> BTreeSet<String> {
    let mut rig = Rig::open(files::folder(folder).unwrap());
    let is_done = |number: u64| number < 5 || number.is_multiple_of(7);
    for number in 0..FRAMES {
        rig.add(number, RECORDS);
        if number % 10 == 0 {
            rig.hear().await;
        }
    }
    rig.hear().await;
    (0..FRAMES).filter(|number| is_done(*number)).for_each(|number| rig.disk.done(number));
    rig.end().await;
    let left = (0..FRAMES).filter(|number| !is_done(*number));
    left.flat_map(|number| (0..RECORDS).map(move |place| format!("{number}-{place}"))).collect()
}

/// Spoils bytes in one of five ways; says how.
fn spoil(bytes: &mut Vec<u8>, seed: u64) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    let page = |random: &mut fastrand::Rng, bytes: &[u8]| {
        let at = random.usize(0..bytes.len().div_ceil(4096)) * 4096;
        at..(at + 4096).min(bytes.len())
    };
    match seed % 5 {
        0 => {
            let at = random.usize(0..bytes.len());
            bytes[at] ^= 1 << random.u8(0..8);
            format!("a bit at {at}")
        }
        1 => {
            let page = page(&mut random, bytes);
            bytes[page.clone()].fill(0);
            format!("zeros at {page:?}")
        }
        2 => {
            bytes.truncate(random.usize(0..bytes.len()));
            format!("cut at {}", bytes.len())
        }
        3 => {
            for _ in 0..200 {
                let at = random.usize(0..bytes.len());
                bytes[at] = random.u8(..);
            }
            "200 bytes".to_owned()
        }
        _ => {
            let page = page(&mut random, bytes);
            bytes[page.clone()].fill_with(|| random.u8(..));
            format!("noise at {page:?}")
        }
    }
}

/// Opens an outbox, reads everything, and goes on; returns what was heard.
async fn use_it(folder: &Path, name: &str) -> Heard {
    let mut rig = Rig::open(files::folder(folder).unwrap());
    let mut heard = rig.load_all().await;
    heard.lost += rig.opened.lost;
    heard.damage.extend(rig.opened.damage.take());
    let next = rig.opened.next;
    rig.add(next, 3);
    let later = rig.hear().await;
    assert!(later.stored.contains(&next), "{name}: it goes on: {later:?}");
    heard.lost += later.lost;
    heard.damage.extend(later.damage);
    assert!(next < 1 << 20, "{name}: {next}");
    (0..next).for_each(|number| rig.disk.done(number));
    let later = rig.hear().await;
    heard.lost += later.lost;
    heard.damage.extend(later.damage);
    let ended = rig.end().await;
    assert!(ended.has(next) && ended.records == 3, "{name}: {ended:?}");
    let mut rig = Rig::open(files::folder(folder).unwrap());
    assert_eq!((rig.opened.records, rig.opened.first, &rig.opened.damage), (3, Some(next), &None), "{name}");
    assert_eq!(rig.load_all().await.loaded.len(), 3, "{name}");
    rig.end().await;
    heard
}

#[tokio::test(start_paused = true)]
async fn whatever_the_bytes_it_starts_and_what_is_missing_is_counted() {
    hush();
    let rounds = std::env::var("PAID_DAMAGE").map_or(100, |rounds| rounds.parse().unwrap());
    let place = tempfile::tempdir().unwrap();
    let left = fill(place.path()).await;
    let whole = fs::read(place.path().join(FILE)).unwrap();
    let mark = fs::read(place.path().join("mark")).unwrap();
    let (mut saved_all, mut counted) = (0, 0);
    let first = std::env::var("PAID_SEED").map_or(0, |seed| seed.parse().unwrap());
    for seed in first..first + rounds {
        let spoiled = tempfile::tempdir().unwrap();
        let mut bytes = whole.clone();
        let name = format!("{seed}: {}", spoil(&mut bytes, seed));
        for (file, bytes) in [(FILE, &bytes), ("mark", &mark), ("contents", &b"signals\n".to_vec())] {
            fs::write(spoiled.path().join(file), bytes).unwrap();
        }
        let heard = use_it(spoiled.path(), &name).await;
        let loaded: BTreeSet<_> = heard.loaded.iter().cloned().collect();
        assert!(loaded.is_subset(&left), "{name}: nothing delivered comes back");
        let missing = left.difference(&loaded).count() as u64;
        // Damage that shows when records are already in memory takes them from the disk only.
        let most = if heard.damage.is_empty() { missing } else { missing + 2 * RECORDS as u64 };
        assert!((missing..=most).contains(&heard.lost), "{name}: {} of {missing}: {:?}", heard.lost, heard.damage);
        counted += usize::from(heard.lost == missing);
        saved_all += usize::from(missing == 0);
        let most = if seed % 5 == 2 { left.len() as u64 } else { 150 };
        assert!(missing <= most, "{name}: {missing} lost; {:?}", heard.damage);
    }
    assert!(saved_all as u64 >= rounds / 6 && counted as u64 >= rounds * 9 / 10, "{saved_all}, {counted}");
}

#[tokio::test(start_paused = true)]
async fn damaged_small_files_lose_nothing() {
    let place = tempfile::tempdir().unwrap();
    let left = fill(place.path()).await;
    let spoils: [&[u8]; 5] = [b"", b"garbage", b"\xff\x00\xfe", b"99999999999999999999", b"9999 9999 0 00000000\n"];
    for file in ["contents", "mark", "holder"] {
        for spoil in spoils {
            for takes_file_too in [false, true] {
                let name = format!("{file} {spoil:?} {takes_file_too}");
                let spoiled = tempfile::tempdir().unwrap();
                for file in ["contents", "mark", FILE] {
                    fs::copy(place.path().join(file), spoiled.path().join(file)).unwrap();
                }
                fs::write(spoiled.path().join(file), spoil).unwrap();
                if takes_file_too {
                    let mut bytes = fs::read(spoiled.path().join(FILE)).unwrap();
                    bytes[..4096].fill(7);
                    fs::write(spoiled.path().join(FILE), bytes).unwrap();
                }
                let heard = use_it(spoiled.path(), &name).await;
                let loaded: BTreeSet<_> = heard.loaded.into_iter().collect();
                assert!(loaded.is_superset(&left), "{name}");
                // Only a salvage without the mark does not know what was delivered.
                assert!(loaded == left || takes_file_too && file == "mark", "{name}");
                assert_eq!(heard.lost, 0, "{name}");
                let is_said = heard.damage.len() == usize::from(takes_file_too || file == "contents");
                assert!(is_said, "{name}: {:?}", heard.damage);
                assert_eq!(fs::read(spoiled.path().join("contents")).unwrap(), b"signals\n", "{name}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_gone_or_something_else_is_said_and_counted() {
    let other = tempfile::tempdir().unwrap();
    let another_program = || {
        let database = redb::Database::create(other.path().join("other")).unwrap();
        let write = database.begin_write().unwrap();
        write.open_table(redb::TableDefinition::<u64, u64>::new("numbers")).unwrap().insert(1, 2).unwrap();
        write.commit().unwrap();
        drop(database);
        fs::read(other.path().join("other")).unwrap()
    };
    type Spoil<'a> = &'a dyn Fn(&Path);
    let ways: [(&str, Spoil<'_>); 5] = [
        ("removed", &|file| fs::remove_file(file).unwrap()),
        ("emptied", &|file| fs::write(file, "").unwrap()),
        ("a folder", &|file| fs::remove_file(file).and_then(|()| fs::create_dir(file)).unwrap()),
        ("zeros", &|file| fs::write(file, vec![0; 300_000]).unwrap()),
        ("of another program", &|file| fs::write(file, another_program()).unwrap()),
    ];
    for (name, spoil) in ways {
        let place = tempfile::tempdir().unwrap();
        let left = fill(place.path()).await;
        spoil(&place.path().join(FILE));
        let heard = use_it(place.path(), name).await;
        assert_eq!((heard.loaded.len(), heard.lost), (0, left.len() as u64), "{name}");
        assert_eq!(heard.damage.len(), 1, "{name}: {:?}", heard.damage);
    }
}

#[tokio::test(start_paused = true)]
async fn damage_in_the_middle_of_a_run_loses_nothing_that_is_in_memory() {
    hush();
    for seed in 0..20 {
        let place = tempfile::tempdir().unwrap();
        let folder = files::folder(place.path()).unwrap();
        let mut rig = Rig::open(folder);
        for number in 0..40 {
            rig.add(number, RECORDS);
        }
        assert_eq!(rig.hear().await.stored.len(), 40);
        rig.disk.load(0, 10, 10_000, 10 << 20);
        assert_eq!(rig.hear().await.next, Some(10));
        (0..10).for_each(|number| rig.disk.done(number));
        rig.hear().await;
        rig.add(40, RECORDS);
        // The whole file is noise, or only a part of it, while it is open.
        let file = place.path().join(FILE);
        let length = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap();
        let mut bytes = fs::read(&file).unwrap();
        let damaged = if seed == 0 { 0..length } else { 0..length / 2 };
        let mut random = fastrand::Rng::with_seed(seed);
        bytes[damaged].fill_with(|| random.u8(..));
        use std::os::unix::fs::FileExt;
        fs::File::options().write(true).open(&file).unwrap().write_all_at(&bytes, 0).unwrap();
        rig.disk.load(10, 41, 10_000, 10 << 20);
        let mut heard = rig.hear().await;
        rig.add(41, RECORDS);
        let later = rig.hear().await;
        heard.lost += later.lost;
        assert!(heard.stored.contains(&40) && later.stored.contains(&41), "{seed}: {heard:?} {later:?}");
        let ended = rig.end().await;
        assert!(ended.has(40) && ended.has(41) && !ended.has(3), "{seed}: {ended:?}");
        let mut rig = Rig::open(files::folder(place.path()).unwrap());
        // What is in the cache hides damage until then.
        let later = rig.load_all().await;
        heard.lost += later.lost + rig.opened.lost;
        let found: BTreeSet<_> = later.loaded.into_iter().collect();
        assert_eq!(found.len() as u64 + heard.lost, 32 * RECORDS as u64, "{seed}");
        assert!(found.contains("41-0") && !found.contains("3-0"), "{seed}");
        rig.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_damaged_files_are_kept_and_no_unread_one_is_removed() {
    let place = tempfile::tempdir().unwrap();
    let folder = files::folder(place.path()).unwrap();
    for round in 0..12 {
        let rig = Rig::open(std::sync::Arc::clone(&folder));
        rig.add(rig.opened.next, 2);
        rig.end().await;
        let mut bytes = fs::read(place.path().join(FILE)).unwrap();
        bytes[..4096].fill(round);
        fs::write(place.path().join(FILE), bytes).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let rig = Rig::open(std::sync::Arc::clone(&folder));
    assert_eq!((rig.opened.records, rig.opened.lost), (24, 0));
    rig.end().await;
    let kept = folder.list().unwrap().into_iter().filter(|name| name.contains("damaged")).count();
    assert_eq!(kept, 5);
}

#[tokio::test(start_paused = true)]
async fn a_salvage_that_was_cut_off_goes_on_at_the_next_start() {
    let place = tempfile::tempdir().unwrap();
    let left = fill(place.path()).await;
    // As a crash leaves it between two steps: put aside, not read, and nothing in its place.
    fs::rename(place.path().join(FILE), place.path().join("outbox.damaged-1.unread")).unwrap();
    let heard = use_it(place.path(), "cut off").await;
    assert_eq!((heard.loaded.len(), heard.lost), (left.len(), 0), "{:?}", heard.damage);
    assert!(place.path().join("outbox.damaged-1").exists());
}

#[tokio::test(start_paused = true)]
async fn records_themselves_tell_their_kind_if_nothing_else_does() {
    use crate::dispatch::{DiskNews, DiskSettings};
    use crate::outbox::for_tests;
    use crate::report::RecordKind;
    for spoils_store in [false, true] {
        let place = tempfile::tempdir().unwrap();
        fill(place.path()).await;
        fs::write(place.path().join("contents"), "").unwrap();
        if spoils_store {
            let mut bytes = fs::read(place.path().join(FILE)).unwrap();
            bytes[..4096].fill(7);
            fs::write(place.path().join(FILE), bytes).unwrap();
        }
        let folder = files::folder(place.path()).unwrap();
        let open = move || Ok(std::sync::Arc::clone(&folder));
        let costs = DiskSettings { folder: Some(std::sync::Arc::new(open)), ..DiskSettings::none(RecordKind::Cost) };
        let refused = for_tests::try_open(&costs, DiskNews::for_tests().0).map(drop).unwrap_err().to_string();
        assert!(refused.contains("is an outbox of signals"), "{refused}");
        let heard = use_it(place.path(), "as signals").await;
        assert_eq!(heard.lost, 0);
        assert!(heard.loaded.contains(&record("59-0").key().to_owned()));
    }
}
