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
        self.made_or_found(file, options).map(|(opened, _)| opened)
    }

    /// Opens a file for writing, and syncs the name of a new one.
    fn lasting(&self, file: &str, options: &mut OpenOptions) -> io::Result<File> {
        let (opened, is_new) = self.made_or_found(file, options)?;
        if is_new {
            self.sync()?;
        }
        Ok(opened)
    }

    /// Also returns true if the file is new.
    fn made_or_found(&self, file: &str, options: &mut OpenOptions) -> io::Result<(File, bool)> {
        let path = self.at(file);
        let is_new = !path.exists();
        let opened = private(options).open(path)?;
        if is_new {
            self.hand_over(&opened)
        } else {
            close_to_others(&opened)
        }
        Ok((opened, is_new))
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

/// Takes the rights of others away from a file that an earlier version or somebody else made.
#[cfg(unix)]
fn close_to_others(file: &File) {
    use std::os::unix::fs::PermissionsExt;
    if file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0) {
        let _ = file.set_permissions(fs::Permissions::from_mode(0o600));
    }
}

#[cfg(not(unix))]
fn close_to_others(_: &File) {}

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
        // One name, so that crashes leave one file behind and not many.
        let new = format!(".{file}.new");
        let _ = self.remove(&new);
        let written = self.writable(&new, OpenOptions::new().write(true)).and_then(|mut opened| {
            opened.write_all(text)?;
            opened.sync_data()
        });
        if let Err(error) = written.and_then(|()| fs::rename(self.at(&new), self.at(file))) {
            let _ = self.remove(&new);
            return Err(error);
        }
        self.sync()
    }

    fn append(&self, file: &str, text: &[u8], sync: bool) -> io::Result<()> {
        let options = &mut OpenOptions::new();
        options.append(true);
        let mut opened = if sync { self.lasting(file, options) } else { self.writable(file, options) }?;
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
        let opened = self.lasting(file, OpenOptions::new().read(true).write(true))?;
        Ok(Box::new(StoredFile { file: opened, path: self.at(file) }))
    }
}

impl PrivateFolder {
    /// A new name survives a loss of power only when the folder is on disk, too.
    fn sync(&self) -> io::Result<()> {
        if cfg!(unix) { File::open(&self.path)?.sync_all() } else { Ok(()) }
    }
}

#[derive(Debug)]
struct StoredFile {
    file: File,
    path: PathBuf,
}

impl Storage for StoredFile {
    fn length(&self) -> io::Result<u64> {
        self.file.metadata().map(|metadata| metadata.len())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    #[cfg(unix)]
    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, out, at)
    }

    #[cfg(windows)]
    fn read(&self, mut at: u64, mut out: &mut [u8]) -> io::Result<()> {
        while !out.is_empty() {
            let read = std::os::windows::fs::FileExt::seek_read(&self.file, out, at)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            (at, out) = (at + read as u64, &mut out[read..]);
        }
        Ok(())
    }

    #[cfg(unix)]
    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, data, at)
    }

    #[cfg(windows)]
    fn write(&self, mut at: u64, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            let written = std::os::windows::fs::FileExt::seek_write(&self.file, data, at)?;
            (at, data) = (at + written as u64, &data[written..]);
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn try_lock(&self) -> io::Result<bool> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(fs::TryLockError::WouldBlock) => Ok(false),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    #[cfg(unix)]
    fn is_in_place(&self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let own = self.file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(there) => Ok((there.dev(), there.ino()) == (own.dev(), own.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
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

    #[test]
    fn what_a_crash_left_of_a_replacement_is_no_obstacle() {
        let (_place, folder) = folder();
        fs::write(folder.at(".file.new"), "half").unwrap();
        folder.replace("file", b"whole").unwrap();
        assert_eq!(
            (folder.read("file").unwrap(), folder.list().unwrap()),
            (b"whole".to_vec(), vec!["file".to_owned()])
        );
        // A folder in its place cannot be replaced, and nothing stays behind.
        fs::create_dir(folder.at("other")).unwrap();
        folder.replace("other", b"").unwrap_err();
        assert_eq!(folder.list().unwrap(), ["file", "other"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_removed_or_replaced_is_not_in_its_place() {
        let (_place, folder) = folder();
        let file = folder.open("file").unwrap();
        assert!(file.is_in_place().unwrap());
        folder.replace("file", b"another").unwrap();
        assert!(!file.is_in_place().unwrap());
        folder.remove("file").unwrap();
        assert!(!file.is_in_place().unwrap());
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
        // Also a file that was open to others before.
        fs::set_permissions(folder.at("opened"), fs::Permissions::from_mode(0o644)).unwrap();
        drop(folder.open("opened").unwrap());
        assert_eq!(mode(&folder.at("opened")), 0o600);
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(mode(&place.path().join("a")), 0o700);
    }
}
