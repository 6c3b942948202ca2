//! What is known about records that Paid may have, in a file beside the outbox: a crash must not send them again.
//!
//! The API has no idempotency key for cost records, so nothing but this file tells a record that was never sent from one
//! that was. A record is in the outbox, in a frame with others, from a commit until the frame is removed, which happens
//! some time after *all* of its records are done. At every moment in between, the file must be right about it:
//!
//! | moment | in the file | after a kill | after a loss of power |
//! |---|---|---|---|
//! | the record waits | nothing | is sent | is sent |
//! | `+` is written, not synced; nothing is sent | `+`, or nothing | uncertain (it never left: the safe side) | uncertain, or is sent |
//! | `+` is synced; the request is on its way | `+` | uncertain | uncertain |
//! | Paid has it, and nobody knows yet | `+` | uncertain | uncertain |
//! | the answer says it is there; `=` is written, not synced | `=`, or still `+` | known to be there: not sent, not refused | the same, or uncertain |
//! | the answer says it is not there; `-` is written, not synced | `-`, or still `+` | is sent | is sent, or uncertain |
//! | the next attempt | `-` and `+`, synced | uncertain | uncertain |
//! | no answer; it is refused as uncertain, and a dead letter (synced) | `+` | uncertain again: one more line for the same letter | the same |
//! | its frame is removed, `~` is not written yet | `=` | nothing is left to send; the line goes at a later start | as after a kill |
//! | `~` is written | nothing | nothing is left to send | see below |
//!
//! Only `+` is synced, once for each request: to lose any other line makes a record uncertain that is not, but never sends
//! one twice. `~` may be on disk before the removal of the frame is, if the outbox leaves syncing to the operating system
//! ([`Fsync::Never`](crate::dispatch::Fsync)): there it is written minutes later.
//!
//! If a line cannot be written (a full disk), `+` holds its request back, and the others leave the record uncertain. What a
//! failed write leaves behind is replaced before anything else is written.
//!
//! Every line has a checksum that begins with that of the line before, and the first line says how many there were when the
//! file was last rewritten. If any line cannot be read, any record of an earlier run may have been named in it: they are all
//! uncertain, up to the chunk that a line `!` names from then on. So they are if a loss of power cuts off the last line,
//! though that line was not synced and said nothing new: a file that lost more looks the same. A file that is cut off exactly between two lines that were
//! appended looks like an older one; a disk does not do that to what was synced.

use std::io;
use std::sync::Arc;

use crate::dispatch::Folder;

pub(super) const FILE: &str = "costs-on-their-way";
const HEAD: &str = "costs-on-their-way/2";

/// The size in bytes at which the file is first rewritten.
const LARGE: usize = 1 << 20;

/// What a line says about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is on its way, or was and nobody knows whether it arrived.
    OnItsWay,
    There,
    NotThere,
    /// It is no longer on disk.
    Forgotten,
    /// No record: everything in chunks before this one is uncertain.
    DoubtBefore,
}

const SIGNS: [(Mark, char); 5] = [
    (Mark::OnItsWay, '+'),
    (Mark::There, '='),
    (Mark::NotThere, '-'),
    (Mark::Forgotten, '~'),
    (Mark::DoubtBefore, '!'),
];

/// A record's key, and the chunk of the outbox that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) mark: Mark,
    pub(super) key: String,
    pub(super) chunk: u64,
}

impl Line {
    pub(super) fn new(mark: Mark, key: &str, chunk: u64) -> Self {
        Self { mark, key: key.to_owned(), chunk }
    }

    fn text(&self) -> String {
        let sign = SIGNS.iter().find(|(mark, _)| *mark == self.mark).map_or('?', |(_, sign)| *sign);
        format!("{sign}{} {}", self.key, self.chunk)
    }

    fn read(text: &str) -> Option<Self> {
        let (key, chunk) = text.split_once(' ')?;
        let sign = key.chars().next()?;
        let (mark, _) = SIGNS.iter().find(|(_, known)| *known == sign)?;
        Some(Self::new(*mark, key.get(1..)?, chunk.parse().ok()?))
    }
}

/// Whether the journal can tell this key from others: ours are UUIDs.
pub(super) fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The lines of a file that could be read.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) lines: Vec<Line>,
    /// The first thing that is wrong with the file.
    pub(super) damage: Option<String>,
    pub(super) is_missing: bool,
}

