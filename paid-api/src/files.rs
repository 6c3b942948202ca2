//! Files that are replaced atomically: after a crash either the old or the new file is there, complete. Only the owner can
//! read them, because they hold customers' data.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Replaces a file and syncs it to disk. Writes to the returned file append to it.
pub(crate) fn replace(path: &Path, text: &[u8]) -> io::Result<File> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    file.as_file().sync_data()?;
    file.persist(path).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_whole_and_goes_on_at_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "something longer than before").unwrap();
        let mut file = replace(&path, b"new\n").unwrap();
        file.write_all(b"more").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new\nmore");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"").unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
