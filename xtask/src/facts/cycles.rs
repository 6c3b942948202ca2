//! Which types hold themselves: Rust wants such a value in a box.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, Shape, Type};

/// The types that hold each other, by a number for each group.
#[derive(Debug, Default)]
pub(crate) struct Cycles(BTreeMap<String, usize>);

impl Cycles {
    /// Finds the groups: types that a type reaches, and that reach it (Kosaraju).
    pub(super) fn find(types: &BTreeMap<String, Type>) -> Self {
        let edges: BTreeMap<&str, Vec<&str>> =
            types.iter().map(|(name, known)| (name.as_str(), known.shape.held())).collect();
        let mut back: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (from, to) in edges.iter().flat_map(|(from, all)| all.iter().map(move |to| (*from, *to))) {
            back.entry(to).or_default().push(from);
        }
        let mut seen = BTreeSet::new();
        let mut finished = Vec::new();
        for name in edges.keys() {
            walk(name, &edges, &mut seen, &mut finished);
        }
        let mut groups = BTreeMap::new();
        let mut grouped = BTreeSet::new();
        for (number, name) in finished.iter().rev().enumerate() {
            let mut group = Vec::new();
            walk(name, &back, &mut grouped, &mut group);
            let alone = group.len() == 1 && !edges.get(name).is_some_and(|all| all.contains(name));
            if !alone {
                groups.extend(group.into_iter().map(|name| (name.to_owned(), number)));
            }
        }
        Self(groups)
    }

    /// Whether a value of one type may be inside a value of itself, by way of the other.
    pub(crate) fn joins(&self, one: &str, other: &str) -> bool {
        self.0.get(one).is_some_and(|group| self.0.get(other) == Some(group))
    }
}

/// Depth first, without recursion; a name is finished after what it leads to.
fn walk<'a>(
    start: &'a str,
    edges: &BTreeMap<&'a str, Vec<&'a str>>,
    seen: &mut BTreeSet<&'a str>,
    finished: &mut Vec<&'a str>,
) {
    let mut stack = vec![(start, false)];
    while let Some((name, is_done)) = stack.pop() {
        if is_done {
            finished.push(name);
        } else if seen.insert(name) {
            stack.push((name, true));
            stack.extend(edges.get(name).into_iter().flatten().map(|next| (*next, false)));
        }
    }
}

impl Shape {
    /// The components that a value holds itself, not in a list or a map.
    fn held(&self) -> Vec<&str> {
        fn component(kind: &Kind) -> Option<&str> {
            if let Kind::Component(name) = kind { Some(name) } else { None }
        }
        match self {
            Self::Struct(fields) => fields.iter().filter_map(|field| component(&field.kind)).collect(),
            Self::OneOf(branches) => branches.iter().filter_map(|branch| component(&branch.value.kind)).collect(),
            Self::Union { variants, .. } => {
                variants.iter().filter_map(|variant| variant.type_name.as_deref()).collect()
            }
            Self::Choice(variants) => variants.iter().map(|variant| variant.type_name.as_str()).collect(),
            Self::Enum(_) | Self::Scalars(_) | Self::Codes(_) => Vec::new(),
        }
    }
}
