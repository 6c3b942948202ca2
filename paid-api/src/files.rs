//! A folder on this machine's disk whose files only their owner can read, because they hold customers' data.
//!
//! What an administrator writes stays readable for the service: a file that another user makes gets the owner of the
//! folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::dispatch::{Folder, Storage};

/// A folder by its absolute path: a program may change its working directory.
#[derive(Clone, Debug)]
pub(crate) struct PrivateFolder {
    path: PathBuf,
}

impl PrivateFolder {
    /// Opens a folder, if it exists.
    pub(crate) fn find(path: &Path) -> io::Result<Option<Self>> {
        match Self::open(path) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a folder that exists.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(path)?;
        if !path.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is not a folder"));
        }
        Ok(Self { path })
    }

    /// Opens a folder, and makes it if it does not exist. A new one is its owner's alone.
    pub(crate) fn make(path: &Path) -> io::Result<Self> {
        if path.as_os_str().is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path of the folder is empty"));
        }
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)?;
        Self::open(path)
    }

    fn at(&self, file: &str) -> PathBuf {
        self.path.join(file)
    }

    /// Opens a file for writing; a new one is private, and belongs to the owner of the folder.
    fn writable(&self, file: &str, options: &mut OpenOptions) -> io::Result<File> {
        let path = self.at(file);
        let is_new = !path.exists();
        let opened = private(options).open(path)?;
        if is_new {
            self.hand_over(&opened);
        }
        Ok(opened)
    }

    /// Gives a file to the owner of the folder, if this process may: otherwise it is the owner.
    #[cfg(unix)]
    fn hand_over(&self, file: &File) {
        use std::os::unix::fs::{MetadataExt, fchown};
        let (Ok(folder), Ok(own)) = (fs::metadata(&self.path), file.metadata()) else { return };
        if (folder.uid(), folder.gid()) != (own.uid(), own.gid()) {
            let _ = fchown(file, Some(folder.uid()), Some(folder.gid()));
        }
    }

    #[cfg(not(unix))]
    fn hand_over(&self, _: &File) {}
}

/// Options that make a file which only its owner can read.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

impl Folder for PrivateFolder {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        fs::read(self.at(file))
    }

    fn length(&self, file: &str) -> io::Result<u64> {
        fs::metadata(self.at(file)).map(|metadata| metadata.len())
    }

    fn replace(&self, file: &str, text: &[u8]) -> io::Result<()> {
        let mut new = tempfile::NamedTempFile::new_in(&self.path)?;
        self.hand_over(new.as_file());
        new.write_all(text)?;
        new.as_file().sync_data()?;
        new.persist(self.at(file)).map_err(|error| error.error)?;
        self.sync()
    }

    fn append(&self, file: &str, text: &[u8], sync: bool) -> io::Result<()> {
        let mut opened = self.writable(file, OpenOptions::new().append(true))?;
        opened.write_all(text)?;
        if sync { opened.sync_data() } else { Ok(()) }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))?;
        self.sync()
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        fs::remove_file(self.at(file))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn lock(&self, file: &str) -> io::Result<Box<dyn Send>> {
        let lock = self.writable(file, OpenOptions::new().write(true))?;
        lock.lock()?;
        Ok(Box::new(lock))
    }

    fn open(&self, file: &str) -> io::Result<Box<dyn Storage>> {
        let opened = self.writable(file, OpenOptions::new().read(true).write(true))?;
        Ok(Box::new(StoredFile(opened)))
    }
}

impl PrivateFolder {
    /// A new name survives a loss of power only when the folder is on disk, too.
    fn sync(&self) -> io::Result<()> {
        if cfg!(unix) { File::open(&self.path)?.sync_all() } else { Ok(()) }
    }
}

#[derive(Debug)]
struct StoredFile(File);

impl Storage for StoredFile {
    fn length(&self) -> io::Result<u64> {
        self.0.metadata().map(|metadata| metadata.len())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    #[cfg(unix)]
    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, out, at)
    }

    #[cfg(windows)]
    fn read(&self, mut at: u64, mut out: &mut [u8]) -> io::Result<()> {
        while !out.is_empty() {
            let read = std::os::windows::fs::FileExt::seek_read(&self.0, out, at)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            (at, out) = (at + read as u64, &mut out[read..]);
        }
        Ok(())
    }

    #[cfg(unix)]
    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, data, at)
    }

    #[cfg(windows)]
    fn write(&self, mut at: u64, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            let written = std::os::windows::fs::FileExt::seek_write(&self.0, data, at)?;
            (at, data) = (at + written as u64, &data[written..]);
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn try_lock(&self) -> io::Result<bool> {
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(fs::TryLockError::WouldBlock) => Ok(false),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

/// The folder of an outbox at a path, made if it does not exist.
pub(crate) fn folder(path: &Path) -> io::Result<Arc<dyn Folder>> {
    match PrivateFolder::make(path) {
        Ok(folder) => Ok(Arc::new(folder)),
        Err(error) => Err(io::Error::new(error.kind(), format!("cannot use {} as an outbox: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PrivateFolder) {
        let place = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::make(&place.path().join("a/b")).unwrap();
        (place, folder)
    }

    #[test]
    fn a_replaced_file_is_whole_and_goes_on_at_its_end() {
        let (_place, folder) = folder();
        folder.append("file", b"something longer than before", true).unwrap();
        folder.replace("file", b"new\n").unwrap();
        folder.append("file", b"more", false).unwrap();
        assert_eq!(folder.read("file").unwrap(), b"new\nmore");
        assert_eq!(folder.list().unwrap(), ["file"]);
    }

    #[test]
    fn a_file_is_read_and_written_at_any_place() {
        let (_place, folder) = folder();
        let file = folder.open("file").unwrap();
        file.set_length(6).unwrap();
        file.write(2, b"xy").unwrap();
        let mut text = [9; 6];
        file.read(0, &mut text).unwrap();
        assert_eq!(text, *b"\0\0xy\0\0");
        assert!(file.read(3, &mut text).is_err());
        assert!(file.try_lock().unwrap());
        assert!(!folder.open("file").unwrap().try_lock().unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_what_is_in_it() {
        use std::os::unix::fs::PermissionsExt;
        let (place, folder) = folder();
        folder.replace("replaced", b"").unwrap();
        folder.append("appended", b"", false).unwrap();
        let _ = (folder.open("opened").unwrap(), folder.lock("locked").unwrap());
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        for file in ["replaced", "appended", "opened", "locked"] {
            assert_eq!(mode(&folder.at(file)), 0o600, "{file}");
        }
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(mode(&place.path().join("a")), 0o700);
    }
}
