//! For tests: a disk that fills up, and forgets what was not synced.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::costs::journal::FILE;
use crate::dispatch::{Folder, Storage};

/// A disk with one file on it, which may be full, and which knows what would survive a loss of power.
#[derive(Clone, Debug, Default)]
pub(in crate::costs) struct OneFile(Arc<Mutex<OneFileState>>);

#[derive(Clone, Debug, Default)]
pub(in crate::costs) struct OneFileState {
    text: Option<Vec<u8>>,
    synced: Option<Vec<u8>>,
    /// How many more bytes can be written.
    pub(in crate::costs) room: Option<usize>,
}

impl OneFile {
    pub(in crate::costs) fn state(&self) -> MutexGuard<'_, OneFileState> {
        self.0.lock().unwrap()
    }

    pub(in crate::costs) fn holding(text: Option<Vec<u8>>) -> Self {
        Self(Arc::new(Mutex::new(OneFileState { synced: text.clone(), text, room: None })))
    }

    pub(in crate::costs) fn after_kill(&self) -> Self {
        Self::holding(self.state().text.clone())
    }

    /// A part of what was not synced may have reached the disk.
    pub(in crate::costs) fn after_power_loss(&self, part: f64) -> Self {
        let state = self.state();
        let (Some(text), Some(synced)) = (&state.text, &state.synced) else { return Self::holding(None) };
        let more = ((text.len() - synced.len()) as f64 * part) as usize;
        Self::holding(Some(text[..synced.len() + more].to_vec()))
    }
}

fn none<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Folder for OneFile {
    fn path(&self) -> &Path {
        Path::new("/one/file")
    }

    fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        assert_eq!(file, FILE);
        self.state().text.clone().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn replace(&self, _: &str, text: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        if state.room.is_some_and(|room| room < text.len()) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        (state.text, state.synced) = (Some(text.to_vec()), Some(text.to_vec()));
        Ok(())
    }

    fn append(&self, _: &str, text: &[u8], sync: bool) -> io::Result<()> {
        let mut state = self.state();
        let fits = state.room.map_or(text.len(), |room| room.min(text.len()));
        state.room = state.room.map(|room| room - fits);
        state.text.get_or_insert_default().extend_from_slice(&text[..fits]);
        if fits < text.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if sync {
            state.synced = state.text.clone();
        }
        Ok(())
    }

    fn length(&self, _: &str) -> io::Result<u64> {
        none()
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        none()
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        none()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        none()
    }

    fn lock(&self, _: &str) -> io::Result<Box<dyn Send>> {
        none()
    }

    fn open(&self, _: &str) -> io::Result<Box<dyn Storage>> {
        none()
    }
}
