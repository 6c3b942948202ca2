//! Damaged files: each is put aside, read once, and kept for a while.

use std::io;

use crate::dispatch::Folder;
use crate::report::log;

/// Only the newest are kept: what could be read of the others is in the outbox.
const KEPT: usize = 5;
const STEM: &str = "outbox.damaged-";
/// The end of the name until the file has been read, so that a crash in between loses nothing.
const UNREAD: &str = ".unread";

/// Puts a damaged store aside.
pub(super) fn put(folder: &dyn Folder, file: &str, now: u64) -> io::Result<()> {
    let name = (now..).map(|time| format!("{STEM}{time}")).find(|name| is_free(folder, name)).unwrap_or_default();
    folder.rename(file, &(name + UNREAD))
}

fn is_free(folder: &dyn Folder, name: &str) -> bool {
    folder.length(name).is_err() && folder.length(&format!("{name}{UNREAD}")).is_err()
}

/// Renames a file that is of no use.
pub(super) fn away(folder: &dyn Folder, file: &str) -> io::Result<()> {
    let mut names = (1..).map(|number| format!("{file}.damaged-{number}"));
    let name = names.find(|name| folder.length(name).is_err()).unwrap_or_default();
    folder.rename(file, &name)
}

/// The files that were put aside and not read yet, oldest first.
pub(super) fn unread(folder: &dyn Folder) -> Vec<String> {
    let names = folder.list().unwrap_or_default();
    names.into_iter().filter(|name| name.starts_with(STEM) && name.ends_with(UNREAD)).collect()
}

/// A file has been read; returns its name from now on.
pub(super) fn has_been_read(folder: &dyn Folder, name: &str) -> io::Result<String> {
    let kept_as = name.trim_end_matches(UNREAD);
    folder.rename(name, kept_as)?;
    Ok(kept_as.to_owned())
}

/// Removes all but the newest files that have been read.
pub(super) fn tidy(folder: &dyn Folder) {
    let names = folder.list().unwrap_or_default();
    let read: Vec<_> = names.iter().filter(|name| name.starts_with(STEM) && !name.ends_with(UNREAD)).collect();
    for name in read.iter().take(read.len().saturating_sub(KEPT)) {
        if folder.remove(name).is_ok() {
            log(&format_args!(
                "removed {}: a damaged file of which everything readable was sent or is in the outbox",
                folder.path().join(name).display()
            ));
        }
    }
}
