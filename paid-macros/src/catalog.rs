//! Loads the catalogue once for every crate, path and time stamp; makes rustc track the file.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use paid_catalog::{Absent, Catalog, FILE_NAME, Found, VARIABLE};
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
    /// Nothing applies, and nobody has said why.
    Absent {
        absent: Absent,
        crate_folder: PathBuf,
    },
    /// Nothing applies, on purpose.
    OptedOut {
        crate_folder: PathBuf,
    },
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

/// Whether the crate comes from a registry or from git, so that whoever builds it cannot give it a catalogue. Cargo caps the lints
/// of such crates; `RUSTFLAGS` may cap those of all, which those that are named on the command line do not believe.
fn is_foreign() -> bool {
    let is_named = std::env::var_os("CARGO_PRIMARY_PACKAGE").is_some();
    !is_named
        && std::env::args_os().any(|argument| argument.to_str().is_some_and(|text| text.starts_with("--cap-lints")))
}

/// Looks up, reads and remembers.
pub(crate) fn load() -> Loaded {
    let crate_folder = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let named =
        std::env::var(VARIABLE).ok().filter(|named| !is_foreign() || !matches!(named.as_str(), "required" | "none"));
    let path = match find(&crate_folder, named.as_deref()) {
        Found::OptedOut => return Loaded::OptedOut { crate_folder },
        Found::Nowhere(absent) if absent.required => {
            let why = absence(&absent, &crate_folder);
            return broken((crate_folder, PathBuf::new(), None), why, None);
        }
        Found::Nowhere(absent) => return Loaded::Absent { absent, crate_folder },
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

/// That no catalogue applies, where one was looked for, and what to do.
fn absence(absent: &Absent, crate_folder: &Path) -> String {
    let looked: Vec<_> = absent.looked.iter().map(|path| path.display().to_string()).collect();
    let misplaced = absent.misplaced.as_ref().map_or_else(String::new, |path| {
        format!("; {} does not apply: move it beside Cargo.toml", shown(crate_folder, path))
    });
    let looked = looked.join(" and ");
    let write = format!("write {FILE_NAME} beside Cargo.toml, as `cargo paid init` does");
    if absent.required {
        return format!(
            "a catalogue is required, and no {FILE_NAME} applies to this crate: looked for {looked}{misplaced}; {write}"
        );
    }
    format!(
        "no {FILE_NAME} applies to this crate, so nothing checks event names and fields: looked for {looked}{misplaced}; \
         {write}, or, to go without, add `signals = \"none\"` below `[package.metadata.paid]` in Cargo.toml \
         (cargo sees a new file when Cargo.toml or a source changes)"
    )
}

/// One broken catalogue is one error in a build; an editor asks again and again, and is told every time.
fn broken(key: Key, message: String, path: Option<PathBuf>) -> Loaded {
    let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    let first = reported.get_or_insert_default().insert(key);
    if first || in_editor() { Loaded::Broken { message, path } } else { Loaded::BrokenElsewhere { path } }
}

/// The files that say whether a catalogue is wanted. Snapshots of expansions are the same in every folder.
fn manifests(crate_folder: &Path) -> Vec<PathBuf> {
    if cfg!(test) { Vec::new() } else { paid_catalog::manifests(crate_folder) }
}

/// Whether an editor expands, as it does again and again in one process, and not a build.
pub(crate) fn in_editor() -> bool {
    static EDITOR: OnceLock<bool> = OnceLock::new();
    *EDITOR.get_or_init(|| std::env::args().next().is_some_and(|program| program.contains("rust-analyzer")))
}

/// Whether no other expansion of this build has made rustc track the files. Snapshots of expansions are no builds.
fn is_first_to_track(paths: &[PathBuf]) -> bool {
    static TRACKED: Mutex<Option<HashSet<Vec<PathBuf>>>> = Mutex::new(None);
    if in_editor() || cfg!(test) {
        return true;
    }
    let mut tracked = TRACKED.lock().unwrap_or_else(PoisonError::into_inner);
    tracked.get_or_insert_default().insert(paths.to_vec())
}

impl Loaded {
    pub(crate) fn in_force(&self) -> Option<&InForce> {
        match self {
            Self::InForce(catalog) => Some(catalog),
            _ => None,
        }
    }

    /// What to warn of if no catalogue applies: once for a crate. An editor shows what the build says.
    pub(crate) fn absence(&self) -> Option<String> {
        static SAID: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
        let Self::Absent { absent, crate_folder } = self else { return None };
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        let first = !in_editor() && said.get_or_insert_default().insert(crate_folder.clone());
        first.then(|| absence(absent, crate_folder))
    }

    /// Items that make rustc build again when the files or the variable change. One expansion of a build says so for all of
    /// its crate, because each item costs time to compile.
    pub(crate) fn tracked(&self) -> TokenStream {
        let paths = match self {
            Self::InForce(catalog) => vec![catalog.path.clone()],
            Self::Broken { path, .. } | Self::BrokenElsewhere { path } => path.iter().cloned().collect(),
            Self::Absent { crate_folder, .. } | Self::OptedOut { crate_folder } => manifests(crate_folder),
        };
        if !is_first_to_track(&paths) {
            return TokenStream::new();
        }
        let files = paths.iter().filter_map(|path| path.to_str()).map(|path| {
            quote!(
                const _: &[u8] = ::core::include_bytes!(#path);
            )
        });
        quote! {
            #(#files)*
            const _: ::core::option::Option<&str> = ::core::option_env!(#VARIABLE);
        }
    }
}
