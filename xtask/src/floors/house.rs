//! One package's check: its rooms, uses and numbers, as violations and as a table.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;

use super::edges::{self, Edges};
use super::files::{LONGEST, Source};
use super::judge::{self, Circle};
use super::plan::{FeatureLines, House, PAGE, Plan};
use super::tree::{self, Tree};
use super::violation::{Rule, Violation};

/// The source folder in which conditions on features are counted.
const COUNTED: &str = "paid-api/src";

/// The workspace's source folders that have modules and no floors. Examples are free, because users copy them, and so is the
/// book, whose modules are pages.
pub(super) fn folders_without_floors(root: &Path, plan: &Plan) -> Result<Vec<String>> {
    let manifest = manifest(&root.join("Cargo.toml"))?;
    let members = manifest.get("workspace").and_then(|table| table.get("members")).and_then(toml::Value::as_array);
    let has_floors = |path: &&str| !path.starts_with("examples/") && *path != "docs";
    let folders = members.into_iter().flatten().filter_map(toml::Value::as_str).filter(has_floors);
    let is_missing = |folder: &String| plan.houses.iter().all(|house| house.folder != *folder);
    Ok(folders.map(|member| format!("{member}/src")).filter(is_missing).collect())
}

/// The rules for every file alone.
pub(super) fn files(plan: &Plan, sources: &[Source]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in sources {
        for line in &source.path_attributes {
            let text = "`#[path]`: a module's file has the module's name".to_owned();
            violations.push(Violation::new(&source.path, *line, Rule::PathAttribute, text));
        }
        let is_of_library = source.path.starts_with(COUNTED) && source.path != Path::new(COUNTED).join("lib.rs");
        for line in source.own_macros.iter().filter(|_| is_of_library) {
            let text = "what `paid_macros` expands into uses room `annotated`: only `lib.rs` re-exports it".to_owned();
            violations.push(Violation::new(&source.path, *line, Rule::Unfollowed, text));
        }
        let is_listed = plan.long_files.contains_key(&*source.path.to_string_lossy());
        if source.lines > LONGEST && !source.is_generated && !is_listed {
            let text = format!("{} lines; a file of more than {LONGEST} is split along its seams", source.lines);
            violations.push(Violation::new(&source.path, LONGEST + 1, Rule::LongFile, text));
        }
    }
    for (path, note) in &plan.long_files {
        let is_source = Path::new(path).components().any(|part| part.as_os_str() == "src");
        let is_long = sources.iter().any(|source| source.path == Path::new(path) && source.lines > LONGEST);
        if is_source || !is_long {
            let why = if is_source { "sources are never long" } else { "it is not long, or not there" };
            let text = format!("`{path}` may not be listed as a long file (\"{}\"): {why}", note.reason);
            violations.push(Violation::new(PAGE, note.line, Rule::LongFile, text));
        }
    }
    violations
}

/// Checks one package.
pub(super) fn check(root: &Path, house: &House, plan: &Plan, sources: &[Source]) -> Result<(String, Vec<Violation>)> {
    let tree = tree::read(root, &house.folder, &library_name(root, &house.folder)?)?;
    let uses = edges::edges(&tree);
    let circles = judge::circles_in_rooms(&tree, &uses);
    let numbers = count_features(&house.folder, sources);
    let mut violations = Vec::new();
    for (file, line, why) in &tree.unreadable {
        violations.push(Violation::new(file, *line, Rule::Unfollowed, why.clone()));
    }
    unreached(house, &tree, sources, &mut violations);
    judge::listing(house, &tree, &mut violations);
    judge::climbs(house, &tree, &uses, &mut violations);
    judge::circles_of_rooms(&tree, &uses, &mut violations);
    judge::sizes_of_circles(&circles, &mut violations);
    features(house, plan, numbers, &mut violations);
    Ok((table(house, &tree, &uses, &circles, numbers), violations))
}

/// A package's name in Rust.
fn library_name(root: &Path, folder: &str) -> Result<String> {
    let path = root.join(folder).parent().unwrap_or(root).join("Cargo.toml");
    let manifest = manifest(&path)?;
    let name = |table: &str| manifest.get(table).and_then(|table| table.get("name")).and_then(toml::Value::as_str);
    let name = name("lib").or_else(|| name("package")).with_context(|| format!("{} has no name", path.display()))?;
    Ok(name.replace('-', "_"))
}

