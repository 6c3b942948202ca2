//! The contents of a file, and what of them a loss of power may undo.

const PAGE: usize = 4096;

/// A file. Pages that were never written cost nothing.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pages: Vec<Option<Box<[u8; PAGE]>>>,
    length: u64,
    unsynced: Vec<Change>,
}

/// A change that is not synced.
#[derive(Debug)]
struct Change {
    at: u64,
    new: Vec<u8>,
    old: Vec<u8>,
    /// The length before.
    length: u64,
    /// The length after, if that is what was changed.
    set_length: Option<u64>,
}

impl Contents {
    /// A synced file.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut contents = Self::default();
        contents.write(0, text, false);
        contents
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn all(&self) -> Vec<u8> {
        let mut text = vec![0; usize::try_from(self.length).unwrap_or_default()];
        self.read(0, &mut text);
        text
    }

    /// Where this text begins, unless it lies across two pages.
    pub(super) fn places_of<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = u64> + 'a {
        let pages = self.pages.iter().enumerate().filter_map(|(number, page)| Some((number, page.as_ref()?)));
        pages.flat_map(move |(number, page)| {
            let places = page.windows(text.len()).enumerate().filter(move |(_, part)| *part == text);
            places.map(move |(at, _)| (number * PAGE + at) as u64)
        })
    }

    /// Fills all of `out`; returns false if the file is too short.
    pub(super) fn read(&self, at: u64, out: &mut [u8]) -> bool {
        if at + out.len() as u64 > self.length {
            return false;
        }
        let mut at = usize::try_from(at).unwrap_or(usize::MAX);
        let mut out = out;
        while !out.is_empty() {
            let (page, begin) = (at / PAGE, at % PAGE);
            let size = out.len().min(PAGE - begin);
            let (part, rest) = out.split_at_mut(size);
            match self.pages.get(page).and_then(Option::as_ref) {
                Some(page) => part.copy_from_slice(page.get(begin..begin + size).unwrap_or_default()),
                None => part.fill(0),
            }
            out = rest;
            at += size;
        }
        true
    }

    pub(super) fn write(&mut self, at: u64, data: &[u8], remembers: bool) {
        if data.is_empty() {
            return;
        }
        if remembers {
            let known = self.length.saturating_sub(at).min(data.len() as u64);
            let mut old = vec![0; usize::try_from(known).unwrap_or_default()];
            self.read(at, &mut old);
            self.unsynced.push(Change { at, new: data.to_vec(), old, length: self.length, set_length: None });
        }
        self.put(at, data);
    }

    fn put(&mut self, at: u64, data: &[u8]) {
        self.length = self.length.max(at + data.len() as u64);
        let mut at = usize::try_from(at).unwrap_or_default();
        let mut data = data;
        while !data.is_empty() {
            let (page, begin) = (at / PAGE, at % PAGE);
            let size = data.len().min(PAGE - begin);
            let (part, rest) = data.split_at(size);
            if self.pages.len() <= page {
                self.pages.resize_with(page + 1, || None);
            }
            if let Some(page) = self.pages.get_mut(page) {
                let page = page.get_or_insert_with(|| Box::new([0; PAGE]));
                if let Some(place) = page.get_mut(begin..begin + size) {
                    place.copy_from_slice(part);
                }
            }
            data = rest;
            at += size;
        }
    }

    pub(super) fn set_length(&mut self, length: u64, remembers: bool) {
        if remembers {
            let lost = self.length.saturating_sub(length);
            let mut old = vec![0; usize::try_from(lost).unwrap_or_default()];
            self.read(length, &mut old);
            let change = Change { at: length, new: Vec::new(), old, length: self.length, set_length: Some(length) };
            self.unsynced.push(change);
        }
        self.cut(length);
    }

    fn cut(&mut self, length: u64) {
        if length < self.length {
            let end = usize::try_from(length).unwrap_or_default();
            self.pages.truncate(end.div_ceil(PAGE));
            if let Some(Some(page)) = self.pages.get_mut(end / PAGE) {
                page.iter_mut().skip(end % PAGE).for_each(|byte| *byte = 0);
            }
        }
        self.length = length;
    }

    pub(super) fn sync(&mut self) {
        self.unsynced.clear();
    }

    /// Undoes what was not synced, then does some of it again: all up to a place, or any of it; and one of them in part.
    pub(super) fn lose_power(&mut self, mut below: impl FnMut(u64) -> u64) {
        let changes = std::mem::take(&mut self.unsynced);
        for change in changes.iter().rev() {
            if change.set_length.is_none() || change.length > self.length {
                self.length = self.length.max(change.at + change.old.len() as u64);
                self.put(change.at, &change.old);
            }
            self.cut(change.length);
        }
        let in_order = below(2) == 0;
        let kept = below(changes.len() as u64 + 1);
        for (number, change) in changes.into_iter().enumerate() {
            let is_torn = in_order && number as u64 == kept;
            let is_kept = if in_order { (number as u64) < kept } else { below(2) == 0 };
            if let Some(length) = change.set_length.filter(|_| is_kept) {
                self.cut(length);
            }
            if is_kept {
                self.put(change.at, &change.new);
            } else if is_torn && !change.new.is_empty() {
                let part = usize::try_from(below(change.new.len() as u64)).unwrap_or_default();
                self.put(change.at, change.new.get(..part).unwrap_or_default());
            }
        }
    }
}
