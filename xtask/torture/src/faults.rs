//! `--faults`: puts faults back that were mended, one after the other, and shows that the simulator finds each.
//!
//! A fault is a patch in `xtask/torture/faults`. Its first lines, up to the first `diff`, say what is wrong with it. Each is
//! applied to a copy of the sources, so that the working tree stays as it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;

/// What the simulator found of a fault.
struct Found {
    name: String,
    about: String,
    /// The claim that fails, and the first seed in which it does.
    claim: Option<(String, u64)>,
}

/// Runs this many stories with every fault whose name holds `only`; returns true if each is found.
///
/// # Errors
///
/// If the sources cannot be copied, or do not compile as they are.
pub(crate) fn run(seeds: u64, only: &str) -> Result<bool> {
    let root = root()?;
    let mut patches: Vec<_> = std::fs::read_dir(root.join("xtask/torture/faults"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "patch"))
        .filter(|path| path.to_string_lossy().contains(only))
        .collect();
    patches.sort();
    let copy = copy(&root)?;
    eprintln!("  the sources as they are");
    let before = broken(&copy, seeds, false)?;
    let mut found = Vec::new();
    for patch in &patches {
        // One that does not compile must not hide the others.
        let one = one(&copy, patch, seeds, &before).unwrap_or_else(|error| Found {
            name: name_of(patch),
            about: format!("{error:#}"),
            claim: None,
        });
        let claim = one.claim.as_ref().map_or_else(|| "NOT FOUND".to_owned(), |(claim, _)| claim.clone());
        eprintln!("  {}: {claim}", one.name);
        found.push(one);
    }
    println!("{}", table(&found));
    Ok(found.iter().all(|one| one.claim.is_some()))
}

/// The checkout that this was called in; what is compiled in may be another that shares the build folder.
fn root() -> Result<PathBuf> {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(std::env::current_dir, |folder| Ok(folder.into()))?;
    let root = here.ancestors().find(|folder| folder.join("xtask/torture/faults").is_dir());
    Ok(root.with_context(|| format!("{} is in no checkout", here.display()))?.to_path_buf())
}

/// The sources beside the build folder, as they are in the working tree.
fn copy(root: &Path) -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let copy = target.join("torture/sources");
    if copy.exists() {
        std::fs::remove_dir_all(&copy)?;
    }
    std::fs::create_dir_all(&copy)?;
    let listed = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .output()?;
    for file in String::from_utf8(listed.stdout)?.split('\0').filter(|file| !file.is_empty()) {
        let to = copy.join(file);
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // A file that is deleted, but not yet in the index.
        if root.join(file).exists() {
            std::fs::copy(root.join(file), to)?;
        }
    }
    Ok(copy)
}

fn name_of(patch: &Path) -> String {
    patch.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned()
}

fn one(copy: &Path, patch: &Path, seeds: u64, before: &BTreeMap<String, u64>) -> Result<Found> {
    let name = name_of(patch);
    let text = std::fs::read_to_string(patch)?;
    let about: Vec<_> = text.lines().take_while(|line| !line.starts_with("diff")).map(str::trim).collect();
    let apply = |reverse: &[&str]| -> Result<()> {
        let applied = Command::new("patch")
            .current_dir(copy)
            .args(["-p1", "--silent", "--force", "--no-backup-if-mismatch", "--input"])
            .arg(patch)
            .args(reverse)
            .status()
            .context("the program `patch` is needed")?;
        if !applied.success() {
            bail!("{} does not apply", patch.display());
        }
        Ok(())
    };
    apply(&[])?;
    let broken = broken(copy, seeds, before.is_empty()).with_context(|| format!("with {name}"));
    apply(&["--reverse"])?;
    let is_new = |claim: &str, seed: u64| before.get(claim).is_none_or(|before| seed < *before);
    let claim = broken?.into_iter().filter(|(claim, seed)| is_new(claim, *seed)).min_by_key(|(_, seed)| *seed);
    Ok(Found { name, about: about.join(" ").trim().to_owned(), claim })
}

/// The claims that fail in the sources, each with the first seed in which it does; or only the first of them.
fn broken(copy: &Path, seeds: u64, only_first: bool) -> Result<BTreeMap<String, u64>> {
    let output = Command::new("cargo")
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", copy.join("../target"))
        // A patch changes a few lines.
        .env("CARGO_INCREMENTAL", "1")
        .args(["run", "--quiet", "--release", "-p", "torture", "--", "--brief", "--seeds", &seeds.to_string()])
        .args(only_first.then_some("--first"))
        .stderr(Stdio::piped())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut broken = BTreeMap::new();
    for line in said.lines() {
        if let Some((seed, claim)) = line.strip_prefix("seed ").and_then(|line| line.split_once(": ")) {
            broken.insert(claim.to_owned(), seed.parse()?);
        }
    }
    if broken.is_empty() && !output.status.success() {
        bail!("the simulator does not run:\n{}\n{said}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(broken)
}

fn table(found: &[Found]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["fault", "what is wrong", "the claim that fails", "first seed"]);
    for one in found {
        let (claim, seed) = match &one.claim {
            Some((claim, seed)) => (claim.clone(), seed.to_string()),
            None => ("NOT FOUND".to_owned(), String::new()),
        };
        table.add_row([one.name.clone(), one.about.clone(), claim, seed]);
    }
    table
}
