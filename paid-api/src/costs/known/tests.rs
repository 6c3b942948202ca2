//! Every moment at which a process can be killed, or the power fail.

use tokio::sync::oneshot;

use super::super::journal::FILE;
use super::super::tests::one_file::OneFile;
use super::*;
use crate::dispatch::{Disk, Ended, Record, Rejected, SetAside};

struct NoDisk;

impl Disk for NoDisk {
    fn add(&self, _: u64, _: u64, _: Vec<Record>, _: bool) {}
    fn hurry(&self) {}
    fn done(&self, _: u64) {}
    fn bury(&self, _: Vec<Rejected>) {}
    fn show_aside(&self, _: Vec<SetAside>) {}
    fn load(&self, _: u64, _: u64, _: usize, _: usize) {}

    fn end(&self) -> oneshot::Receiver<Ended> {
        oneshot::channel().1
    }
}

/// An outbox with chunks from `first` up to `next`.
fn outbox(first: Option<u64>, next: u64, damage: Option<&str>) -> OpenedDisk {
    OpenedDisk { disk: Box::new(NoDisk), first, next, records: 3, damage: damage.map(ToOwned::to_owned), lost: 0 }
}

fn start_with(
    folder: &OneFile,
    removal: Duration,
    opened: &OpenedDisk,
    letters: &[&str],
) -> io::Result<(Known, Option<String>)> {
    let mut known = Known::default();
    let letters = letters.iter().map(|key| (*key).to_owned()).collect();
    let news = known.start(Arc::new(folder.clone()), removal, opened, || Some(letters))?;
    Ok((known, news))
}

/// A run that finds chunk 0 of an earlier one.
fn start(folder: &OneFile) -> Known {
    start_with(folder, Duration::ZERO, &outbox(Some(0), 1, None), &[]).unwrap().0
}

fn fresh() -> (OneFile, Known) {
    let folder = OneFile::default();
    let (known, news) = start_with(&folder, Duration::ZERO, &outbox(None, 0, None), &[]).unwrap();
    assert_eq!(news, None);
    (folder, known)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Sent,
    There,
    Uncertain,
}

fn fate(known: &mut Known, key: &str) -> Fate {
    fate_in(known, key, 0)
}

fn fate_in(known: &mut Known, key: &str, chunk: u64) -> Fate {
    let sorted = known.sort(&[(key, chunk)], false);
    match (sorted.free.len(), sorted.there, sorted.uncertain) {
        (1, 0, 0) => Fate::Sent,
        (0, 1, 0) => Fate::There,
        (0, 0, 1) => Fate::Uncertain,
        _ => panic!("{sorted:?}"),
    }
}

const A: &str = "a";
const B: &str = "b";

#[test]
fn every_moment_of_a_kill() {
    type Step = fn(&mut Known);
    let steps: [(Step, Fate); 6] = [
        (|_| {}, Fate::Sent),
        (|known| known.begin(&[(A, 0), (B, 0)]).unwrap(), Fate::Uncertain),
        (|known| known.not_there(&[(A, 0)]), Fate::Sent),
        (|known| known.begin(&[(A, 0)]).unwrap(), Fate::Uncertain),
        (|known| known.there(&[(A, 0)]), Fate::There),
        // Its frame is gone; the next run has a record of its own with that chunk.
        (|known| known.gone(vec![A.to_owned()]), Fate::Sent),
    ];
    let (folder, mut known) = fresh();
    for (number, (step, expected)) in steps.into_iter().enumerate() {
        step(&mut known);
        assert_eq!(fate(&mut start(&folder.after_kill()), A), expected, "after step {number}");
        let after_power_loss = fate(&mut start(&folder.after_power_loss(0.0)), A);
        let is_safe = after_power_loss == expected || after_power_loss == Fate::Uncertain;
        assert!(is_safe, "after step {number}: {after_power_loss:?}");
    }
    assert_eq!(fate(&mut start(&folder.after_kill()), B), Fate::Uncertain);
    assert_eq!(known.uncertain(), 0, "it is on its way");
}

