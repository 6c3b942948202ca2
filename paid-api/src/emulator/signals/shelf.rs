//! Signals as they are kept: small, in the order of their arrival, and found by what bills them.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

use chrono::{DateTime, Utc};
use hashbrown::HashTable;
use serde_json::Value;

use crate::Timestamp;

/// So many rows, or bytes, are in one block: a list that grows copies nothing.
const BLOCK: usize = 1 << 16;

/// A signal that was accepted.
#[derive(Debug, Clone, Copy)]
pub(in crate::emulator) struct Signal<'a> {
    pub(in crate::emulator) index: usize,
    pub(in crate::emulator) event_name: &'a str,
    /// The customer's id.
    pub(in crate::emulator) customer: &'a str,
    /// The product's id.
    pub(in crate::emulator) product: &'a str,
    /// The customer's own id of its unit.
    pub(in crate::emulator) unit: Option<&'a str>,
    /// The signal's own time, or when it arrived.
    pub(in crate::emulator) at: Timestamp,
    pub(in crate::emulator) arrived: Timestamp,
    pub(in crate::emulator) key: Option<&'a str>,
    data: &'a [u8],
}

impl Signal<'_> {
    pub(in crate::emulator) fn id(&self) -> String {
        format!("sig_{:06}", self.index + 1)
    }

    /// What came with it; null if nothing did.
    pub(in crate::emulator) fn data(&self) -> Value {
        serde_json::from_slice(self.data).unwrap_or_default()
    }
}

/// A signal that is to be kept.
#[derive(Debug)]
pub(in crate::emulator) struct NewSignal<'a> {
    pub(in crate::emulator) event_name: &'a str,
    pub(in crate::emulator) customer: &'a str,
    pub(in crate::emulator) product: &'a str,
    pub(in crate::emulator) unit: Option<&'a str>,
    pub(in crate::emulator) at: Option<Timestamp>,
    pub(in crate::emulator) arrived: Timestamp,
    pub(in crate::emulator) data: &'a Value,
    pub(in crate::emulator) key: Option<&'a str>,
}

/// All signals.
#[derive(Default)]
pub(in crate::emulator) struct Signals {
    rows: Vec<Vec<Row>>,
    length: usize,
    words: Words,
    bytes: Vec<Vec<u8>>,
    /// When requests with signals arrived.
    arrivals: Vec<Timestamp>,
    /// The signals that have a key, by it.
    keys: HashTable<u32>,
    hasher: RandomState,
    /// By event name, customer and product.
    billed_as: HashMap<[u32; 3], Vec<u32>>,
}

/// What is kept, and not where.
impl fmt::Debug for Signals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

#[derive(Debug, Clone, Copy)]
struct Row {
    event: u32,
    customer: u32,
    product: u32,
    /// 0 for a signal that names no unit: word 0 is the empty word.
    unit: u32,
    at: DateTime<Utc>,
    /// Which of the arrivals.
    arrived: u32,
    /// Where its bytes are: the key, then the data.
    block: u32,
    start: u32,
    key: u32,
    data: u32,
}

impl Signals {
    pub(in crate::emulator) fn len(&self) -> usize {
        self.length
    }

