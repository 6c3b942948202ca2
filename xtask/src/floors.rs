//! `cargo xtask floors`: holds the sources against the floors that `ARCHITECTURE.md` writes, and against the rules of the
//! house that a program can check.

mod declared;
mod edges;
mod files;
mod graph;
mod house;
mod judge;
mod methods;
mod paths;
mod plan;
mod resolve;
mod tree;
mod violation;

use std::path::Path;

use anyhow::{Context, Result, bail};

use plan::{PAGE, Plan};
use violation::{Rule, Violation};

/// Checks the workspace at `root`, prints a table and what breaks a rule.
///
/// # Errors
///
/// If a rule is broken, or something cannot be read.
pub(crate) fn run(root: &Path) -> Result<()> {
    let page = std::fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let plan = Plan::read(&page)?;
    let sources = files::read(root)?;
    let mut violations = house::files(&plan, &sources);
    for folder in house::folders_without_floors(root, &plan)? {
        let text = format!("there is no block `floors {folder}`");
        violations.push(Violation::new(PAGE, 1, Rule::Listing, text));
    }
    for floors in &plan.houses {
        let (table, broken) = house::check(root, floors, &plan, &sources)?;
        println!("{table}");
        violations.extend(broken);
    }
    violations.sort();
    violations.dedup();
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        number => bail!("{number} rule(s) of the house are broken; {PAGE} says what they are for"),
    }
}
