//! Which of many places in a row are still open, with the next open one found in nearly constant time. Pure.

use std::ops::Range;

/// Places from 0 on, of which each is taken once.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// For each place, where to look for the next open one: itself while it is open. One more than there are places.
    after: Vec<u32>,
    /// The same backwards, with every place moved up by one: 0 stands for none.
    before: Vec<u32>,
}

impl Open {
    pub(super) fn new(places: usize) -> Self {
        let numbers = || (0..=u32::try_from(places).unwrap_or(u32::MAX)).collect();
        Self { after: numbers(), before: numbers() }
    }

    pub(super) fn take(&mut self, place: usize) {
        let number = u32::try_from(place).unwrap_or(u32::MAX);
        if let Some(after) = self.after.get_mut(place) {
            *after = number.saturating_add(1);
        }
        if let Some(before) = self.before.get_mut(place + 1) {
            *before = number;
        }
    }

    /// The open places of a range that are nearest to one of it: at it or after it, and before it.
    pub(super) fn around(&mut self, place: usize, range: &Range<usize>) -> [Option<usize>; 2] {
        let after = root(&mut self.after, place);
        let before = root(&mut self.before, place).checked_sub(1);
        [Some(after).filter(|after| range.contains(after)), before.filter(|before| range.contains(before))]
    }
}

/// Follows the steps to their end, and shortens them for the next time.
fn root(steps: &mut [u32], from: usize) -> usize {
    let step = |steps: &[u32], at: usize| steps.get(at).map_or(at, |next| *next as usize);
    let mut end = from;
    while step(steps, end) != end {
        end = step(steps, end);
    }
    let mut at = from;
    while at != end {
        let next = step(steps, at);
        if let (Some(place), Ok(end)) = (steps.get_mut(at), u32::try_from(end)) {
            *place = end;
        }
        at = next;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_nearest_open_places_are_those_that_a_search_finds(
            places in 1..40_usize, taken in proptest::collection::vec(0..40_usize, 0..60), at in 0..40_usize
        ) {
            let at = at.min(places);
            let mut open = Open::new(places);
            let mut is_open = vec![true; places];
            for place in taken.into_iter().filter(|place| *place < places) {
                open.take(place);
                is_open[place] = false;
                let range = 0..places;
                let after = (at..places).find(|place| is_open[*place]);
                let before = (0..at).rev().find(|place| is_open[*place]);
                assert_eq!(open.around(at, &range), [after, before]);
            }
        }
    }
}
