//! Records that wait for a request, by customer: requests run in parallel, but never two with records of one lane.
//! Pure: no clock, no I/O.

use std::collections::VecDeque;

use super::record::Item;

/// Customers share lanes. There are more lanes than requests, so that few customers block each other.
const LANES: usize = 16;

#[derive(Default)]
struct Lane {
    items: VecDeque<Item>,
    busy: bool,
}

/// The lanes that a request occupies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken(u16);

pub(super) struct Lanes {
    lanes: [Lane; LANES],
    len: usize,
    bytes: usize,
    /// The lane to look at first, so that no lane starves.
    turn: usize,
    /// The same among those behind a request.
    turn_behind: usize,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self { lanes: std::array::from_fn(|_| Lane::default()), len: 0, bytes: 0, turn: 0, turn_behind: 0 }
    }

    /// How many records wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many bytes wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, item: Item) {
        self.len += 1;
        self.bytes += item.record.size();
        let lane = item.record.lane() as usize % LANES;
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.items.push_back(item);
        }
    }

    /// Puts a record back in front of the others of its lane.
    pub(super) fn push_front(&mut self, item: Item) {
        self.len += 1;
        self.bytes += item.record.size();
        let lane = item.record.lane() as usize % LANES;
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.items.push_front(item);
        }
    }

    /// Takes a record that waits behind a request with these lanes, from another lane each time: the first one of a
    /// customer that `may` be tried.
    pub(super) fn next_behind(&mut self, taken: Taken, may: impl Fn(u32) -> bool) -> Option<Item> {
        for step in 0..LANES {
            let number = (self.turn_behind + step) % LANES;
            let is_taken = taken.0 & (1 << number) != 0;
            let Some(lane) = self.lanes.get_mut(number).filter(|lane| lane.busy && is_taken) else { continue };
            let place = lane.items.iter().position(|item| may(item.record.lane()));
            if let Some(item) = place.and_then(|place| lane.items.remove(place)) {
                self.turn_behind = (number + 1) % LANES;
                self.len -= 1;
                self.bytes -= item.record.size();
                return Some(item);
            }
        }
        None
    }

    /// Takes all waiting records of one customer.
    pub(super) fn take_customer(&mut self, customer: u32) -> VecDeque<Item> {
        let Some(lane) = self.lanes.get_mut(customer as usize % LANES) else { return VecDeque::new() };
        let (theirs, others): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut lane.items).into_iter().partition(|item| item.record.lane() == customer);
        lane.items = others;
        self.len -= theirs.len();
        self.bytes -= theirs.iter().map(|item| item.record.size()).sum::<usize>();
        theirs
    }

    /// The next request: records from as many free lanes as fill it, up to `records` and `bytes`, but at least one
    /// record.
    pub(super) fn next_batch(&mut self, records: usize, bytes: usize) -> Option<(Vec<Item>, Taken)> {
        let mut batch = Vec::with_capacity(records.min(self.len));
        let mut taken = Taken::default();
        let mut size = 0;
        let mut is_full = false;
        for step in 0..LANES {
            let number = (self.turn + step) % LANES;
            let Some(lane) = self.lanes.get_mut(number).filter(|lane| !lane.busy) else { continue };
            while let Some(item) = lane.items.front() {
                let length = item.record.size() + 1;
                is_full = batch.len() == records || (!batch.is_empty() && size + length > bytes);
                if is_full {
                    break;
                }
                size += length;
                batch.extend(lane.items.pop_front());
                taken.0 |= 1 << number;
                lane.busy = true;
            }
            if is_full || batch.len() == records {
                self.turn = (number + 1) % LANES;
                break;
            }
        }
        self.len -= batch.len();
        self.bytes -= size - batch.len();
        (!batch.is_empty()).then_some((batch, taken))
    }

    /// Frees the lanes of a finished request.
    pub(super) fn free(&mut self, taken: Taken) {
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            if taken.0 & (1 << number) != 0 {
                lane.busy = false;
            }
        }
    }

    /// Removes all waiting records, in order within each customer.
    pub(super) fn drain(&mut self) -> Vec<Item> {
        (self.len, self.bytes) = (0, 0);
        self.lanes.iter_mut().flat_map(|lane| std::mem::take(&mut lane.items)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Record;
    use super::*;
    use crate::report::RecordKind;

    fn item(lane: u32, number: u64) -> Item {
        let record = Record::new(RecordKind::Signal, "e", "k", lane, b"0123456789");
        Item::new(record, number, None)
    }

    fn numbers(batch: &[Item]) -> Vec<u64> {
        batch.iter().map(|item| item.chunk).collect()
    }

    #[test]
    fn one_request_has_all_lanes_when_it_has_room_for_all() {
        let mut lanes = Lanes::new();
        for number in 0..20 {
            lanes.push(item(u32::try_from(number % 4).unwrap(), number));
        }
        let (batch, taken) = lanes.next_batch(500, 10_000).unwrap();
        assert_eq!((batch.len(), taken, lanes.len(), lanes.bytes()), (20, Taken(0b1111), 0, 0));
    }

    #[test]
    fn a_customer_waits_for_its_own_request_only() {
        let mut lanes = Lanes::new();
        for number in 0..6 {
            lanes.push(item(1, number));
        }
        let (first, taken) = lanes.next_batch(3, 10_000).unwrap();
        assert_eq!(numbers(&first), [0, 1, 2]);
        lanes.push(item(2, 9));
        let (other, _) = lanes.next_batch(3, 10_000).unwrap();
        assert_eq!(numbers(&other), [9]);
        assert!(lanes.next_batch(3, 10_000).is_none());
        lanes.free(taken);
        assert_eq!(numbers(&lanes.next_batch(3, 10_000).unwrap().0), [3, 4, 5]);
    }

    #[test]
    fn a_request_stays_below_its_bytes_but_never_empty() {
        let mut lanes = Lanes::new();
        for number in 0..3 {
            lanes.push(item(0, number));
        }
        let (first, taken) = lanes.next_batch(500, 25).unwrap();
        assert_eq!(numbers(&first), [0, 1]);
        lanes.free(taken);
        assert_eq!(numbers(&lanes.next_batch(500, 1).unwrap().0), [2]);
    }

    #[test]
    fn no_lane_starves() {
        let mut lanes = Lanes::new();
        for number in 0..10 {
            lanes.push(item(0, number));
        }
        lanes.push(item(5, 99));
        let (_, taken) = lanes.next_batch(2, 10_000).unwrap();
        lanes.free(taken);
        let (next, _) = lanes.next_batch(2, 10_000).unwrap();
        assert_eq!(numbers(&next)[0], 99);
    }
}
