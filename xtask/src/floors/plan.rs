//! The floors as `ARCHITECTURE.md` writes them. Knows no Rust source.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};

/// The page that the plan is read from.
pub(super) const PAGE: &str = "ARCHITECTURE.md";

/// Everything the page says.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) houses: Vec<House>,
    /// By source folder.
    pub(super) features: BTreeMap<String, FeatureLines>,
    /// Files that may be long, with the reason.
    pub(super) long_files: BTreeMap<String, Note>,
}

/// The floors of one source folder, from the ground up.
#[derive(Debug)]
pub(super) struct House {
    /// As in `paid-api/src`.
    pub(super) folder: String,
    pub(super) line: usize,
    pub(super) floors: Vec<Floor>,
}

#[derive(Debug)]
pub(super) struct Floor {
    pub(super) name: String,
    pub(super) rooms: Vec<Room>,
    /// Rooms on this floor that may use others on it.
    pub(super) permissions: Vec<Permission>,
}

#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: String,
    pub(super) line: usize,
}

/// `user > used`
#[derive(Debug)]
pub(super) struct Permission {
    pub(super) user: String,
    pub(super) used: String,
    pub(super) line: usize,
}

/// How many lines have a condition on a cargo feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct FeatureLines {
    pub(super) all: usize,
    pub(super) outside_lib: usize,
    pub(super) line: usize,
}

#[derive(Debug)]
pub(super) struct Note {
    pub(super) reason: String,
    pub(super) line: usize,
}

impl Plan {
    /// Reads the fenced blocks `floors FOLDER`, `features FOLDER` and `long files`.
    ///
    /// # Errors
    ///
    /// If a line of a block cannot be read.
    pub(super) fn read(page: &str) -> Result<Self> {
        let mut plan = Self::default();
        for block in blocks(page)? {
            match block.info.split_whitespace().collect::<Vec<_>>()[..] {
                ["floors", folder] => {
                    ensure!(
                        plan.houses.iter().all(|house| house.folder != folder),
                        "{PAGE}:{}: a second block of floors for `{folder}`",
                        block.line
                    );
                    plan.houses.push(house(folder, &block)?);
                }
                ["features", folder] => {
                    let lines = feature_lines(&block)?;
                    ensure!(
                        plan.features.insert(folder.to_owned(), lines).is_none(),
                        "{PAGE}:{}: a second block of features for `{folder}`",
                        block.line
                    );
                }
                ["long", "files"] => plan.long_files.extend(long_files(&block)?),
                _ => {}
            }
        }
        Ok(plan)
    }
}

/// A fenced block, with the number of its first line.
struct Block<'a> {
    info: &'a str,
    line: usize,
    lines: Vec<(usize, &'a str)>,
}

fn blocks(page: &str) -> Result<Vec<Block<'_>>> {
    let mut found = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (number, line) in (1..).zip(page.lines()) {
        let fence = line.strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(info)) => open = Some(Block { info: info.trim(), line: number, lines: Vec::new() }),
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) if !line.trim().is_empty() => block.lines.push((number, line)),
            _ => {}
        }
    }
    if let Some(block) = open {
        bail!("{PAGE}:{}: this block is not closed", block.line);
    }
    Ok(found)
}

fn house(folder: &str, block: &Block<'_>) -> Result<House> {
    let mut floors: Vec<Floor> = Vec::new();
    for &(line, text) in &block.lines {
        if !text.starts_with(char::is_whitespace) {
            let Some((name, rooms)) = text.split_once(':') else {
                bail!("{PAGE}:{line}: a floor is written `name: room, room`");
            };
            let rooms = listed(rooms, line)?.map(|name| Room { name, line }).collect();
            floors.push(Floor { name: name.trim().to_owned(), rooms, permissions: Vec::new() });
            continue;
        }
        let Some(floor) = floors.last_mut() else {
            bail!("{PAGE}:{line}: the first line of a block names a floor");
        };
        match text.split_once('>') {
            None => floor.rooms.extend(listed(text, line)?.map(|name| Room { name, line })),
            Some((user, used)) => {
                let user = user.trim().to_owned();
                floor.permissions.extend(listed(used, line)?.map(|used| Permission { user: user.clone(), used, line }));
            }
        }
    }
    let house = House { folder: folder.to_owned(), line: block.line, floors };
    house.check()?;
    Ok(house)
}

fn listed(text: &str, line: usize) -> Result<impl Iterator<Item = String>> {
    let names: Vec<_> = text
        .trim()
        .trim_end_matches(',')
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|n| !n.is_empty())
        .collect();
    if let Some(name) = names.iter().find(|name| name.contains(char::is_whitespace)) {
        bail!("{PAGE}:{line}: `{name}` is not the name of a room; names are separated by commas");
    }
    Ok(names.into_iter())
}

impl House {
    /// Each room once; permissions only between rooms of their floor, and never in a circle.
    fn check(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        for room in self.floors.iter().flat_map(|floor| &floor.rooms) {
            ensure!(seen.insert(&room.name), "{PAGE}:{}: room `{}` is listed twice", room.line, room.name);
        }
        for floor in &self.floors {
            for permission in &floor.permissions {
                let Permission { user, used, line } = permission;
                for name in [user, used] {
                    ensure!(
                        floor.rooms.iter().any(|room| room.name == *name),
                        "{PAGE}:{line}: `{user} > {used}`: room `{name}` is not on the floor `{}`",
                        floor.name
                    );
                }
                ensure!(
                    user != used && !floor.reaches(used, user),
                    "{PAGE}:{line}: `{user} > {used}` closes a circle of permissions"
                );
            }
        }
        Ok(())
    }
}

impl Floor {
    /// Whether permissions lead from one room to another, in any number of steps.
    fn reaches(&self, from: &str, to: &str) -> bool {
        let mut seen = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(room) = open.pop() {
            for permission in self.permissions.iter().filter(|permission| permission.user == room) {
                if seen.insert(&permission.used) {
                    open.push(&permission.used);
                }
            }
        }
        seen.contains(to)
    }
}

fn feature_lines(block: &Block<'_>) -> Result<FeatureLines> {
    let number = |name: &str| -> Result<usize> {
        for (line, text) in &block.lines {
            if let Some((_, number)) = text.split_once(':').filter(|(key, _)| key.trim() == name) {
                return number.trim().parse().map_err(|_| anyhow::anyhow!("{PAGE}:{line}: `{name}` is a whole number"));
            }
        }
        bail!("{PAGE}:{}: this block has no line `{name}: NUMBER`", block.line)
    };
    Ok(FeatureLines { all: number("all")?, outside_lib: number("outside lib.rs")?, line: block.line })
}

fn long_files(block: &Block<'_>) -> Result<Vec<(String, Note)>> {
    let note = |&(line, text): &(usize, &str)| match text.split_once(':') {
        Some((path, reason)) if !reason.trim().is_empty() => {
            Ok((path.trim().to_owned(), Note { reason: reason.trim().to_owned(), line }))
        }
        _ => bail!("{PAGE}:{line}: a long file is written `path: reason`"),
    };
    block.lines.iter().map(note).collect()
}
