//! Who has the outbox open, for people: the store's file itself is the lock.

use std::path::Path;
use std::sync::Arc;

use crate::dispatch::Folder;

const FILE: &str = "holder";

/// Says that this process has the outbox, until it is dropped.
pub(super) struct Holder(Arc<dyn Folder>);

impl Holder {
    pub(super) fn new(folder: &Arc<dyn Folder>) -> Self {
        let program = std::env::current_exe().ok();
        let name = program.as_deref().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or("?");
        let text = format!("process {} ({name})", std::process::id());
        let _ = folder.replace(FILE, text.as_bytes());
        Self(Arc::clone(folder))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.remove(FILE);
    }
}

/// The process that has the outbox open.
pub(super) fn of(folder: &dyn Folder) -> String {
    let text = folder.read(FILE).unwrap_or_default();
    let is_readable = |text: &&str| text.starts_with("process ") && !text.contains(char::is_control);
    std::str::from_utf8(&text).ok().filter(is_readable).unwrap_or("another process").to_owned()
}