    pub(in crate::emulator) fn get(&self, index: usize) -> Option<Signal<'_>> {
        self.row(index).map(|row| self.shown(index, row))
    }

    pub(in crate::emulator) fn iter(&self) -> impl DoubleEndedIterator<Item = Signal<'_>> {
        self.from(0)
    }

    /// The signals from this one on.
    pub(in crate::emulator) fn from(&self, first: usize) -> impl DoubleEndedIterator<Item = Signal<'_>> {
        (first..self.length).filter_map(|index| self.get(index))
    }

    /// How many signals arrived before a time, or at it, too; `None` if the clock was once set back, so that they are in no order.
    pub(in crate::emulator) fn arrived_before(&self, time: Timestamp, with_it: bool) -> Option<usize> {
        if !self.arrivals.is_sorted() {
            return None;
        }
        let arrived = |index: usize| self.row(index).and_then(|row| self.arrivals.get(row.arrived as usize));
        let (mut low, mut high) = (0, self.length);
        while low < high {
            let middle = low.midpoint(high);
            let is_before = arrived(middle).is_some_and(|at| *at < time || (with_it && *at == time));
            if is_before { low = middle + 1 } else { high = middle }
        }
        Some(low)
    }

    /// The signals of one name, customer and product, in the order of their arrival.
    pub(in crate::emulator) fn billed_as(
        &self,
        event: &str,
        customer: &str,
        product: &str,
    ) -> impl Iterator<Item = (usize, DateTime<Utc>)> + use<'_> {
        let words = [event, customer, product].map(|word| self.words.number(word));
        let found = match words {
            [Some(event), Some(customer), Some(product)] => self.billed_as.get(&[event, customer, product]),
            _ => None,
        };
        let indices = found.into_iter().flatten().filter_map(|index| usize::try_from(*index).ok());
        indices.filter_map(|index| Some((index, self.row(index)?.at)))
    }

    /// The index of the signal with this key.
    pub(in crate::emulator) fn keyed(&self, key: &str) -> Option<usize> {
        let is_meant = |index: &u32| self.key(*index) == Some(key);
        let found = self.keys.find(self.hasher.hash_one(key), is_meant)?;
        usize::try_from(*found).ok()
    }

    pub(in crate::emulator) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|index| self.key(*index))
    }

    /// Keeps a signal. `false`, if there are more than 4 billion.
    pub(in crate::emulator) fn push(&mut self, new: &NewSignal<'_>) -> bool {
        let Ok(index) = u32::try_from(self.length) else { return false };
        let data = if new.data.is_null() { String::new() } else { new.data.to_string() };
        let (block, start) = self.write(new.key.unwrap_or_default(), &data);
        if self.arrivals.last() != Some(&new.arrived) {
            self.arrivals.push(new.arrived);
        }
        let size = |length: usize| u32::try_from(length).unwrap_or_default();
        let row = Row {
            event: self.words.add(new.event_name),
            customer: self.words.add(new.customer),
            product: self.words.add(new.product),
            unit: new.unit.map_or(0, |unit| self.words.add(unit)),
            at: *new.at.unwrap_or(new.arrived),
            arrived: size(self.arrivals.len() - 1),
            block,
            start,
            key: size(new.key.unwrap_or_default().len()),
            data: size(data.len()),
        };
        self.billed_as.entry([row.event, row.customer, row.product]).or_default().push(index);
        match self.rows.last_mut().filter(|block| block.len() < BLOCK) {
            Some(block) => block.push(row),
            None => {
                let mut block = Vec::with_capacity(if self.rows.is_empty() { 0 } else { BLOCK });
                block.push(row);
                self.rows.push(block);
            }
        }
        self.length += 1;
        if let Some(key) = new.key {
            self.note_key(key, index);
        }
        true
    }

    fn note_key(&mut self, key: &str, index: u32) {
        let hash = self.hasher.hash_one(key);
        let Self { keys, rows, bytes, hasher, .. } = self;
        keys.insert_unique(hash, index, |known| hasher.hash_one(key_of(rows, bytes, *known).unwrap_or_default()));
    }

    fn write(&mut self, key: &str, data: &str) -> (u32, u32) {
        let needed = key.len() + data.len();
        if self.bytes.last().is_none_or(|block| block.len() + needed > block.capacity()) {
            let usual = if self.bytes.is_empty() { 1024 } else { 16 * BLOCK };
            self.bytes.push(Vec::with_capacity(needed.max(usual)));
        }
        let at = self.bytes.len() - 1;
        let start = self.bytes.last_mut().map_or(0, |block| {
            let start = block.len();
            block.extend_from_slice(key.as_bytes());
            block.extend_from_slice(data.as_bytes());
            start
        });
        (u32::try_from(at).unwrap_or_default(), u32::try_from(start).unwrap_or_default())
    }

    fn row(&self, index: usize) -> Option<&Row> {
        self.rows.get(index / BLOCK)?.get(index % BLOCK)
    }

    fn key(&self, index: u32) -> Option<&str> {
        key_of(&self.rows, &self.bytes, index)
    }

    fn shown(&self, index: usize, row: &Row) -> Signal<'_> {
        let (start, key, data) = (size(row.start), size(row.key), size(row.data));
        let bytes = self.bytes.get(size(row.block)).and_then(|block| block.get(start + key..start + key + data));
        let arrived = self.arrivals.get(size(row.arrived)).copied();
        Signal {
            index,
            event_name: self.words.word(row.event),
            customer: self.words.word(row.customer),
            product: self.words.word(row.product),
            unit: (row.unit != 0).then(|| self.words.word(row.unit)),
            at: Timestamp::from(row.at),
            arrived: arrived.unwrap_or_else(|| Timestamp::from(row.at)),
            key: (row.key > 0).then(|| key_of(&self.rows, &self.bytes, u32::try_from(index).ok()?)).flatten(),
            data: bytes.unwrap_or_default(),
        }
    }
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or_default()
}

