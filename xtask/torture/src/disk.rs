//! A disk in memory that fills up, fails, tears what is written when the process is killed, and forgets what was not synced
//! when the power goes.

mod damage;
mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use paid::fuzzing::simulation::{Folder, OpenFolder, Storage};

use crate::story::DiskFault;
use crate::world::{Moment, World};
use file::Contents;

/// The folder that every outbox of a story is in.
const PATH: &str = "/simulated/outbox";

/// Outlives the processes that use it.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    world: World,
    /// The number of the process that may use the disk.
    process: u64,
    files: Vec<Contents>,
    names: BTreeMap<String, usize>,
    /// The names that survive a loss of power, and those that changed since.
    synced_names: BTreeMap<String, usize>,
    renamed: Vec<(String, Option<usize>)>,
    exists: bool,
    locked: BTreeSet<usize>,
    remembers: bool,
    has_worked: bool,
    faults: Faults,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Faults {
    /// How many more bytes can be written.
    room: Option<u64>,
    /// How many accesses work, and how many then fail.
    fails: (u32, u32),
    read_only: bool,
    letters_fail: bool,
}

/// What an access is allowed to do.
enum Access {
    /// Everything.
    Whole,
    /// The process is killed within it: a part, or nothing.
    Torn,
}

fn error(kind: io::ErrorKind, text: &str) -> io::Error {
    io::Error::new(kind, format!("simulated: {text}"))
}

fn killed() -> io::Error {
    error(io::ErrorKind::Other, "the process is dead")
}

