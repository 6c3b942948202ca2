//! What the crate that is compiled calls the library.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use proc_macro2::Span;
use quote::format_ident;
use syn::Path;

/// `::paid`, or the one other name that the crate's `Cargo.toml` gives it.
pub(crate) fn path() -> Path {
    static NAMES: Mutex<Option<HashMap<PathBuf, String>>> = Mutex::new(None);
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    let name = names.entry(folder).or_insert_with_key(|folder| paid_catalog::library(folder));
    let name = format_ident!("{name}", span = Span::call_site());
    syn::parse_quote!(::#name)
}
