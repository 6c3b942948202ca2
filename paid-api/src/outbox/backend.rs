//! The file that redb writes to.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use redb::StorageBackend;

use crate::dispatch::Storage;

/// A file that can be taken away from redb: a database that panicked may never close it.
#[derive(Clone)]
pub(super) struct Lent {
    file: Arc<RwLock<Option<Box<dyn Storage>>>>,
    /// Whether a commit waits until the data is on disk.
    sync: bool,
}

impl Lent {
    pub(super) fn new(file: Box<dyn Storage>, sync: bool) -> Self {
        Self { file: Arc::new(RwLock::new(Some(file))), sync }
    }

    /// Takes the file away. What redb writes from then on goes nowhere.
    pub(super) fn take(&self) -> Option<Box<dyn Storage>> {
        self.file.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&dyn Storage) -> io::Result<T>) -> io::Result<T> {
        match &*self.file.read().unwrap_or_else(PoisonError::into_inner) {
            Some(file) => work(&**file),
            None => Err(io::Error::other("the file is closed")),
        }
    }
}

impl fmt::Debug for Lent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lent")
    }
}

/// Has no locks: the file is locked before redb gets it.
impl StorageBackend for Lent {
    fn len(&self) -> io::Result<u64> {
        self.with(|file| file.length())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|file| file.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|file| file.set_length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.sync { self.with(|file| file.sync()) } else { Ok(()) }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.with(|file| file.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        drop(self.take());
        Ok(())
    }
}