impl Disk {
    /// `remembers` what was written since the last sync, which a loss of power needs.
    pub(crate) fn new(world: World, remembers: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            world,
            process: 0,
            files: Vec::new(),
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            renamed: Vec::new(),
            exists: true,
            locked: BTreeSet::new(),
            remembers,
            has_worked: true,
            faults: Faults::default(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new process: the locks of the one before are gone.
    pub(crate) fn start(&self) {
        let mut state = self.lock();
        state.process += 1;
        state.locked.clear();
        state.has_worked = Faults { letters_fail: false, ..state.faults } == Faults::default();
    }

    /// Opens the folder for the current process, and makes it if someone deleted it.
    pub(crate) fn folder(&self) -> OpenFolder {
        let disk = self.clone();
        let process = self.lock().process;
        Arc::new(move || {
            let folder = FolderOnDisk { disk: disk.clone(), process };
            let mut state = folder.state()?;
            state.access("")?;
            state.exists = true;
            drop(state);
            Ok(Arc::new(folder) as Arc<dyn Folder>)
        })
    }

    /// What is in a file, as people see it after the story.
    pub(crate) fn text(&self, file: &str) -> Option<Vec<u8>> {
        let state = self.lock();
        Some(state.files.get(*state.names.get(file)?)?.all())
    }

    /// Whether nothing was wrong since the process started.
    pub(crate) fn works(&self) -> bool {
        self.lock().has_worked
    }

    pub(crate) fn fault(&self, fault: DiskFault) {
        let mut state = self.lock();
        state.has_worked &= fault.is_of_letters();
        match fault {
            DiskFault::Heals => {
                state.faults = Faults::default();
                // Someone makes the folder again.
                state.exists = true;
            }
            DiskFault::Full(bytes) => state.faults.room = Some(u64::from(bytes)),
            DiskFault::Fails(work, fail) => state.faults.fails = (work, fail),
            DiskFault::ReadOnly => state.faults.read_only = true,
            DiskFault::LettersFail => state.faults.letters_fail = true,
            DiskFault::Deleted => {
                state.names.clear();
                state.synced_names.clear();
                state.renamed.clear();
                state.exists = false;
            }
            DiskFault::Flip(file, place) => state.flip(file, place),
            DiskFault::Cut(file, place) => state.cut(file, place),
            DiskFault::FlipHead(frame, place) => state.flip_head(frame, place),
        }
    }

    /// The machine loses its power.
    pub(crate) fn lose_power(&self) {
        let mut state = self.lock();
        let state = &mut *state;
        let world = state.world.clone();
        for file in &mut state.files {
            file.lose_power(|limit| world.below(limit));
        }
        let kept = world.below(state.renamed.len() as u64 + 1);
        let kept = usize::try_from(kept).unwrap_or_default();
        for (name, file) in std::mem::take(&mut state.renamed).into_iter().take(kept) {
            State::rename_in(&mut state.synced_names, name, file);
        }
        state.names = state.synced_names.clone();
    }
}

impl State {
    fn access(&mut self, file: &str) -> io::Result<Access> {
        if self.world.is_dead() {
            return Err(killed());
        }
        self.world.at(Moment::Disk);
        if self.world.is_dead() {
            return Ok(Access::Torn);
        }
        let (works, fails) = &mut self.faults.fails;
        if *works > 0 {
            *works -= 1;
        } else if *fails > 0 {
            *fails -= 1;
            return Err(error(io::ErrorKind::Other, "the disk fails"));
        }
        if self.faults.letters_fail && file.starts_with("dead-letters") {
            return Err(error(io::ErrorKind::PermissionDenied, "the dead letters cannot be written"));
        }
        Ok(Access::Whole)
    }

    /// How much of `data` may be written, and the error if it is not all.
    fn writable(&mut self, file: &str, data: usize) -> io::Result<(usize, Option<io::Error>)> {
        let access = self.access(file)?;
        if matches!(access, Access::Torn) {
            let part = self.world.below(data as u64 + 1);
            return Ok((usize::try_from(part).unwrap_or_default(), Some(killed())));
        }
        if self.faults.read_only {
            return Err(error(io::ErrorKind::ReadOnlyFilesystem, "the disk is read-only"));
        }
        let Some(room) = &mut self.faults.room else { return Ok((data, None)) };
        let fits = usize::try_from(*room).unwrap_or(usize::MAX).min(data);
        *room -= fits as u64;
        let full =
            (fits < data || (data == 0 && *room == 0)).then(|| error(io::ErrorKind::StorageFull, "the disk is full"));
        Ok((fits, full))
    }

    /// The number of a file, which is made if it does not exist.
    fn make(&mut self, file: &str) -> io::Result<usize> {
        if let Some(number) = self.names.get(file) {
            return Ok(*number);
        }
        if !self.exists {
            return Err(error(io::ErrorKind::NotFound, "the folder is deleted"));
        }
        if self.faults.read_only {
            return Err(error(io::ErrorKind::ReadOnlyFilesystem, "the disk is read-only"));
        }
        let number = self.files.len();
        self.files.push(Contents::default());
        self.name(file, Some(number));
        Ok(number)
    }

    fn find(&self, file: &str) -> io::Result<usize> {
        self.names.get(file).copied().ok_or_else(|| error(io::ErrorKind::NotFound, "there is no such file"))
    }

    fn contents(&mut self, number: usize) -> io::Result<&mut Contents> {
        self.files.get_mut(number).ok_or_else(|| error(io::ErrorKind::NotFound, "there is no such file"))
    }

    fn name(&mut self, file: &str, number: Option<usize>) {
        Self::rename_in(&mut self.names, file.to_owned(), number);
        self.renamed.push((file.to_owned(), number));
    }

    fn rename_in(names: &mut BTreeMap<String, usize>, name: String, number: Option<usize>) {
        match number {
            Some(number) => drop(names.insert(name, number)),
            None => drop(names.remove(&name)),
        }
    }

    /// As journaling file systems do: what was named before is on disk with it.
    fn sync_names(&mut self) {
        for (name, number) in std::mem::take(&mut self.renamed) {
            Self::rename_in(&mut self.synced_names, name, number);
        }
    }

    fn note(&self, what: u64, file: &str, bytes: usize, result: &io::Result<()>) {
        let number = what << 48 ^ (bytes as u64) << 1 ^ u64::from(result.is_ok());
        self.world.note(number, || {
            const WHAT: [&str; 7] = ["opens", "writes to", "appends to", "replaces", "syncs", "renames", "removes"];
            let what = WHAT.get(usize::try_from(what).unwrap_or_default()).copied().unwrap_or("?");
            let outcome = result.as_ref().err().map(|error| format!(": {error}")).unwrap_or_default();
            format!("disk {what} {file} ({bytes} bytes){outcome}")
        });
    }
}

#[derive(Debug)]
struct FolderOnDisk {
    disk: Disk,
    process: u64,
}

impl FolderOnDisk {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.lock();
        if state.process == self.process && !state.world.is_dead() { Ok(state) } else { Err(killed()) }
    }
}

impl Folder for FolderOnDisk {
    fn path(&self) -> &Path {
        Path::new(PATH)
    }

    fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        let mut state = self.state()?;
        state.access(file)?;
        let number = state.find(file)?;
        Ok(state.contents(number)?.all())
    }

    fn length(&self, file: &str) -> io::Result<u64> {
        let mut state = self.state()?;
        state.access(file)?;
        let number = state.find(file)?;
        Ok(state.contents(number)?.length())
    }

