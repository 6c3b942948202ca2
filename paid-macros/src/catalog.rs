//! Loads the catalogue once for every crate, path and time stamp; makes rustc track the file.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use paid_catalog::{Catalog, Found, VARIABLE};
use proc_macro2::TokenStream;
use quote::quote;

/// The catalogue that applies to the crate being compiled.
pub(crate) struct InForce {
    pub(crate) catalog: Arc<Catalog>,
    /// How messages call it.
    pub(crate) shown: String,
    path: PathBuf,
}

/// What there is.
pub(crate) enum Loaded {
    InForce(InForce),
    Nothing,
    /// It cannot be used, and this item is the one to say so.
    Broken {
        message: String,
        path: Option<PathBuf>,
    },
    /// It cannot be used, and another item has said so.
    BrokenElsewhere {
        path: Option<PathBuf>,
    },
}

type Key = (PathBuf, PathBuf, Option<SystemTime>);
type Read = Result<Arc<Catalog>, String>;

static CACHE: Mutex<Option<HashMap<Key, Read>>> = Mutex::new(None);
static REPORTED: Mutex<Option<HashSet<Key>>> = Mutex::new(None);

/// Looks up, reads and remembers.
pub(crate) fn load() -> Loaded {
    let crate_folder = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let named = std::env::var(VARIABLE).ok();
    let path = match find(&crate_folder, named.as_deref()) {
        Found::Nowhere => return Loaded::Nothing,
        Found::Misnamed(why) => return broken((crate_folder, PathBuf::new(), None), why, None),
        Found::At(path) => path,
    };
    let changed = std::fs::metadata(&path).and_then(|facts| facts.modified()).ok();
    let key = (crate_folder.clone(), path.clone(), changed);
    let shown = shown(&crate_folder, &path);
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let read = cache.get_or_insert_default().entry(key.clone()).or_insert_with(|| read(&path, &shown)).clone();
    match read {
        Ok(catalog) => Loaded::InForce(InForce { catalog, shown, path }),
        Err(message) => broken(key, message, Some(path)),
    }
}

/// A build looks once for a crate; an editor each time, since a file may have come.
fn find(crate_folder: &Path, named: Option<&str>) -> Found {
    type Places = HashMap<(PathBuf, Option<String>), Found>;
    static FOUND: Mutex<Option<Places>> = Mutex::new(None);
    if in_editor() {
        return paid_catalog::find(crate_folder, named);
    }
    let key = (crate_folder.to_owned(), named.map(str::to_owned));
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    found.get_or_insert_default().entry(key).or_insert_with(|| paid_catalog::find(crate_folder, named)).clone()
}

fn read(path: &Path, shown: &str) -> Read {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    Catalog::parse(&text).map(Arc::new).map_err(|problems| {
        let lines: Vec<_> = problems.0.iter().map(|problem| format!("{shown}:{problem}")).collect();
        format!("the catalogue cannot be used:\n{}", lines.join("\n"))
    })
}

fn shown(crate_folder: &Path, path: &Path) -> String {
    path.strip_prefix(crate_folder).unwrap_or(path).display().to_string()
}

/// One broken catalogue is one error in a build; an editor asks again and again, and is told every time.
fn broken(key: Key, message: String, path: Option<PathBuf>) -> Loaded {
    let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    let first = reported.get_or_insert_default().insert(key);
    if first || in_editor() { Loaded::Broken { message, path } } else { Loaded::BrokenElsewhere { path } }
}

/// Whether an editor expands, as it does again and again in one process, and not a build.
pub(crate) fn in_editor() -> bool {
    static EDITOR: OnceLock<bool> = OnceLock::new();
    *EDITOR.get_or_init(|| std::env::args().next().is_some_and(|program| program.contains("rust-analyzer")))
}

/// Whether no other expansion of this build has made rustc track the file. Snapshots of expansions are no builds.
fn is_first_to_track(path: Option<&PathBuf>) -> bool {
    static TRACKED: Mutex<Option<HashSet<Option<PathBuf>>>> = Mutex::new(None);
    if in_editor() || cfg!(test) {
        return true;
    }
    let mut tracked = TRACKED.lock().unwrap_or_else(PoisonError::into_inner);
    tracked.get_or_insert_default().insert(path.cloned())
}

impl Loaded {
    pub(crate) fn in_force(&self) -> Option<&InForce> {
        match self {
            Self::InForce(catalog) => Some(catalog),
            _ => None,
        }
    }

    /// Items that make rustc build again when the file or the variable changes. One expansion of a build says so for all of
    /// its crate, because each item costs time to compile.
    pub(crate) fn tracked(&self) -> TokenStream {
        let path = match self {
            Self::InForce(catalog) => Some(&catalog.path),
            Self::Broken { path, .. } | Self::BrokenElsewhere { path } => path.as_ref(),
            Self::Nothing => None,
        };
        if !is_first_to_track(path) {
            return TokenStream::new();
        }
        let file = path.and_then(|path| path.to_str()).map(|path| {
            quote!(
                const _: &[u8] = ::core::include_bytes!(#path);
            )
        });
        quote! {
            #file
            const _: ::core::option::Option<&str> = ::core::option_env!(#VARIABLE);
        }
    }
}
