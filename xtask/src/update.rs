//! `cargo xtask spec update`: from a published document to sources that compile, with changelog, version and names. It works
//! in a copy of the repository; the copy's changes are moved here at the end, all of them or none.

mod changelog;
mod compiled;
mod excerpt;
mod fit;
mod following;
mod naming;
mod page;
mod source;
mod staging;
mod supplement;
mod table;
mod version;
mod wording;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::diff::{self, Report};
use crate::names::{Decisions, NameTable};
use crate::overlay::Overlay;
use crate::{codegen, document, import, project};
use page::Page;
pub(crate) use staging::Staging;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Options {
    /// A path, or the URL of the published document.
    pub(crate) source: String,
    /// Whether the crates get the version that follows.
    pub(crate) bump: bool,
}

/// The steps, in order. When one fails, no file has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Read,
    Import,
    Compare,
    Overlay,
    Generate,
    Describe,
    Check,
    Write,
}

#[cfg(test)]
const STEPS: [Step; 8] =
    [Step::Read, Step::Import, Step::Compare, Step::Overlay, Step::Generate, Step::Describe, Step::Check, Step::Write];

/// What the steps ask of the outside.
trait Surroundings {
    /// Called before each step.
    fn before(&mut self, step: Step) -> Result<()>;
    /// Compiles what was generated in this copy. Returns what is written by hand and has to follow: a line for each mistake.
    fn check(&mut self, copy: &Path) -> Result<Vec<String>>;
}

/// Runs the command, and prints the page for who reviews it.
pub(crate) fn run(options: &Options) -> Result<()> {
    if source::needs_feature(&options.source) {
        return source::run_with_feature(options);
    }
    let root = project::root()?;
    match update(&root, options, &mut Here { root: &root })? {
        // Everything is written: whether anybody reads of it changes nothing.
        Some(page) => drop(std::io::stdout().write_all(page.markdown().as_bytes())),
        None => println!("The document is the one that is here; nothing changed."),
    }
    Ok(())
}

struct Here<'r> {
    root: &'r Path,
}

impl Surroundings for Here<'_> {
    fn before(&mut self, step: Step) -> Result<()> {
        eprintln!("{}", format!("{step:?}").to_lowercase());
        Ok(())
    }

    /// The copy shares the build folder, so that only what changed is compiled.
    fn check(&mut self, copy: &Path) -> Result<Vec<String>> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), Into::into);
        compiled::check(copy, &target)
    }
}

const DOCUMENT: &str = "openapi/paid-v2.json";
const NAMES: &str = "openapi/names.yaml";
const OVERLAY: &str = "openapi/overlay.yaml";
const SUPPLEMENT: &str = "openapi/supplement.yaml";
const CHANGELOG: &str = "CHANGELOG.md";

/// Returns nothing if the document is the one that is here.
fn update(root: &Path, options: &Options, surroundings: &mut dyn Surroundings) -> Result<Option<Page>> {
    surroundings.before(Step::Read)?;
    let published = source::read(&options.source)?;
    let mut copy = Staging::of(root)?;
    let old = document::load(&root.join(DOCUMENT))?;

    surroundings.before(Step::Import)?;
    let (canonical, proposals) = imported(&mut copy, &published, &old)?;
    let canonical_text = document::to_canonical_json(&canonical);
    if canonical_text == copy.read(DOCUMENT)? && proposals.is_empty() {
        return Ok(None);
    }
    copy.write(DOCUMENT, &canonical_text)?;

    surroundings.before(Step::Compare)?;
    let wire = diff::compare(&old, &published)?;
    let caught_up = caught_up(&mut copy, &old, &canonical)?;
    let split_off = following::split_off(&proposals);
    follow(&mut copy, &split_off)?;

    surroundings.before(Step::Overlay)?;
    let conflict = || supplement::conflict(&caught_up);
    let client = seen_by_users(root, &copy, (&old, &canonical), &split_off).with_context(conflict)?;

    surroundings.before(Step::Generate)?;
    codegen::refresh(copy.root()).with_context(conflict)?;

    surroundings.before(Step::Describe)?;
    let version = described(&mut copy, &client, options.bump)?;

    surroundings.before(Step::Check)?;
    let by_hand = surroundings.check(copy.root())?;

    surroundings.before(Step::Write)?;
    let written = copy.move_to(root)?;
    Ok(Some(Page { wire, client, proposals, caught_up, version, by_hand, written }))
}

