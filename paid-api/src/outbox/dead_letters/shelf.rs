//! The files of dead letters: `dead-letters.jsonl`, and earlier ones, from `dead-letters.1.jsonl` on.
//!
//! A file that has grown to [`LARGE`] is put aside under the next number, so that no write has to move all letters.
//! There is no limit to their number: a letter is money that was not billed, and only a person may give it up.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use super::line::{identity, lines, parse};
use super::{DeadLetter, DeadLetters};
use crate::dispatch::Folder;
use crate::report::log;

pub(in crate::outbox) const FILE: &str = "dead-letters.jsonl";
const LOCK: &str = "dead-letters.lock";

/// The size in bytes at which a file is compacted, and put aside if it is still large.
pub(super) const LARGE: u64 = 16 << 20;

/// Appends letters and syncs them to disk. Takes a lock, so that another process that changes the files loses nothing.
pub(crate) fn append(folder: &dyn Folder, letters: &[DeadLetter]) -> io::Result<()> {
    append_with(folder, letters, LARGE)
}

pub(super) fn append_with(folder: &dyn Folder, letters: &[DeadLetter], large: u64) -> io::Result<()> {
    let mut text = Vec::new();
    for letter in letters {
        serde_json::to_writer(&mut text, letter)?;
        text.push(b'\n');
    }
    let _lock = lock(folder)?;
    if let Err(error) = make_room(folder, text.len() as u64, large) {
        log(&format_args!("dead letters go on in a file that is large already: {error}"));
    }
    let file = folder.open(FILE).map_err(|error| failed("open", folder, FILE, &error))?;
    let written = || -> io::Result<()> {
        let before = file.length()?;
        let mut last = [b'\n'];
        if before > 0 {
            file.read(before - 1, &mut last)?;
        }
        // A line that a crash cut off must not spoil the next one.
        if last != *b"\n" {
            text.insert(0, b'\n');
        }
        let appended = folder.append(FILE, &text, true);
        if appended.is_err() {
            // On a full disk, a part was written: the next attempt writes all of it.
            let _ = file.set_length(before);
        }
        appended
    };
    let mut written = written;
    written().map_err(|error| failed("write", folder, FILE, &error))
}

/// Compacts a file that would become large, and puts it aside if that does not help.
fn make_room(folder: &dyn Folder, adding: u64, large: u64) -> io::Result<()> {
    let length = length(folder, FILE)?;
    if length == 0 || length + adding <= large {
        return Ok(());
    }
    let text = read_file(folder, FILE)?;
    let mut last = Last::default();
    last.note(0, &text);
    let compacted = last.kept(0, &text, &mut |_| Fate::Keep);
    if compacted.len() < text.len() {
        folder.replace(FILE, &compacted)?;
    }
    // A file that is compacted again for every letter would make letters slow.
    if compacted.len() as u64 <= large / 2 {
        return Ok(());
    }
    let numbers = numbers(folder)?;
    let aside = numbered(numbers.last().map_or(1, |last| last + 1));
    folder.rename(FILE, &aside)?;
    log(&format_args!(
        "there are many dead letters, in {} files: {FILE} is now {aside} in {}; correct them and send them again, or \
         discard them (`cargo paid outbox`)",
        numbers.len() + 2,
        folder.path().display()
    ));
    Ok(())
}

fn numbered(number: u64) -> String {
    format!("dead-letters.{number}.jsonl")
}

/// The numbers of the files that were put aside, from the oldest on.
fn numbers(folder: &dyn Folder) -> io::Result<Vec<u64>> {
    let names = folder.list().map_err(|error| explained("read", folder.path(), &error))?;
    let number = |name: &String| name.strip_prefix("dead-letters.")?.strip_suffix(".jsonl")?.parse::<u64>().ok();
    let mut numbers: Vec<u64> = names.iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The names of all files, in the order of their letters.
fn names(folder: &dyn Folder) -> io::Result<Vec<String>> {
    Ok(numbers(folder)?.into_iter().map(numbered).chain([FILE.to_owned()]).collect())
}

/// Everything in a file; nothing if it does not exist.
fn read_file(folder: &dyn Folder, file: &str) -> io::Result<Vec<u8>> {
    match folder.read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(|error| failed("read", folder, file, &error)),
    }
}

fn length(folder: &dyn Folder, file: &str) -> io::Result<u64> {
    match folder.length(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        other => other.map_err(|error| failed("read", folder, file, &error)),
    }
}

