//! Reads a ledger, and exports of signals: JSON lines.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::writing::number;
use crate::Timestamp;

/// A signal that was sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Entry {
    /// When Paid acknowledged it, or else when it was first sent: after an outage, the two are hours apart.
    pub at: Option<Timestamp>,
    /// Whether Paid said that it has it.
    pub acknowledged: bool,
    /// Whether the answer to this signal's request counted a duplicate. An answer that was lost on the way causes that, too; it is a
    /// warning if Paid does not list the signal: a server that takes a key before it keeps the signal would answer like that.
    pub is_suspect: bool,
    /// The signal, as it was sent.
    pub signal: Box<RawValue>,
}

impl Entry {
    /// An entry of its parts.
    #[allow(dead_code, reason = "tests and feature `account` call it")]
    pub(crate) fn of(at: Option<Timestamp>, acknowledged: bool, is_suspect: bool, signal: Box<RawValue>) -> Self {
        Self { at, acknowledged, is_suspect, signal }
    }
}

/// The signals of a ledger or of an export, in their order. One that was sent in several requests is there several times.
pub struct Entries {
    files: VecDeque<PathBuf>,
    lines: Option<(PathBuf, BufReader<File>, usize)>,
    answers: HashMap<String, Answer>,
    missing: u64,
    unreadable: u64,
    begins_late: bool,
}

#[derive(Clone, Copy)]
struct Answer {
    at: Option<Timestamp>,
    duplicates: u64,
}

#[derive(Deserialize)]
struct Line<'a> {
    request: Option<&'a str>,
    at: Option<Timestamp>,
    #[serde(borrow)]
    signal: Option<&'a RawValue>,
    ingested: Option<u64>,
    duplicates: Option<u64>,
    missing: Option<u64>,
    #[serde(rename = "eventName")]
    event_name: Option<&'a RawValue>,
}

/// Opens a ledger (a folder), or an export: a file of JSON lines, each a signal in the form of `POST /signals/bulk`.
///
/// # Errors
///
/// If it cannot be read.
pub fn entries(path: impl AsRef<Path>) -> io::Result<Entries> {
    let path = path.as_ref();
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            if let Some(number) = entry.file_name().to_str().and_then(number) {
                files.push((number, entry.path()));
            }
        }
        files.sort();
        if files.is_empty() {
            let problem = format!("{} is no ledger: it has no file ledger-….jsonl", path.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, problem));
        }
    } else {
        files.push((1, path.to_owned()));
    }
    let begins_late = files.first().is_some_and(|(number, _)| *number > 1);
    let mut entries = Entries {
        files: files.into_iter().map(|(_, path)| path).collect(),
        lines: None,
        answers: HashMap::new(),
        missing: 0,
        unreadable: 0,
        begins_late,
    };
    entries.read_answers()?;
    Ok(entries)
}

impl Entries {
    /// How many signals could not be written, as the ledger itself says. Complete when all entries were read.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// How many lines are neither a signal nor an answer, such as the last one of a process that was killed. Complete when all
    /// entries were read.
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Whether the first files are gone, because the ledger has reached its size.
    pub fn begins_late(&self) -> bool {
        self.begins_late
    }

    /// Answers come after what they answer, so they are read first.
    fn read_answers(&mut self) -> io::Result<()> {
        for path in &self.files {
            let mut reader = BufReader::new(File::open(path)?);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line)? > 0 {
                // Most lines are signals, and long.
                if line.len() < 300
                    && let Ok(Line { request: Some(request), at, ingested: Some(_), duplicates, .. }) =
                        serde_json::from_slice(&line)
                {
                    self.answers.insert(request.to_owned(), Answer { at, duplicates: duplicates.unwrap_or(0) });
                }
                line.clear();
            }
        }
        Ok(())
    }

    fn entry(&mut self, line: &[u8]) -> Option<Entry> {
        let Ok(read) = serde_json::from_slice::<Line<'_>>(line) else {
            self.unreadable += u64::from(!line.trim_ascii().is_empty());
            return None;
        };
        self.missing += read.missing.unwrap_or(0);
        if let Some(signal) = read.signal {
            let answer = read.request.and_then(|request| self.answers.get(request));
            let is_suspect = answer.is_some_and(|answer| answer.duplicates > 0);
            let at = answer.and_then(|answer| answer.at).or(read.at);
            return Some(Entry { at, acknowledged: answer.is_some(), is_suspect, signal: signal.to_owned() });
        }
        if read.event_name.is_some() {
            let signal = serde_json::from_slice(line).ok()?;
            return Some(Entry { at: None, acknowledged: true, is_suspect: false, signal });
        }
        self.unreadable += u64::from(read.ingested.is_none() && read.missing.is_none());
        None
    }
}

impl Iterator for Entries {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.lines.is_none() {
                let path = self.files.pop_front()?;
                match File::open(&path) {
                    Ok(file) => self.lines = Some((path, BufReader::new(file), 0)),
                    Err(error) => return Some(Err(error)),
                }
            }
            let (path, reader, number) = self.lines.as_mut()?;
            let mut line = Vec::new();
            match reader.read_until(b'\n', &mut line) {
                Ok(0) => self.lines = None,
                Ok(_) => {
                    *number += 1;
                    if let Some(entry) = self.entry(&line) {
                        return Some(Ok(entry));
                    }
                }
                Err(error) => {
                    let place = format!("{}:{}: {error}", path.display(), *number + 1);
                    self.lines = None;
                    return Some(Err(io::Error::new(error.kind(), place)));
                }
            }
        }
    }
}
