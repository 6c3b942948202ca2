//! Circles in a graph. Knows nothing else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Who uses whom, with the first place that says so.
#[derive(Debug)]
pub(super) struct Graph<K, E> {
    edges: BTreeMap<K, BTreeMap<K, E>>,
}

impl<K: Ord + Clone, E> Graph<K, E> {
    pub(super) fn new() -> Self {
        Self { edges: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, from: K, to: K, edge: E) {
        if from != to {
            self.edges.entry(from).or_default().entry(to).or_insert(edge);
        }
    }

    pub(super) fn edge(&self, from: &K, to: &K) -> Option<&E> {
        self.edges.get(from)?.get(to)
    }

    /// The groups of two and more in which each reaches each, largest first.
    pub(super) fn circles(&self) -> Vec<BTreeSet<K>> {
        let reached: BTreeMap<&K, BTreeSet<&K>> = self.edges.keys().map(|from| (from, self.reached(from))).collect();
        let mut found: Vec<BTreeSet<K>> = Vec::new();
        for (from, all) in &reached {
            let members: BTreeSet<K> = all
                .iter()
                .filter(|to| reached.get(**to).is_some_and(|back| back.contains(from)))
                .map(|to| (*to).clone())
                .collect();
            if members.len() > 1 && !found.contains(&members) {
                found.push(members);
            }
        }
        found.sort_by_key(|members| std::cmp::Reverse(members.len()));
        found
    }

    fn reached(&self, from: &K) -> BTreeSet<&K> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<_> = self.edges.get(from).into_iter().flat_map(BTreeMap::keys).collect();
        while let Some(node) = open.pop() {
            if seen.insert(node) {
                open.extend(self.edges.get(node).into_iter().flat_map(BTreeMap::keys));
            }
        }
        seen
    }

    /// The shortest way round among `members`; it ends where it begins.
    pub(super) fn shortest_circle(&self, members: &BTreeSet<K>) -> Vec<K> {
        members.iter().filter_map(|start| self.way_back(start)).min_by_key(Vec::len).unwrap_or_default()
    }

    fn way_back(&self, start: &K) -> Option<Vec<K>> {
        let mut came_from: BTreeMap<&K, &K> = BTreeMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(node) = open.pop_front() {
            for next in self.edges.get(node).into_iter().flat_map(BTreeMap::keys) {
                if came_from.contains_key(next) {
                    continue;
                }
                came_from.insert(next, node);
                if next == start {
                    return Some(trail(&came_from, start));
                }
                open.push_back(next);
            }
        }
        None
    }
}

fn trail<K: Ord + Clone>(came_from: &BTreeMap<&K, &K>, start: &K) -> Vec<K> {
    let mut way = vec![start.clone()];
    let mut node = start;
    while let Some(previous) = came_from.get(node) {
        way.push((*previous).clone());
        if *previous == start {
            break;
        }
        node = previous;
    }
    way.reverse();
    way
}
