use std::collections::BTreeMap;

use super::super::tests::one_file::OneFile;
use super::*;

type Marks = BTreeMap<String, Mark>;

fn key(number: usize) -> String {
    format!("0193abcd-0000-7000-8000-{number:012}")
}

fn line(mark: Mark, number: usize) -> Line {
    Line::new(mark, &key(number), number as u64 / 2)
}

/// What the lines say in the end about each record.
fn marks(found: &Found) -> Marks {
    found.lines.iter().map(|line| (line.key.clone(), line.mark)).collect()
}

/// A file with a rewritten part and several writes after it, and its length after each.
fn example() -> (Vec<u8>, Vec<usize>) {
    let folder: Arc<dyn Folder> = Arc::new(OneFile::default());
    let (mut journal, _) = Journal::open(Arc::clone(&folder)).unwrap();
    let mut lengths = Vec::new();
    let living = [line(Mark::OnItsWay, 0), line(Mark::There, 1)];
    for lines in [
        vec![],
        vec![line(Mark::OnItsWay, 2), line(Mark::OnItsWay, 3)],
        vec![line(Mark::There, 2)],
        vec![line(Mark::NotThere, 3)],
        vec![line(Mark::Forgotten, 2), line(Mark::DoubtBefore, 9)],
        vec![line(Mark::OnItsWay, 3)],
    ] {
        journal.write(&lines, false, || living.to_vec()).unwrap();
        lengths.push(folder.read(FILE).unwrap().len());
    }
    (folder.read(FILE).unwrap(), lengths)
}

#[test]
fn what_is_written_is_read_again() {
    let (text, _) = example();
    let (found, _) = read(&text);
    assert_eq!(found.damage, None);
    let expected = [Mark::OnItsWay, Mark::There, Mark::Forgotten, Mark::OnItsWay];
    let marks = marks(&found);
    for (number, mark) in expected.into_iter().enumerate() {
        assert_eq!(marks.get(&key(number)), Some(&mark), "{number}");
    }
}

#[test]
fn a_file_cut_off_anywhere_is_damaged_unless_it_is_an_older_one() {
    let (text, lengths) = example();
    for cut in 0..text.len() {
        let (found, _) = read(&text[..cut]);
        // Whole lines of a write that was cut off are true all the same.
        let is_line_end = cut > 0 && text[cut - 1] == b'\n' && cut >= lengths[0];
        assert_eq!(found.damage.is_none(), is_line_end, "cut off at {cut}: {:?}", found.damage);
    }
}

#[test]
fn no_flipped_bit_and_no_missing_line_goes_unnoticed() {
    let (text, _) = example();
    let whole = marks(&read(&text).0);
    for byte in 0..text.len() {
        for bit in 0..8 {
            let mut flipped = text.clone();
            flipped[byte] ^= 1 << bit;
            let (found, _) = read(&flipped);
            // The case of a digit of a checksum says nothing.
            assert!(found.damage.is_some() || marks(&found) == whole, "bit {bit} of byte {byte}");
        }
    }
    let lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
    for missing in 0..lines.len() - 1 {
        let mut fewer = lines.clone();
        fewer.remove(missing);
        assert!(read(&fewer.concat()).0.damage.is_some(), "line {missing}");
    }
}

#[test]
fn a_damaged_line_does_not_hide_the_others() {
    let (text, _) = example();
    let mut text = String::from_utf8(text).unwrap();
    text = text.replacen(&format!("={}", key(1)), &format!("={}", key(7)), 1);
    let (found, _) = read(text.as_bytes());
    assert_eq!(found.damage.as_deref(), Some("its line 3 cannot be read"));
    assert_eq!(marks(&found).len(), 4, "three keys and the line of doubt");
    for foreign in ["", "\n", "+key\n", "costs-on-their-way/2 0 00000000\n", "\u{fffd}\u{fffd}\n"] {
        assert!(read(foreign.as_bytes()).0.damage.is_some(), "{foreign:?}");
    }
}

#[test]
fn the_file_stays_small_and_goes_on_after_each_opening() {
    let folder: Arc<dyn Folder> = Arc::new(OneFile::default());
    let own = line(Mark::OnItsWay, 0);
    for round in 0..30 {
        let (mut journal, found) = Journal::open(Arc::clone(&folder)).unwrap();
        assert_eq!(found.damage, None);
        assert!(round == 0 || marks(&found).get(&own.key) == Some(&Mark::OnItsWay));
        for batch in 0..4 {
            let keys = || (0..500).map(move |number| 1 + batch * 500 + number);
            let going: Vec<_> = keys().map(|key| line(Mark::OnItsWay, key)).collect();
            journal.write(&going, true, || [own.clone()].into_iter().chain(going.clone()).collect()).unwrap();
            let gone: Vec<_> = keys().map(|key| line(Mark::Forgotten, key)).collect();
            journal.write(&gone, false, || vec![own.clone()]).unwrap();
        }
    }
    assert!(folder.read(FILE).unwrap().len() < 2 * LARGE);
}
