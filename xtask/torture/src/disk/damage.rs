//! Damage to files: bits that flip, and ends that are cut off.

use super::State;
use super::file::Contents;

/// What a frame begins with.
const MAGIC: &[u8] = b"PAIDFRM2";

/// The bytes of the heads of a frame and of its first record.
const HEADS: u64 = 56;

impl State {
    /// Flips a bit in 1/65536 of a file.
    pub(super) fn flip(&mut self, file: u8, place: u16) {
        self.damage(file, |contents, length| flip(contents, length * u64::from(place) / 65_536, place));
    }

    /// Cuts a file off.
    pub(super) fn cut(&mut self, file: u8, place: u16) {
        self.damage(file, |contents, length| contents.set_length(length * u64::from(place) / 65_536, false));
    }

    /// Flips a bit in the heads of a frame and of its first record.
    pub(super) fn flip_head(&mut self, frame: u8, place: u16) {
        let numbers: Vec<_> = self.names.values().copied().collect();
        let mut found = Vec::new();
        for number in numbers {
            let places = self.files.get(number).into_iter().flat_map(|contents| contents.places_of(MAGIC));
            found.extend(places.map(|at| (number, at)));
        }
        let chosen = found.get(usize::from(frame) % found.len().max(1)).copied();
        if let Some((number, at)) = chosen
            && let Some(contents) = self.files.get_mut(number)
        {
            flip(contents, at + u64::from(place) % HEADS, place / 64);
        }
    }

    fn damage(&mut self, file: u8, damage: impl FnOnce(&mut Contents, u64)) {
        let count = self.names.len().max(1);
        let Some(number) = self.names.values().nth(usize::from(file) % count).copied() else { return };
        if let Some(contents) = self.files.get_mut(number) {
            let length = contents.length();
            damage(contents, length);
        }
    }
}

fn flip(contents: &mut Contents, at: u64, bit: u16) {
    let mut byte = [0];
    if contents.read(at, &mut byte) {
        contents.write(at, &[byte[0] ^ (1 << (bit % 8))], false);
    }
}
