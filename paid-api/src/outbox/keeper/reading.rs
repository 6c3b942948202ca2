//! Frames on their way back to dispatch.

use std::ops::Range;

use bytes::Bytes;

use super::{Keeper, Load, REMOVALS};
use crate::dispatch::{Frame, News};
use crate::outbox::database::{Trouble, records_of};
use crate::outbox::frame;

impl Keeper {
    /// Reads frames; if the store cannot be read, once it can.
    pub(super) fn load(&mut self, load: Load) {
        match self.stored(&load).or_else(|trouble| self.mend(trouble).and_then(|()| self.stored(&load))) {
            Ok(mut found) => {
                self.add_unwritten(&load, &mut found);
                self.hand_over(found, load.frames.end);
            }
            Err(trouble) => {
                self.close();
                self.load = Some(load);
                self.fails(trouble.to_string());
            }
        }
    }

    fn stored(&mut self, load: &Load) -> Result<Vec<(u64, Bytes)>, Trouble> {
        let Range { start, end } = load.frames;
        self.open()?.load(start, end, load.records, load.bytes)
    }

    /// Frames that are not written yet are newer than all that are.
    fn add_unwritten(&self, load: &Load, found: &mut Vec<(u64, Bytes)>) {
        let (mut count, mut size) =
            found.iter().fold((0, 0), |(count, size), (_, bytes)| (count + records_of(bytes), size + bytes.len()));
        for (number, bytes) in self.added.range(load.frames.clone()) {
            if count >= load.records || size >= load.bytes {
                break;
            }
            if found.last().is_none_or(|(last, _)| last < number) {
                count += records_of(bytes);
                size += bytes.len();
                found.push((*number, Bytes::copy_from_slice(bytes)));
            }
        }
    }

    fn hand_over(&mut self, found: Vec<(u64, Bytes)>, until: u64) {
        let next = found.last().map_or(until, |(last, _)| last + 1);
        let mut lost = 0;
        let mut frames = Vec::new();
        let mut read = 0;
        for (number, bytes) in found {
            if self.done.contains(&number) {
                continue;
            }
            let kind = self.place.kind;
            // The number is that of the key; the one in the frame is only for salvage.
            let frame = frame::decode(kind, &bytes).unwrap_or_else(|| frame::decode_headless(kind, number, &bytes));
            read += frame.records.len() as u64 + u64::from(frame.lost);
            if frame.lost > 0 {
                // If it is read once more, it is told of once.
                let known = self.torn.insert(number, u64::from(frame.lost)).unwrap_or(0);
                lost += u64::from(frame.lost).saturating_sub(known);
            }
            if frame.records.is_empty() {
                self.done.insert(number);
                self.wait_at_most(self.every.max(REMOVALS));
            }
            frames.push(Frame { number, ..frame });
        }
        self.spilled.read(read, next);
        if lost > 0 {
            self.tell(News::Lost(lost));
        }
        self.tell(News::Loaded { frames, next });
    }
}