    fn replace(&self, file: &str, text: &[u8]) -> io::Result<()> {
        let mut state = self.state()?;
        let result = match state.writable(file, text.len()) {
            Ok((written, None)) if written == text.len() && state.exists => {
                let number = state.files.len();
                state.files.push(Contents::of(text));
                state.name(file, Some(number));
                state.sync_names();
                Ok(())
            }
            Ok((_, None)) => Err(error(io::ErrorKind::NotFound, "the folder is deleted")),
            Ok((_, Some(problem))) | Err(problem) => Err(problem),
        };
        state.note(3, file, text.len(), &result);
        result
    }

    fn append(&self, file: &str, text: &[u8], sync: bool) -> io::Result<()> {
        let mut state = self.state()?;
        let result = state.writable(file, text.len()).and_then(|(part, problem)| {
            let number = state.make(file)?;
            let remembers = state.remembers;
            let contents = state.contents(number)?;
            contents.write(contents.length(), text.get(..part).unwrap_or_default(), remembers);
            match problem {
                Some(problem) => return Err(problem),
                None if sync => {
                    contents.sync();
                    state.sync_names();
                }
                None => {}
            }
            Ok(())
        });
        state.note(2, file, text.len(), &result);
        result
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state()?;
        let result = state.writable(from, 0).and_then(|(_, problem)| match problem {
            Some(problem) => Err(problem),
            None => {
                let number = state.find(from)?;
                state.name(from, None);
                state.name(to, Some(number));
                state.sync_names();
                Ok(())
            }
        });
        state.note(5, from, 0, &result);
        result
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        let mut state = self.state()?;
        let result = state.writable(file, 0).and_then(|(_, problem)| match problem {
            Some(problem) if problem.kind() != io::ErrorKind::StorageFull => Err(problem),
            _ => state.find(file).map(|_| state.name(file, None)),
        });
        state.note(6, file, 0, &result);
        result
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.state()?;
        state.access("")?;
        Ok(state.names.keys().cloned().collect())
    }

    fn lock(&self, file: &str) -> io::Result<Box<dyn Send>> {
        let mut state = self.state()?;
        state.writable(file, 0)?;
        state.make(file)?;
        Ok(Box::new(()))
    }

    fn open(&self, file: &str) -> io::Result<Box<dyn Storage>> {
        let mut state = self.state()?;
        let opened = state.access(file).and_then(|_| state.make(file));
        state.note(0, file, 0, &opened.as_ref().map(drop).map_err(|error| io::Error::other(error.to_string())));
        let (disk, process, name) = (self.disk.clone(), self.process, file.to_owned());
        Ok(Box::new(FileOnDisk { disk, process, number: opened?, name, has_lock: Mutex::new(false) }))
    }
}

#[derive(Debug)]
struct FileOnDisk {
    disk: Disk,
    process: u64,
    number: usize,
    name: String,
    has_lock: Mutex<bool>,
}

impl FileOnDisk {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.lock();
        if state.process == self.process && !state.world.is_dead() { Ok(state) } else { Err(killed()) }
    }

    fn has_lock(&self) -> MutexGuard<'_, bool> {
        self.has_lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for FileOnDisk {
    fn length(&self) -> io::Result<u64> {
        Ok(self.state()?.contents(self.number)?.length())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let mut state = self.state()?;
        let (_, problem) = state.writable(&self.name, 0)?;
        if let Some(problem) = problem {
            return Err(problem);
        }
        let remembers = state.remembers;
        state.contents(self.number)?.set_length(length, remembers);
        Ok(())
    }

    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state()?;
        state.access(&self.name)?;
        let is_read = state.contents(self.number)?.read(at, out);
        if is_read { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state()?;
        let result = state.writable(&self.name, data.len()).and_then(|(part, problem)| {
            let remembers = state.remembers;
            state.contents(self.number)?.write(at, data.get(..part).unwrap_or_default(), remembers);
            problem.map_or(Ok(()), Err)
        });
        state.note(1, &self.name, data.len(), &result);
        result
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state()?;
        let result = state.access(&self.name).and_then(|access| match access {
            Access::Torn => Err(killed()),
            Access::Whole => {
                state.contents(self.number)?.sync();
                state.sync_names();
                Ok(())
            }
        });
        state.note(4, &self.name, 0, &result);
        result
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut state = self.state()?;
        let is_free = state.locked.insert(self.number);
        *self.has_lock() |= is_free;
        Ok(is_free)
    }
}

impl Drop for FileOnDisk {
    fn drop(&mut self) {
        let has_lock = *self.has_lock();
        let mut state = self.disk.lock();
        if has_lock && state.process == self.process {
            state.locked.remove(&self.number);
        }
    }
}