#[test]
fn a_lost_answer_is_uncertain_in_this_run_and_in_the_next() {
    let (folder, mut known) = fresh();
    known.begin(&[(A, 0)]).unwrap();
    known.lost(&[(A, 0)]);
    assert_eq!((known.uncertain(), fate(&mut known, A)), (1, Fate::Uncertain));
    // Sent again because the user accepts it: an attempt that brought nothing does not settle the one before.
    assert_eq!(known.sort(&[(A, 0)], true).free, [0]);
    known.begin(&[(A, 0)]).unwrap();
    known.not_there(&[(A, 0)]);
    assert_eq!(fate(&mut start(&folder.after_kill()), A), Fate::Uncertain);
    known.begin(&[(A, 0)]).unwrap();
    known.there(&[(A, 0)]);
    assert_eq!((known.uncertain(), fate(&mut start(&folder.after_kill()), A)), (0, Fate::There));
}

#[test]
fn a_batch_is_sorted_and_copies_are_sent_once() {
    let (_folder, mut known) = fresh();
    known.begin(&[("there", 0), ("lost", 0)]).unwrap();
    known.there(&[("there", 0)]);
    known.lost(&[("lost", 0)]);
    let sorted = known.sort(&[("new", 1), ("there", 0), ("lost", 0), ("new", 2)], false);
    assert_eq!(sorted, Sorted { free: vec![0], there: 2, uncertain: 1, is_early: false });
    known.begin(&[("new", 1)]).unwrap();
    assert!(known.sort(&[("new", 2)], false).is_early);
}

#[test]
fn whatever_cannot_be_read_makes_everything_of_earlier_runs_uncertain() {
    let (folder, mut known) = fresh();
    known.begin(&[(A, 0)]).unwrap();
    known.there(&[(A, 0)]);
    let text = folder.read(FILE).unwrap();
    let bad = [text.as_slice(), b"\xff\xfe\n"].concat();
    type Damaged = (Option<Vec<u8>>, Option<&'static str>, &'static str);
    let damaged: [Damaged; 5] = [
        (Some(bad), None, "is damaged (its line 4 cannot be read)"),
        (Some(Vec::new()), None, "is damaged (its first line cannot be read)"),
        (Some(text[..text.len() - 3].to_vec()), None, "is damaged (its end is missing)"),
        (None, None, "is missing"),
        (Some(text), Some("the outbox's file was damaged"), "may give back"),
    ];
    for (text, damage, says) in damaged {
        let knows_a = says.contains("line 4") || says.contains("give back");
        let folder = OneFile::holding(text);
        // The same at every attempt: what is found is written down, and true until these chunks are gone.
        for _ in 0..3 {
            let (mut known, news) = start_with(&folder, Duration::ZERO, &outbox(Some(0), 7, damage), &[]).unwrap();
            if let Some(news) = news {
                assert!(news.contains(says) && news.contains("3 cost records"), "{news}");
            }
            assert_eq!(fate_in(&mut known, "other", 6), Fate::Uncertain, "{says}");
            assert_eq!(fate_in(&mut known, "new", 7), Fate::Sent, "{says}");
            let expected = if knows_a { Fate::There } else { Fate::Uncertain };
            assert_eq!(fate_in(&mut known, A, 0), expected, "{says}");
        }
        let (mut known, _) = start_with(&folder, Duration::ZERO, &outbox(Some(7), 9, None), &[]).unwrap();
        assert_eq!(fate_in(&mut known, "new", 7), Fate::Sent, "chunks before 7 are gone");
    }
}

