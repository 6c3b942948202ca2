//! What the outbox and the journal of costs ask of a folder: files that only their owner can read. A disk, or a
//! simulation of one that fills up, tears what is written and forgets what was not synced.

use std::fmt;
use std::io;
use std::path::Path;

/// A folder of files.
pub trait Folder: fmt::Debug + Send + Sync {
    /// The absolute path, for people.
    fn path(&self) -> &Path;

    /// Everything in a file.
    fn read(&self, file: &str) -> io::Result<Vec<u8>>;

    /// The length of a file in bytes.
    fn length(&self, file: &str) -> io::Result<u64>;

    /// Replaces a file, or makes it: after a crash either the old or the new one is there, complete.
    fn replace(&self, file: &str, text: &[u8]) -> io::Result<()>;

    /// Adds to the end of a file, or makes it. A crash may leave a part of the text, and without `sync` a loss of power
    /// may leave none of it.
    fn append(&self, file: &str, text: &[u8], sync: bool) -> io::Result<()>;

    /// Renames a file. A crash leaves it with one of the two names.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, file: &str) -> io::Result<()>;

    /// The names of all files.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Waits for the lock that this file stands for, and holds it until the result is dropped: against other processes,
    /// and other places in this one.
    fn lock(&self, file: &str) -> io::Result<Box<dyn Send>>;

    /// Opens a file for random access, or makes it.
    fn open(&self, file: &str) -> io::Result<Box<dyn Storage>>;
}

/// A file that is read and written at any place.
pub trait Storage: fmt::Debug + Send + Sync {
    /// The length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// New bytes are zero.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Fills all of `out`, or fails.
    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()>;

    /// Writes all of `data`, or fails.
    fn write(&self, at: u64, data: &[u8]) -> io::Result<()>;

    /// Waits until what was written survives a loss of power.
    fn sync(&self) -> io::Result<()>;

    /// Locks the file against other processes until it is closed; returns false if another one holds it.
    fn try_lock(&self) -> io::Result<bool>;

    /// Whether the file is still the one under its name. What is written to one that was removed or replaced is lost.
    fn is_in_place(&self) -> io::Result<bool> {
        Ok(true)
    }
}

/// Opens the folder of an outbox, and makes it if it does not exist.
pub type OpenFolder = std::sync::Arc<dyn Fn() -> io::Result<std::sync::Arc<dyn Folder>> + Send + Sync>;