/// The document in canonical form; what `names.yaml` does not decide is proposed there.
fn imported(copy: &mut Staging, published: &Value, old: &Value) -> Result<(Value, Vec<naming::Proposal>)> {
    let text = copy.read(NAMES)?;
    let table = NameTable::parse(&text).context(NAMES)?;
    let (plain, _) = import::canonicalise(published.clone(), &NameTable::default(), Decisions::Optional)?;
    let proposals = naming::propose(&plain, &table, old)?;
    let text = table::with(&text, &proposals)?;
    let table = NameTable::parse(&text).context("the names that were proposed")?;
    let (canonical, _) = import::canonicalise(published.clone(), &table, Decisions::Required)?;
    copy.write(NAMES, &text)?;
    Ok((canonical, proposals))
}

/// Makes the overlay and the supplement speak of what is split off as they spoke of what it was a part of.
fn follow(copy: &mut Staging, split_off: &[(&str, &str)]) -> Result<()> {
    for path in [SUPPLEMENT, OVERLAY].into_iter().filter(|_| !split_off.is_empty()) {
        if let Some(text) = copy.find(path)? {
            copy.write(path, &following::with(&text, split_off))?;
        }
    }
    Ok(())
}

/// Drops from the supplement what is published now.
fn caught_up(copy: &mut Staging, old: &Value, new: &Value) -> Result<Vec<supplement::Part>> {
    let Some(text) = copy.find(SUPPLEMENT)? else { return Ok(Vec::new()) };
    let mut parts = supplement::compare(&text, old, new).context(SUPPLEMENT)?;
    let left = supplement::without_identical(&text, &parts).context(SUPPLEMENT)?;
    supplement::mark_kept(&mut parts, &left)?;
    copy.write(SUPPLEMENT, &left)?;
    Ok(parts)
}

/// What changes for users: the supplement counts as published to them.
fn seen_by_users(
    root: &Path,
    copy: &Staging,
    (old, new): (&Value, &Value),
    split_off: &[(&str, &str)],
) -> Result<Report> {
    let mut before = old.clone();
    if let Ok(text) = std::fs::read_to_string(root.join(SUPPLEMENT)) {
        before = Overlay::parse(&text).context(SUPPLEMENT)?.apply(before)?;
    }
    let mut after = new.clone();
    if let Some(text) = copy.find(SUPPLEMENT)? {
        after = fit::apply(SUPPLEMENT, &text, after, &before)?;
    }
    // The overlay decides on types and on what may be missing, so users see the documents as it leaves them.
    let overlay = copy.read(OVERLAY)?;
    let after = fit::apply(OVERLAY, &overlay, after, &before)?;
    let before = Overlay::parse(&overlay).context(OVERLAY)?.run_on_older(before)?;
    diff::compare_with(&before, &after, split_off.iter().map(|pair| following::finding(*pair)).collect())
}

/// The changelog's entry, and the version where it is asked for.
fn described(copy: &mut Staging, client: &Report, bump: bool) -> Result<version::Bump> {
    let text = copy.read(CHANGELOG)?;
    copy.write(CHANGELOG, &changelog::with_entry(&text, client)?)?;
    let manifest = copy.read("Cargo.toml")?;
    let version = version::following(&manifest, client.rust)?;
    if bump {
        copy.write("Cargo.toml", &version.applied(&manifest))?;
        let lock = copy.read("Cargo.lock")?;
        copy.write("Cargo.lock", &version.applied_to_lock(&lock))?;
        let page = copy.read("README.md")?;
        copy.write("README.md", &version.applied_to_page(&page))?;
    }
    Ok(version)
}
