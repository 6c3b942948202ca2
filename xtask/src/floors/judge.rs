//! Holds the uses against the plan: who climbs, who goes sideways, who goes round in a circle.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::edges::{Edge, Edges};
use super::graph::Graph;
use super::plan::{House, PAGE};
use super::tree::Tree;
use super::violation::{Rule, Violation};

/// The most files of a room that may import each other in one circle.
pub(super) const LARGEST_CIRCLE: usize = 9;

/// The rooms that are there, each with the line that declares it.
pub(super) fn rooms(tree: &Tree) -> BTreeMap<&str, (&Path, usize)> {
    let mut found = BTreeMap::new();
    for module in &tree.modules {
        let room_of = |id: usize| tree.modules[id].room.as_deref();
        if let Some(room) = module.room.as_deref()
            && module.parent.and_then(room_of).is_none()
        {
            found.entry(room).or_insert((module.file.as_path(), module.line));
        }
    }
    found
}

/// Every room is listed once, and every listed room is there.
pub(super) fn listing(house: &House, tree: &Tree, violations: &mut Vec<Violation>) {
    let there = rooms(tree);
    for room in house.floors.iter().flat_map(|floor| &floor.rooms) {
        let is_there = match room.name.strip_suffix('*') {
            Some(start) => there.keys().any(|name| name.starts_with(start)),
            None => there.contains_key(room.name.as_str()),
        };
        if !is_there {
            let text = format!("room `{}` is listed for `{}`, but there is no such module", room.name, house.folder);
            violations.push(Violation::new(PAGE, room.line, Rule::Listing, text));
        }
    }
    for (room, (file, line)) in there {
        if floor_of(house, room).is_none() {
            let text = format!("room `{room}` stands on no floor: list it in {PAGE}, line {} and below", house.line);
            violations.push(Violation::new(file, line, Rule::Listing, text));
        }
    }
}

/// The floor of a room, counted from the ground. `bin/*` stands for every program that is not listed itself.
fn floor_of(house: &House, room: &str) -> Option<usize> {
    let on = |name: &str| house.floors.iter().position(|floor| floor.rooms.iter().any(|room| room.name == name));
    on(room).or_else(|| room.starts_with("bin/").then(|| on("bin/*")).flatten())
}

/// No use climbs or goes sideways without permission.
pub(super) fn climbs(house: &House, tree: &Tree, edges: &Edges, violations: &mut Vec<Violation>) {
    for loose in &edges.loose {
        let text = format!("`{}` cannot be followed: {}", loose.path, loose.why);
        violations.push(Violation::new(&loose.file, loose.line, Rule::Unfollowed, text));
    }
    for ((file, line, user, used), uses) in by_line(tree, edges) {
        let (Some(from), Some(to)) = (floor_of(house, user), floor_of(house, used)) else { continue };
        let [from_floor, to_floor] = [from, to].map(|floor| &house.floors[floor]);
        let permitted = from_floor.permissions.iter().any(|given| given.user == user && given.used == used);
        let (rule, why) = match from.cmp(&to) {
            Ordering::Less => {
                let why = format!("climbs from floor `{}` to floor `{}`", from_floor.name, to_floor.name);
                (Rule::Climb, why)
            }
            Ordering::Equal if !permitted => {
                let why = format!("goes sideways on floor `{}`, which does not say `{user} > {used}`", from_floor.name);
                (Rule::Sideways, why)
            }
            _ => continue,
        };
        let through =
            if uses.iter().all(|edge| edge.through_front) { " (the front door makes it of that)" } else { "" };
        let paths: BTreeSet<_> = uses.iter().map(|edge| format!("`{}`", edge.path)).collect();
        let paths = paths.into_iter().collect::<Vec<_>>().join(", ");
        let text = format!("{paths}: room `{user}` uses room `{used}`{through}; that {why}");
        violations.push(Violation::new(file, line, rule, text));
    }
}

/// A line, and the two rooms between which it makes a use.
type Step<'a> = (&'a Path, usize, &'a str, &'a str);