fn key_of<'a>(rows: &'a [Vec<Row>], bytes: &'a [Vec<u8>], index: u32) -> Option<&'a str> {
    let index = size(index);
    let row = rows.get(index / BLOCK)?.get(index % BLOCK)?;
    let start = size(row.start);
    std::str::from_utf8(bytes.get(size(row.block))?.get(start..start + size(row.key))?).ok()
}

/// Words, each once.
#[derive(Debug)]
struct Words {
    words: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl Default for Words {
    fn default() -> Self {
        Self { words: vec!["".into()], numbers: HashMap::new() }
    }
}

impl Words {
    fn number(&self, word: &str) -> Option<u32> {
        self.numbers.get(word).copied()
    }

    fn add(&mut self, word: &str) -> u32 {
        if let Some(number) = self.number(word) {
            return number;
        }
        let number = u32::try_from(self.words.len()).unwrap_or_default();
        self.words.push(word.into());
        self.numbers.insert(word.into(), number);
        number
    }

    fn word(&self, number: u32) -> &str {
        self.words.get(size(number)).map(AsRef::as_ref).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn new<'a>(event_name: &'a str, key: Option<&'a str>, data: &'a Value, arrived: Timestamp) -> NewSignal<'a> {
        NewSignal { event_name, customer: "c", product: "p", unit: None, at: None, arrived, data, key }
    }

    #[test]
    fn signals_are_kept_and_found_over_many_blocks() {
        let mut signals = Signals::default();
        let now = Timestamp::now();
        let count = 2 * BLOCK + 7;
        for index in 0..count {
            let (key, data) = (format!("key-{index}"), json!({ "n": index }));
            let event = if index % 1000 == 0 { "rare" } else { "often" };
            assert!(signals.push(&new(event, Some(&key), &data, now)));
        }
        assert_eq!(signals.len(), count);
        for index in [0, BLOCK - 1, BLOCK, count - 1] {
            let signal = signals.get(index).unwrap();
            assert_eq!((signal.data(), signal.arrived), (json!({ "n": index }), now));
            assert_eq!(signals.keyed(&format!("key-{index}")), Some(index));
        }
        assert_eq!((signals.keyed("key"), signals.keyed(&format!("key-{count}"))), (None, None));
        let rare: Vec<_> = signals.billed_as("rare", "c", "p").map(|(index, _)| index).collect();
        assert_eq!(rare, (0..count).step_by(1000).collect::<Vec<_>>());
        assert_eq!(signals.billed_as("rare", "c", "other").count(), 0);
        assert_eq!(signals.keys().count(), count);
    }

    #[test]
    fn what_is_not_given_is_not_there() {
        let mut signals = Signals::default();
        let now = Timestamp::now();
        signals.push(&new("e", None, &Value::Null, now));
        signals.push(&NewSignal { unit: Some("u"), ..new("e", Some(""), &json!({}), now) });
        let all: Vec<_> = signals.iter().map(|signal| (signal.unit, signal.data())).collect();
        assert_eq!(all, [(None, Value::Null), (Some("u"), json!({}))]);
        assert_eq!((signals.keyed(""), signals.get(2).is_none()), (Some(1), true));
    }
}