#[test]
fn a_full_disk_holds_requests_back_and_forgets_nothing() {
    let (folder, mut known) = fresh();
    known.begin(&[(A, 0)]).unwrap();
    for room in [0, 20] {
        folder.state().room = Some(room);
        assert!(known.begin(&[(B, 0)]).is_err());
        assert_eq!(fate(&mut known, B), Fate::Sent, "it was not sent");
    }
    known.there(&[(A, 0)]);
    assert_eq!(fate(&mut start(&folder.after_kill()), A), Fate::Uncertain, "nobody could write that it is there");
    // A start on a full disk sends nothing either, and keeps what is known.
    let full = folder.after_kill();
    full.state().room = Some(0);
    let mut next = start(&full);
    assert!(next.begin(&[("c", 1)]).is_err());
    assert_eq!(fate(&mut next, A), Fate::Uncertain);
    folder.state().room = None;
    known.begin(&[(B, 0)]).unwrap();
    let mut next = start(&folder.after_kill());
    assert_eq!((fate(&mut next, A), fate(&mut next, B)), (Fate::There, Fate::Uncertain));
}

#[test]
fn a_whole_journal_is_appended_to_if_it_cannot_be_replaced() {
    let (folder, mut known) = fresh();
    known.begin(&[(A, 0)]).unwrap();
    let next = folder.after_kill();
    next.state().room = Some(40);
    let mut known = start(&next);
    known.begin(&[(B, 1)]).unwrap();
    assert_eq!(fate_in(&mut start(&next.after_power_loss(0.0)), B, 1), Fate::Uncertain);
}

#[test]
fn memory_ends_with_the_frames() {
    let (folder, mut known) = fresh();
    for chunk in 0..200 {
        let keys: Vec<_> = (0..50).map(|number| format!("{chunk}-{number}")).collect();
        let places: Vec<_> = keys.iter().map(|key| (key.as_str(), chunk)).collect();
        known.begin(&places).unwrap();
        known.there(&places);
        known.gone(keys);
        assert!(known.entries.is_empty() && known.leaving.is_empty());
    }
    known.begin(&[(A, 200)]).unwrap();
    let (known, news) = start_with(&folder.after_kill(), Duration::ZERO, &outbox(Some(201), 202, None), &[]).unwrap();
    assert!(known.entries.is_empty());
    assert!(news.unwrap().contains("it was sending 1 cost record of which"));
    // A dead letter stays what it is.
    let (known, news) = start_with(&folder, Duration::ZERO, &outbox(None, 202, None), &[A]).unwrap();
    assert_eq!((known.uncertain(), news), (1, None));
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_synced_memory_lasts_longer_than_the_operating_system_s() {
    let folder = OneFile::default();
    let minutes = Duration::from_secs(300);
    let (mut known, _) = start_with(&folder, minutes, &outbox(None, 0, None), &[]).unwrap();
    known.begin(&[(A, 0)]).unwrap();
    known.there(&[(A, 0)]);
    known.gone(vec![A.to_owned()]);
    assert_eq!(fate(&mut start(&folder.after_kill()), A), Fate::There);
    tokio::time::advance(minutes).await;
    known.gone(vec!["x".to_owned()]);
    assert!(known.entries.is_empty());
}

#[test]
fn a_letter_that_is_sent_again_is_there_until_it_is_no_longer_a_letter() {
    let (folder, mut known) = fresh();
    known.begin(&[(A, 0)]).unwrap();
    known.lost(&[(A, 0)]);
    known.resubmit(A);
    // Its first frame is still there when it goes out in another.
    assert_eq!(fate_in(&mut known, A, 1), Fate::Sent);
    known.begin(&[(A, 1)]).unwrap();
    known.there(&[(A, 1)]);
    known.gone(vec![A.to_owned()]);
    known.resubmission_is_over();
    assert_eq!(fate(&mut start(&folder.after_kill()), A), Fate::There, "a frame has it yet");
    known.gone(vec![A.to_owned()]);
    assert!(known.entries.is_empty());

    // Sent again by itself it is in no frame, and nothing stays of it.
    known.resubmit(A);
    known.begin(&[(A, 0)]).unwrap();
    known.there(&[(A, 0)]);
    known.resubmission_is_over();
    assert!(known.entries.is_empty());

    // Killed before the letter is removed: the user sends it again, and it is not sent.
    known.resubmit(B);
    known.begin(&[(B, 2)]).unwrap();
    known.there(&[(B, 2)]);
    known.gone(vec![B.to_owned()]);
    let (mut next, _) = start_with(&folder.after_kill(), Duration::ZERO, &outbox(None, 3, None), &[B]).unwrap();
    next.resubmit(B);
    assert_eq!(fate_in(&mut next, B, 3), Fate::There);
    known.resubmission_is_over();
    assert!(known.entries.is_empty());

    // Lost again: not sent a third time without another word.
    known.resubmit(A);
    known.begin(&[(A, 3)]).unwrap();
    known.lost(&[(A, 3)]);
    assert_eq!(fate_in(&mut known, A, 3), Fate::Uncertain);
}

#[test]
fn without_an_outbox_nothing_is_kept() {
    let mut known = Known::default();
    known.begin(&[(A, 0), (B, 0)]).unwrap();
    known.there(&[(A, 0)]);
    known.lost(&[(B, 0)]);
    assert_eq!(known.uncertain(), 1);
    known.refused(B);
    assert_eq!((known.uncertain(), known.entries.len()), (1, 0));
}

/// What is true about a record, whatever anybody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Truth {
    #[default]
    NeverSent,
    OnItsWay,
    MayBeThere,
    There,
}

