//! Which frames are done, and how many records are left, in a small file beside the store: if the store is damaged, a
//! salvage brings back nothing that was delivered, and it is known how much is missing. Works without the file, too.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::dispatch::Folder;

pub(super) const FILE: &str = "mark";
/// More than so many gaps are not written: what stands behind them would then be sent twice after damage.
const GAPS: usize = 100;

/// The frames by their numbers: done below `first` and in the gaps, on disk elsewhere below `next`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    first: u64,
    next: u64,
    /// From the first number of each gap to the one after its last.
    gaps: BTreeMap<u64, u64>,
    /// How many records are on disk.
    pub(super) records: u64,
}

impl Mark {
    pub(super) fn new(first: u64, next: u64, records: u64) -> Self {
        Self { first, next: next.max(first), gaps: BTreeMap::new(), records }
    }

    /// The number of the next frame.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// All frames up to but not including this number are known.
    pub(super) fn known_until(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    pub(super) fn is_done(&self, number: u64) -> bool {
        number < self.first || self.gap_of(number).is_some()
    }

    pub(super) fn has(&self, number: u64) -> bool {
        number < self.next && !self.is_done(number)
    }

    /// A frame is done, or was never there.
    pub(super) fn done(&mut self, number: u64) {
        self.known_until(number.saturating_add(1));
        if self.is_done(number) {
            return;
        }
        let (mut begin, mut end) = (number, number + 1);
        if let Some((before, until)) = self.gaps.range(..number).next_back().map(|(before, until)| (*before, *until))
            && until == number
        {
            begin = before;
        }
        if let Some(until) = self.gaps.remove(&end) {
            end = until;
        }
        if begin == self.first {
            self.gaps.remove(&begin);
            self.first = end;
        } else {
            self.gaps.insert(begin, end);
        }
    }

    /// A frame is on disk.
    pub(super) fn keep(&mut self, number: u64) {
        self.known_until(number + 1);
        if number < self.first {
            if number + 1 < self.first {
                self.gaps.insert(number + 1, self.first);
            }
            self.first = number;
        } else if let Some((begin, end)) = self.gap_of(number) {
            self.gaps.remove(&begin);
            let parts = [(begin, number), (number + 1, end)];
            self.gaps.extend(parts.into_iter().filter(|(begin, end)| begin < end));
        }
    }

    fn gap_of(&self, number: u64) -> Option<(u64, u64)> {
        let (begin, end) = self.gaps.range(..=number).next_back()?;
        (number < *end).then_some((*begin, *end))
    }

    /// These frames are on disk, and no others.
    pub(super) fn only(&mut self, frames: &BTreeSet<u64>) {
        let next = self.next;
        *self = Self { gaps: BTreeMap::new(), first: next, ..*self };
        let mut end = None;
        for number in frames {
            match end {
                None => self.first = *number,
                Some(end) if end < *number => drop(self.gaps.insert(end, *number)),
                Some(_) => {}
            }
            end = Some(number + 1);
        }
        self.next = self.next.max(end.unwrap_or(next));
        if let Some(end) = end.filter(|end| *end < self.next) {
            self.gaps.insert(end, self.next);
        }
    }

    /// The numbers of the frames on disk.
    pub(super) fn live(&self) -> impl Iterator<Item = Range<u64>> {
        let begins = std::iter::once(self.first).chain(self.gaps.values().copied());
        let ends = self.gaps.keys().copied().chain(std::iter::once(self.next));
        begins.zip(ends).map(|(begin, end)| begin..end).filter(|range| !range.is_empty())
    }

    /// Reads the file; `None` if it does not exist or is damaged.
    pub(super) fn read(folder: &dyn Folder) -> Option<Self> {
        let text = folder.read(FILE).ok()?;
        Self::parse(std::str::from_utf8(text.split(|byte| *byte == b'\n').next()?).ok()?)
    }

    fn parse(line: &str) -> Option<Self> {
        let (text, sum) = line.rsplit_once(' ')?;
        if u32::from_str_radix(sum, 16).ok()? != crc32fast::hash(text.as_bytes()) {
            return None;
        }
        let mut words = text.split(' ');
        let mut number = || words.next()?.parse().ok();
        let mut mark = Self::new(number()?, number()?, number()?);
        for gap in words {
            let (begin, end) = gap.split_once('-')?;
            mark.gaps.insert(begin.parse().ok()?, end.parse().ok()?);
        }
        Some(mark)
    }

    /// The content of the file: one line.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} {} {}", self.first, self.next, self.records);
        for (begin, end) in self.gaps.iter().take(GAPS) {
            text += &format!(" {begin}-{end}");
        }
        let sum = crc32fast::hash(text.as_bytes());
        format!("{text} {sum:08x}\n")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mark_that_was_damaged_is_none() {
        let mut mark = Mark::new(3, 20, 400);
        mark.done(7);
        assert_eq!(mark.text(), "3 20 400 7-8 55f6ddfd\n");
        assert_eq!(Mark::parse(mark.text().trim_end()), Some(mark.clone()));
        for damaged in ["", "00000000000000000009", "9 20 400 7-8 55f6ddfd", "x", "3 20 400 7-8 ", "\u{fffd}"] {
            assert_eq!(Mark::parse(damaged), None, "{damaged}");
        }
    }

    #[derive(Clone, Copy, Debug)]
    enum Change {
        Done(u64),
        Keep(u64),
        Only(u64, u64),
    }

    fn change() -> impl Strategy<Value = Change> {
        let number = 0_u64..40;
        prop_oneof![
            4 => number.clone().prop_map(Change::Done),
            4 => number.clone().prop_map(Change::Keep),
            1 => (number, any::<u64>()).prop_map(|(begin, bits)| Change::Only(begin, bits)),
        ]
    }

    proptest! {
        #[test]
        fn frames_come_and_go_in_any_order(first in 0_u64..5, changes in prop::collection::vec(change(), 0..60)) {
            let mut mark = Mark::new(first, 30, 0);
            let mut live: BTreeSet<_> = (first..30).collect();
            let mut next = 30;
            for change in changes {
                match change {
                    Change::Done(number) => {
                        live.extend(next..number);
                        live.remove(&number);
                        mark.done(number);
                        next = next.max(number + 1);
                    }
                    Change::Keep(number) => {
                        live.extend(next..=number);
                        live.insert(number);
                        mark.keep(number);
                        next = next.max(number + 1);
                    }
                    Change::Only(begin, bits) => {
                        live = (0..8).filter(|bit| bits >> bit & 1 == 1).map(|bit| begin + bit).collect();
                        mark.only(&live);
                        next = next.max(live.last().map_or(0, |last| last + 1));
                    }
                }
                prop_assert_eq!(mark.live().flatten().collect::<BTreeSet<_>>(), live.clone());
                prop_assert!((0..next).all(|number| mark.is_done(number) != live.contains(&number)));
                prop_assert_eq!(mark.next(), next);
            }
            prop_assert_eq!(Mark::parse(mark.text().trim_end()), Some(mark));
        }
    }
}
