//! What is accepted, and what is rejected with which words: a test for each file below `tests/ui`.
//!
//! `TRYBUILD=overwrite` writes the words anew; read them. A name after `--` chooses cases that contain it.
//! Every catalogue needs an environment of its own, so the cases of one run in a process of their own, together: what they
//! depend on is built once. trybuild asks cargo once for all cases that must not compile, unless there are others beside them.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod accepted;
mod crates;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};

const CATALOGUE: &str = "PAID_SIGNALS";
const CASES: &str = "PAID_UI_CASES";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui")
}

fn main() -> ExitCode {
    if let Ok(cases) = std::env::var(CASES) {
        run_here(&cases);
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::from_args();
    // One group after the other: they share trybuild's folder.
    arguments.test_threads = Some(1);
    let groups = groups().into_iter().map(|group| Arc::new(group.chosen(&arguments)));
    let trials = groups.flat_map(|group| Group::trials(&group)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs cases with the environment of this process, and panics if one fails.
fn run_here(cases: &str) {
    let runner = trybuild::TestCases::new();
    for case in cases.split(',') {
        runner.compile_fail(format!("tests/ui/{case}"));
    }
}

/// Cases that share an environment.
struct Group {
    cases: Vec<String>,
    catalogue: Option<PathBuf>,
    outcomes: OnceLock<Outcomes>,
}

/// Of each case, by its path below `tests/ui`: if it is not as it should be, what was said.
type Outcomes = BTreeMap<String, Result<(), String>>;

fn groups() -> Vec<Group> {
    let group = |patterns: &[&str], catalogue: Option<PathBuf>| Group {
        cases: patterns.iter().flat_map(|pattern| cases(pattern)).collect(),
        catalogue,
        outcomes: OnceLock::new(),
    };
    let at = |path: &str| Some(folder().join(path));
    let mut groups = vec![
        // The client's mistakes stand here, too, because what the cases depend on is built once.
        group(&["pass/*.rs", "fail/*.rs", "fail/client/*.rs"], None),
        group(&["pass/catalog/*.rs", "fail/catalog/*.rs"], at("signals.toml")),
        group(&["pass/lints/*.rs", "fail/lints/outcome_without_key_denied.rs"], at("fail/lints/deny.toml")),
        group(&["fail/lints/outcome_without_key_warned_of.rs"], at("fail/lints/warn.toml")),
        group(&["pass/prices/*.rs", "fail/prices/*.rs"], at("fail/prices/prices.toml")),
        // The mistakes that the book and README show, with what they show.
        group(&["fail/book/*.rs"], folder().join("../../../docs/signals.toml").canonicalize().ok()),
        group(&["fail/broken/catalogue_that_is_not_there.rs"], Some("/nowhere/signals.toml".into())),
    ];
    for case in [
        "syntax",
        "unknown_type",
        "contradictory_bounds",
        "contradictory_classes",
        "contradictory_prices",
        "duplicate",
        "signal_for_signals",
    ] {
        let case = format!("fail/broken/catalogue_with_{case}");
        groups.push(group(&[&format!("{case}.rs")], at(&format!("{case}.toml"))));
    }
    groups
}

/// The files that a pattern names: one file, or all of a folder.
fn cases(pattern: &str) -> Vec<String> {
    let Some(inside) = pattern.strip_suffix("/*.rs") else { return vec![pattern.to_owned()] };
    let files = std::fs::read_dir(folder().join(inside)).unwrap().map(|file| file.unwrap().file_name());
    let names = files.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with(".rs"));
    let mut cases: Vec<_> = names.map(|name| format!("{inside}/{name}")).collect();
    cases.sort();
    cases
}

impl Group {
    /// Those that the arguments name.
    fn chosen(mut self, arguments: &Arguments) -> Self {
        let is_named = |case: &str, name: &str| if arguments.exact { case == name } else { case.contains(name) };
        self.cases.retain(|case| {
            arguments.filter.as_ref().is_none_or(|name| is_named(case, name))
                && !arguments.skip.iter().any(|name| is_named(case, name))
        });
        self
    }

    fn trials(group: &Arc<Self>) -> Vec<Trial> {
        let trial = |case: &String| {
            let (group, name) = (Arc::clone(group), case.clone());
            Trial::test(case, move || group.outcome_of(&name))
        };
        group.cases.iter().map(trial).collect()
    }

    fn outcome_of(&self, case: &str) -> Result<(), Failed> {
        let outcomes = self.outcomes.get_or_init(|| self.run());
        outcomes.get(case).cloned().unwrap_or_else(|| Err("it was not tried".to_owned())).map_err(Failed::from)
    }

    fn run(&self) -> Outcomes {
        let (accepted, refused): (Vec<&str>, Vec<&str>) =
            self.cases.iter().map(String::as_str).partition(|case| case.starts_with("pass"));
        let catalogue = self.catalogue.as_deref().unwrap_or(Path::new("none"));
        let mut outcomes = accepted::outcomes(&accepted, &folder(), &[(CATALOGUE, catalogue)]);
        if !refused.is_empty() {
            outcomes.extend(refusals(&refused, catalogue));
        }
        outcomes
    }
}

/// What trybuild says of cases that must not compile.
fn refusals(cases: &[&str], catalogue: &Path) -> Outcomes {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(CASES, cases.join(",")).env("NO_COLOR", "1").env(CATALOGUE, catalogue);
    let output = command.output().unwrap();
    let all = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let of_cases = of_cases(&all);
    let outcome = |case: &&str| match of_cases.get(*case) {
        Some(said) if said.lines().next().is_some_and(|first| first.ends_with("... ok")) => Ok(()),
        Some(said) => Err(said.clone()),
        None => Err(format!("nothing was said of it:\n{all}")),
    };
    cases.iter().map(|case| ((*case).to_owned(), outcome(case))).collect()
}

/// What trybuild prints, from the line that names a case to the next.
fn of_cases(all: &str) -> BTreeMap<String, String> {
    let mut of_cases = BTreeMap::new();
    for said in all.split("\ntest tests/ui/").skip(1) {
        let case = said.split_whitespace().next().unwrap_or_default();
        of_cases.insert(case.to_owned(), said.to_owned());
    }
    of_cases
}