/// Does one random thing that may happen to a record.
fn live(known: &mut Known, folder: &OneFile, (key, chunk): Place<'_>, truth: &mut Truth) {
    folder.state().room = (fastrand::u8(..) < 40).then(|| fastrand::usize(..60));
    match *truth {
        Truth::OnItsWay => match fastrand::u8(..3) {
            0 => {
                known.there(&[(key, chunk)]);
                *truth = Truth::There;
            }
            1 => {
                known.not_there(&[(key, chunk)]);
                *truth = Truth::NeverSent;
            }
            _ => {
                known.lost(&[(key, chunk)]);
                *truth = Truth::MayBeThere;
            }
        },
        Truth::NeverSent if known.sort(&[(key, chunk)], false).free == [0] && known.begin(&[(key, chunk)]).is_ok() => {
            *truth = Truth::OnItsWay;
        }
        _ => {}
    }
}

#[test]
fn whatever_happens_nothing_is_sent_that_may_be_there() {
    for seed in 0..400 {
        fastrand::seed(seed);
        let (mut folder, mut known) = fresh();
        let keys: Vec<_> = (0..6).map(|number| format!("key-{number}")).collect();
        let mut truths = [Truth::default(); 6];
        for _ in 0..fastrand::usize(1..60) {
            let which = fastrand::usize(..6);
            live(&mut known, &folder, (&keys[which], 0), &mut truths[which]);
            if fastrand::u8(..) > 20 {
                continue;
            }
            let is_hurt = fastrand::u8(..) < 100;
            let mut next =
                if fastrand::bool() { folder.after_kill() } else { folder.after_power_loss(fastrand::f64()) };
            if is_hurt {
                let mut text = next.read(FILE).unwrap();
                let place = fastrand::usize(..text.len());
                text[place] ^= 1 << fastrand::u8(..8);
                next = OneFile::holding(Some(text));
            }
            (folder, known) = (next.clone(), start(&next));
            for (key, truth) in keys.iter().zip(&mut truths) {
                if *truth == Truth::OnItsWay {
                    *truth = Truth::MayBeThere;
                }
                let fate = fate(&mut known, key);
                assert!(*truth == Truth::NeverSent || fate != Fate::Sent, "seed {seed}: {key} {truth:?}");
                assert!(*truth == Truth::There || fate != Fate::There, "seed {seed}: {key} {truth:?}");
            }
        }
    }
}
