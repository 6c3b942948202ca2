//! Finds frames in a file in any state, by what they begin with.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;

use super::frame::{self, HEAD, MAGIC};
use crate::dispatch::{Frame, Storage};
use crate::report::RecordKind;

/// How much of the file is read at once.
const WINDOW: usize = 1 << 20;
const FAR: u64 = 1 << 20;
/// Where that fails, it is read in parts of this size, and what cannot be read counts as zeros.
const PAGE: usize = 4096;

/// A file of which every byte may be damaged.
pub(super) struct Wreck<'a> {
    file: &'a dyn Storage,
    length: u64,
    kind: RecordKind,
}

impl<'a> Wreck<'a> {
    pub(super) fn new(file: &'a dyn Storage, kind: RecordKind) -> io::Result<Self> {
        Ok(Self { file, length: file.length()?, kind })
    }

    /// Hands over all frames that are wanted, with what can be read of them. A frame may come more than once: the file
    /// also holds old copies. Each time, more of it could be read.
    pub(super) fn frames<E>(
        &self,
        is_wanted: impl Fn(u64) -> bool,
        mut take: impl FnMut(Frame) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut known = BTreeMap::new();
        let mut headless = BTreeMap::new();
        let mut begin = 0;
        loop {
            let window = self.read(begin, WINDOW);
            let places = window.windows(MAGIC.len()).enumerate().filter(|(_, bytes)| **bytes == MAGIC);
            for (offset, _) in places {
                let at = begin + offset as u64;
                let Some(head) = frame::head(&self.read(at, HEAD)) else {
                    headless.extend(
                        self.doubtful(at).filter(|frame| is_wanted(frame.number)).map(|frame| (frame.number, frame)),
                    );
                    continue;
                };
                if !is_wanted(head.number) {
                    continue;
                }
                let bytes = Bytes::from(self.read(at, HEAD.saturating_add(head.bytes as usize)));
                let Some(frame) = frame::decode(self.kind, &bytes) else { continue };
                let best = known.entry(frame.number).or_insert(0);
                if frame.records.len() > *best {
                    *best = frame.records.len();
                    take(frame)?;
                }
            }
            if window.len() < WINDOW {
                break;
            }
            // A frame may begin at the very end of the window.
            begin += (window.len() - MAGIC.len() + 1) as u64;
        }
        // A number far from all others is noise.
        let most = known.last_key_value().map_or(FAR, |(last, _)| last.saturating_add(FAR));
        let rest = headless.into_iter().filter(|(number, _)| *number < most && !known.contains_key(number));
        rest.into_iter().try_for_each(|(_, frame)| take(frame))
    }

    /// A frame whose head is damaged: its number may be wrong.
    fn doubtful(&self, at: u64) -> impl Iterator<Item = Frame> + use<> {
        let bytes = Bytes::from(self.read(at, WINDOW));
        let number = bytes.get(MAGIC.len()..MAGIC.len() + 8).and_then(|bytes| bytes.try_into().ok());
        let number = number.map(u64::from_le_bytes);
        let kind = self.kind;
        let frame = number.map(|number| frame::decode_headless(kind, number, &bytes));
        frame.filter(|frame| !frame.records.is_empty()).into_iter()
    }

    fn read(&self, at: u64, most: usize) -> Vec<u8> {
        let left = usize::try_from(self.length.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; most.min(left)];
        if self.file.read(at, &mut bytes).is_err() {
            for (number, page) in bytes.chunks_mut(PAGE).enumerate() {
                if self.file.read(at + (number * PAGE) as u64, page).is_err() {
                    page.fill(0);
                }
            }
        }
        bytes
    }
}