/// Reads all letters. Writes nothing, and takes a lock only if a line is being written at this moment.
pub(crate) fn read(folder: &dyn Folder) -> io::Result<DeadLetters> {
    let mut texts = snapshot(folder)?;
    let is_cut_off = texts.last().is_some_and(|text| {
        !text.is_empty() && !text.ends_with(b"\n") && lines(text).last().is_some_and(|line| parse(line).is_none())
    });
    if is_cut_off
        && folder.length(LOCK).is_ok()
        && let Ok(_lock) = folder.lock(LOCK)
    {
        texts = snapshot(folder)?;
    }
    let mut found = DeadLetters::default();
    let mut letters: Vec<Option<DeadLetter>> = Vec::new();
    let mut places = HashMap::new();
    for line in texts.iter().flat_map(|text| lines(text)) {
        let Some(letter) = parse(line) else {
            found.unreadable.push(String::from_utf8_lossy(line).into_owned());
            continue;
        };
        if let Some(before) = places.insert(identity(&letter), letters.len()).and_then(|place| letters.get_mut(place)) {
            *before = None;
        }
        letters.push(Some(letter));
    }
    found.letters = letters.into_iter().flatten().collect();
    Ok(found)
}

/// The texts of all files. The current one is read first: if it is put aside meanwhile, it is read twice, but not
/// missed.
fn snapshot(folder: &dyn Folder) -> io::Result<Vec<Vec<u8>>> {
    let current = read_file(folder, FILE)?;
    let mut texts = Vec::new();
    for number in numbers(folder)? {
        texts.push(read_file(folder, &numbered(number))?);
    }
    texts.push(current);
    Ok(texts)
}

/// What becomes of a line.
pub(in crate::outbox) enum Fate {
    Keep,
    Drop,
    /// Keep this text instead.
    Change(Vec<u8>),
}

/// A line of a file.
pub(in crate::outbox) struct Entry<'a> {
    text: &'a [u8],
    letter: Option<DeadLetter>,
}

impl Entry<'_> {
    pub(in crate::outbox) fn text(&self) -> &[u8] {
        self.text
    }

    /// `None` if the line cannot be parsed.
    pub(in crate::outbox) fn letter(&self) -> Option<&DeadLetter> {
        self.letter.as_ref()
    }
}

/// Where the last letter of each key is: in which file, in which of its lines.
#[derive(Default)]
struct Last(HashMap<String, (usize, usize)>);

impl Last {
    fn note(&mut self, file: usize, text: &[u8]) {
        for (place, line) in lines(text).enumerate() {
            if let Some(letter) = parse(line) {
                self.0.insert(identity(&letter), (file, place));
            }
        }
    }

    /// The text of a file without letters that do not count, and with the lines that `decide` changes.
    fn kept(&self, file: usize, text: &[u8], decide: &mut dyn FnMut(&Entry<'_>) -> Fate) -> Vec<u8> {
        let mut kept = Vec::new();
        for (place, line) in lines(text).enumerate() {
            let entry = Entry { text: line, letter: parse(line) };
            let is_last = |letter: &DeadLetter| self.0.get(&identity(letter)).is_none_or(|last| *last == (file, place));
            let fate = if entry.letter().is_none_or(is_last) { decide(&entry) } else { Fate::Drop };
            match &fate {
                Fate::Drop => continue,
                Fate::Keep => kept.extend_from_slice(line),
                Fate::Change(text) => kept.extend_from_slice(text),
            }
            kept.push(b'\n');
        }
        kept
    }
}

/// Rewrites the files: asks for the fate of the last letter of each key and of each line that cannot be parsed. Lines
/// stay as they are, byte by byte, unless they are changed.
pub(in crate::outbox) fn rewrite(folder: &dyn Folder, mut decide: impl FnMut(&Entry<'_>) -> Fate) -> io::Result<()> {
    let _lock = lock(folder)?;
    let names = names(folder)?;
    let mut last = Last::default();
    for (file, name) in names.iter().enumerate() {
        last.note(file, &read_file(folder, name)?);
    }
    // The oldest first: if this is cut short, the letters that count are still there.
    for (file, name) in names.iter().enumerate() {
        let text = read_file(folder, name)?;
        let kept = last.kept(file, &text, &mut decide);
        let written = if kept == text {
            Ok(())
        } else if kept.is_empty() && name != FILE {
            folder.remove(name)
        } else {
            folder.replace(name, &kept)
        };
        written.map_err(|error| failed("write", folder, name, &error))?;
    }
    Ok(())
}

/// One writer at a time, in this process or another.
fn lock(folder: &dyn Folder) -> io::Result<Box<dyn Send>> {
    folder.lock(LOCK).map_err(|error| failed("lock", folder, LOCK, &error))
}

fn failed(doing: &str, folder: &dyn Folder, file: &str, error: &io::Error) -> io::Error {
    explained(doing, &folder.path().join(file), error)
}

/// An error that names the file, and says what to do.
pub(in crate::outbox) fn explained(doing: &str, path: &Path, error: &io::Error) -> io::Error {
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; it belongs to another user: run this as the user that owns it, or change its owner"
        }
        io::ErrorKind::IsADirectory => "; there must be a file of this name: move the folder away",
        io::ErrorKind::NotADirectory => "; an outbox is a folder",
        io::ErrorKind::ReadOnlyFilesystem => "; the file system can only be read: mount it so that it can be written",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space",
        _ => "",
    };
    io::Error::new(error.kind(), format!("cannot {doing} {}: {error}{advice}", path.display()))
}