fn manifest(path: &Path) -> Result<toml::Table> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| format!("cannot read {}", path.display()))
}

/// A file that no `mod` leads to could be brought in by other means.
fn unreached(house: &House, tree: &Tree, sources: &[Source], violations: &mut Vec<Violation>) {
    for source in sources {
        if source.path.starts_with(&house.folder) && !tree.files.contains(&source.path) {
            let text = "no `mod` leads to this file".to_owned();
            violations.push(Violation::new(&source.path, 1, Rule::Unfollowed, text));
        }
    }
    for file in tree.files.iter().filter(|file| !file.starts_with(&house.folder)) {
        let text = format!("a module of `{}` outside of its folder", house.folder);
        violations.push(Violation::new(file, 1, Rule::Unfollowed, text));
    }
}

/// Conditions on features: in all, and outside of `lib.rs`.
fn count_features(folder: &str, sources: &[Source]) -> (usize, usize) {
    let lib = PathBuf::from(folder).join("lib.rs");
    let of_folder = sources.iter().filter(|source| source.path.starts_with(folder) && !source.is_generated);
    let lines = |source: &Source| source.feature_lines.len();
    let all = of_folder.clone().map(lines).sum();
    (all, of_folder.filter(|source| source.path != lib).map(lines).sum())
}

/// The numbers on the page are the numbers in the sources.
fn features(house: &House, plan: &Plan, (all, outside): (usize, usize), violations: &mut Vec<Violation>) {
    let Some(FeatureLines { all: all_written, outside_lib, line }) = plan.features.get(&house.folder) else {
        if house.folder == COUNTED {
            let text = format!("{PAGE} has no block `features {COUNTED}`");
            violations.push(Violation::new(PAGE, house.line, Rule::Features, text));
        }
        return;
    };
    for (name, counted, written) in [("all", all, *all_written), ("outside lib.rs", outside, *outside_lib)] {
        let what = match counted.cmp(&written) {
            std::cmp::Ordering::Equal => continue,
            std::cmp::Ordering::Greater => "decide at a module or a re-export, not in its parts",
            std::cmp::Ordering::Less => "write the new, lower number",
        };
        let text =
            format!("`{name}: {written}`: {counted} lines of `{}` have a condition on a feature: {what}", house.folder);
        violations.push(Violation::new(PAGE, *line, Rule::Features, text));
    }
}

/// The floors from the top down, as a house is drawn.
fn table(house: &House, tree: &Tree, uses: &Edges, circles: &[(&str, Circle<'_>)], numbers: (usize, usize)) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([house.folder.as_str(), "rooms", "may use beside them"]);
    for floor in house.floors.iter().rev() {
        let rooms: Vec<_> = floor.rooms.iter().map(|room| room.name.as_str()).collect();
        let given: Vec<_> = floor.permissions.iter().map(|given| format!("{} > {}", given.user, given.used)).collect();
        table.add_row([floor.name.clone(), wrapped(&rooms), wrapped(&given)]);
    }
    let between = uses.edges.iter().filter_map(|edge| judge::between_rooms(tree, edge));
    let pairs = between.collect::<std::collections::BTreeSet<_>>().len();
    let rooms = judge::rooms(tree).len();
    let mut text = format!("{table}\n{rooms} rooms, {pairs} edges between them, ");
    let _ = match circles.first() {
        Some((room, circle)) => write!(text, "largest circle in a room: {} files of `{room}`", circle.files.len()),
        None => write!(text, "no circles in rooms"),
    };
    if numbers.0 > 0 {
        let _ = write!(text, "; lines with a condition on a feature: {}, {} outside lib.rs", numbers.0, numbers.1);
    }
    text.push('\n');
    text
}

fn wrapped<S: AsRef<str>>(names: &[S]) -> String {
    names
        .chunks(4)
        .map(|line| line.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "))
        .collect::<Vec<_>>()
        .join("\n")
}