#[derive(Debug)]
pub(super) struct Journal {
    folder: Arc<dyn Folder>,
    size: usize,
    /// The size at which it is rewritten.
    limit: usize,
    /// The checksum of the last line.
    chain: u32,
    /// What is in the file is not what was written, or not all of it.
    is_spoilt: bool,
}

impl Journal {
    /// Reads the file of a folder; changes nothing.
    pub(super) fn open(folder: Arc<dyn Folder>) -> io::Result<(Self, Found)> {
        let (found, size, chain) = match folder.read(FILE) {
            Ok(text) => {
                let (found, chain) = read(&text);
                (found, text.len(), chain)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (Found { is_missing: true, ..Found::default() }, 0, 0)
            }
            Err(error) => return Err(error),
        };
        let is_spoilt = found.is_missing || found.damage.is_some();
        // Rewritten with the first request, so that the head covers what earlier runs left.
        Ok((Self { folder, size, limit: 0, chain, is_spoilt }, found))
    }

    /// Adds lines, or replaces the file by all `living` ones, which include them. `sync` waits until they survive a loss of
    /// power.
    pub(super) fn write(&mut self, lines: &[Line], sync: bool, living: impl FnOnce() -> Vec<Line>) -> io::Result<()> {
        if self.is_spoilt || (sync && self.size >= self.limit) {
            match self.rewrite(&living()) {
                Err(error) if self.is_spoilt => return Err(error),
                // It is whole, only larger than it could be.
                Err(_) => self.limit = self.size.saturating_mul(2).max(LARGE),
                Ok(()) => {
                    // The head covers the first request, too.
                    self.limit = if sync { self.size.saturating_mul(2).max(LARGE) } else { 0 };
                    return Ok(());
                }
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        let mut chain = self.chain;
        let text: String = lines.iter().map(|line| sealed(&line.text(), &mut chain)).collect();
        let written = self.folder.append(FILE, text.as_bytes(), sync);
        self.is_spoilt = written.is_err();
        self.size += text.len();
        self.chain = chain;
        written
    }

    fn rewrite(&mut self, living: &[Line]) -> io::Result<()> {
        let mut chain = 0;
        let mut text = sealed(&format!("{HEAD} {}", living.len()), &mut chain);
        text.extend(living.iter().map(|line| sealed(&line.text(), &mut chain)));
        self.folder.replace(FILE, text.as_bytes())?;
        (self.size, self.chain, self.is_spoilt) = (text.len(), chain, false);
        Ok(())
    }
}

/// A line with its checksum, which begins with that of the line before.
fn sealed(text: &str, chain: &mut u32) -> String {
    *chain = checksum(text, *chain);
    format!("{text} {chain:08x}\n")
}

fn checksum(text: &str, before: u32) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&before.to_le_bytes());
    hasher.update(text.as_bytes());
    hasher.finalize()
}

/// The text of a line whose checksum is right. Goes on with the checksum that the line names, so that one bad line does
/// not spoil all that follow.
fn unsealed<'a>(line: &'a [u8], chain: &mut u32) -> Option<&'a str> {
    let (text, sum) = std::str::from_utf8(line).ok()?.rsplit_once(' ')?;
    let sum = u32::from_str_radix(sum, 16).ok().filter(|_| sum.len() == 8)?;
    let is_right = checksum(text, *chain) == sum;
    *chain = sum;
    is_right.then_some(text)
}

/// All lines of a file that can be read, and the checksum of the last.
fn read(text: &[u8]) -> (Found, u32) {
    let mut found = Found::default();
    let mut chain = 0;
    let mut lines = text.split(|byte| *byte == b'\n');
    let tail = lines.next_back().unwrap_or_default();
    let head = lines.next().and_then(|line| unsealed(line, &mut chain));
    let promised = head.and_then(|head| head.strip_prefix(HEAD)?.trim_start().parse::<usize>().ok());
    if promised.is_none() {
        found.damage = Some("its first line cannot be read".to_owned());
    }
    for (number, line) in lines.enumerate() {
        match unsealed(line, &mut chain).and_then(Line::read) {
            Some(line) => found.lines.push(line),
            None => drop(found.damage.get_or_insert_with(|| format!("its line {} cannot be read", number + 2))),
        }
    }
    if !tail.is_empty() || promised.is_some_and(|promised| promised > found.lines.len()) {
        found.damage.get_or_insert_with(|| "its end is missing".to_owned());
    }
    (found, chain)
}

#[cfg(test)]
mod tests;