fn by_line<'a>(tree: &'a Tree, edges: &'a Edges) -> BTreeMap<Step<'a>, Vec<&'a Edge>> {
    let mut found: BTreeMap<Step<'a>, Vec<&'a Edge>> = BTreeMap::new();
    for edge in &edges.edges {
        if let Some((user, used)) = between_rooms(tree, edge) {
            found.entry((&edge.file, edge.line, user, used)).or_default().push(edge);
        }
    }
    found
}

/// The two rooms of a use that leaves its room.
pub(super) fn between_rooms<'a>(tree: &'a Tree, edge: &Edge) -> Option<(&'a str, &'a str)> {
    let room = |id: usize| tree.modules[id].room.as_deref();
    let (user, used) = (room(edge.from)?, room(edge.to)?);
    (user != used).then_some((user, used))
}

/// No circle between rooms: one shortest for each group of rooms that reach each other.
pub(super) fn circles_of_rooms(tree: &Tree, edges: &Edges, violations: &mut Vec<Violation>) {
    let mut graph = Graph::new();
    for edge in &edges.edges {
        if let Some((user, used)) = between_rooms(tree, edge) {
            graph.add(user, used, edge);
        }
    }
    for members in graph.circles() {
        let circle = graph.shortest_circle(&members);
        let steps: Vec<_> = circle.windows(2).filter_map(|pair| graph.edge(&pair[0], &pair[1])).copied().collect();
        let Some(first) = steps.first() else { continue };
        let mut text = format!("rooms use each other in a circle: {}", circle.join(" > "));
        for step in &steps {
            text.push_str(&format!("\n    {}:{}: `{}`", step.file.display(), step.line, step.path));
        }
        if members.len() + 1 > circle.len() {
            let all: Vec<_> = members.iter().copied().collect();
            text.push_str(&format!("\n    {} rooms reach each other: {}", members.len(), all.join(", ")));
        }
        violations.push(Violation::new(&first.file, first.line, Rule::Circle, text));
    }
}

/// The files of one room that import each other, one group a circle.
pub(super) fn circles_in_rooms<'a>(tree: &'a Tree, edges: &'a Edges) -> Vec<(&'a str, Circle<'a>)> {
    let mut rooms: BTreeMap<&str, Graph<&PathBuf, &Edge>> = BTreeMap::new();
    for edge in &edges.edges {
        let [user, used] = [edge.from, edge.to].map(|id| &tree.modules[id]);
        if user.room == used.room
            && let Some(room) = &user.room
        {
            rooms.entry(room).or_insert_with(Graph::new).add(&user.file, &used.file, edge);
        }
    }
    let mut found = Vec::new();
    for (room, graph) in &rooms {
        for files in graph.circles() {
            let inside =
                |from: &&PathBuf| files.iter().filter_map(|to| graph.edge(from, to)).copied().collect::<Vec<_>>();
            let edges = files.iter().flat_map(inside).collect();
            found.push((*room, Circle { files, edges }));
        }
    }
    found.sort_by_key(|(_, circle)| std::cmp::Reverse(circle.files.len()));
    found
}

/// Files that import each other, and one use for each step.
#[derive(Debug)]
pub(super) struct Circle<'a> {
    pub(super) files: BTreeSet<&'a PathBuf>,
    pub(super) edges: Vec<&'a Edge>,
}

/// No circle in a room has too many files.
pub(super) fn sizes_of_circles(circles: &[(&str, Circle<'_>)], violations: &mut Vec<Violation>) {
    for (room, circle) in circles.iter().filter(|(_, circle)| circle.files.len() > LARGEST_CIRCLE) {
        let Some(first) = circle.edges.first() else { continue };
        let number = circle.files.len();
        let mut text =
            format!("{number} files of room `{room}` import each other in a circle; at most {LARGEST_CIRCLE} may");
        for file in &circle.files {
            text.push_str(&format!("\n    {}", file.display()));
            for edge in circle.edges.iter().filter(|edge| edge.file == **file) {
                text.push_str(&format!("\n        {}: `{}`", edge.line, edge.path));
            }
        }
        violations.push(Violation::new(&first.file, first.line, Rule::LargeCircle, text));
    }
}
