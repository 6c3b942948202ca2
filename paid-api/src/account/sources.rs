//! Which signals the sources of a workspace send, and where: found in the text, without a compiler.

mod files;
mod found;
mod imports;
mod scan;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

pub use found::{Emission, Named, Place, Unreadable};
use imports::Certainty;

/// Expressions of thousands of parts, as generators write them, are nested as deep.
const STACK: usize = 64 << 20;

/// The signals that sources send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sources {
    /// Every place that sends a signal, or can, by file and line.
    pub emissions: Vec<Emission>,
    /// Files that could not be read, or not as a whole.
    pub unreadable: Vec<Unreadable>,
    /// How many files were read.
    pub files: usize,
}

/// Finds what the sources below a folder send. It reads every `.rs` file that git would take, except in `target` and in crates
/// that another catalogue is for: `catalogue` is the file that counts, `None` takes all crates.
///
/// # Errors
///
/// If a folder cannot be read.
pub fn sources_below(root: &Path, catalogue: Option<&Path>) -> io::Result<Sources> {
    let found = files::below(root, catalogue)?;
    let next = AtomicUsize::new(0);
    let read = Mutex::new(Vec::with_capacity(found.files.len()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(16);
    let work = || {
        while let Some(file) = found.files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let scanned = scan::file(file, &found.names);
            read.lock().unwrap_or_else(PoisonError::into_inner).push(scanned);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work)?;
        }
        Ok::<(), io::Error>(())
    })?;
    let read = read.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(joined(read))
}

fn joined(read: Vec<scan::Scanned>) -> Sources {
    let mut sources = Sources { files: read.len(), ..Sources::default() };
    // A name that one file of a package imports may come to others by `crate::`, `super::` or a glob.
    let imported: BTreeSet<(PathBuf, String)> =
        read.iter().flat_map(|file| file.imported.iter().map(|name| (file.package.clone(), name.clone()))).collect();
    let test_modules: BTreeSet<PathBuf> = read.iter().flat_map(|file| file.test_modules.iter().cloned()).collect();
    for file in read {
        for (mut emission, certainty) in file.emissions {
            let is_ours = match certainty {
                Certainty::Sure => true,
                Certainty::IfImported(name) => imported.contains(&(file.package.clone(), name)),
            };
            if is_ours {
                let path = emission.place.file.with_extension("");
                emission.is_in_tests |= path.ancestors().any(|folder| test_modules.contains(folder));
                sources.emissions.push(emission);
            }
        }
        sources.unreadable.extend(file.unreadable);
    }
    sources.emissions.sort_by(|one, other| one.place.cmp(&other.place));
    sources.unreadable.sort_by(|one, other| one.place.cmp(&other.place));
    sources
}

#[cfg(test)]
mod tests;
