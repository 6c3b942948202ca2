//! `cargo xtask codegen`: the pipeline, read top to bottom.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::names::{Decisions, NameTable};
use crate::overlay::Overlay;
use crate::reshape::{self, Target};
use crate::sync::{self, Tree};
use crate::{document, downlevel, facts, generate, import, normal, project, simplify};

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Compare only.
    pub(crate) check: bool,
    /// Another document than the checked-in one.
    pub(crate) spec: Option<PathBuf>,
    /// A stand-alone crate instead of the library's sources.
    pub(crate) out: Option<PathBuf>,
    /// Changes to another document than Paid's.
    pub(crate) overlay: Option<PathBuf>,
    /// Names of its types.
    pub(crate) names: Option<PathBuf>,
}

/// What was made.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) tree: Tree,
    pub(crate) operations: usize,
    pub(crate) types: usize,
    pub(crate) lines: usize,
}

const OWNED: [&str; 1] = ["paid-api/src/generated"];
/// What is ours in a crate of its own.
const CRATE: [&str; 1] = ["src/generated"];
/// How much memory the steps may use for calls inside each other; it is not taken before it is needed.
const STACK: usize = 512 << 20;

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<()> {
    let started = Instant::now();
    let root = project::root()?;
    let spec = options.spec.clone().unwrap_or_else(|| root.join("openapi/paid-v2.json"));
    let published = document::load(&spec)?;
    let (base, owned, output): (_, &[&str], _) = match &options.out {
        Some(out) if options.spec.is_some() && !is_paids(&root, &published)? => {
            let output = on_a_large_stack(|| foreign(&root, published, options));
            (out.clone(), &CRATE, output.with_context(|| spec.display().to_string())?)
        }
        Some(_) if options.overlay.is_some() || options.names.is_some() => {
            bail!("`--overlay` and `--names` are for another document than Paid's: pass it with `--spec`")
        }
        out => {
            let overlays = Overlays::load(&root)?;
            let published = match &options.spec {
                Some(_) => tried(&root, published).with_context(|| spec.display().to_string())?,
                None => published,
            };
            match out {
                Some(out) => {
                    (out.clone(), &CRATE[..1], stand_alone(&root, published, &overlays, options.spec.is_some())?)
                }
                None => (root.clone(), &OWNED, library(&root, published, &overlays)?),
            }
        }
    };
    if options.check {
        let difference = sync::diff(&base, &output.tree, owned)?;
        if !difference.is_empty() {
            print!("{difference}");
            bail!("generated files are stale: run `cargo xtask codegen` and commit the result");
        }
    } else {
        for path in sync::write(&base, &output.tree, owned)? {
            eprintln!("  wrote {}", path.display());
        }
    }
    eprintln!(
        "codegen: {} operations, {} types, {} lines, {:.1} s{}",
        output.operations,
        output.types,
        output.lines,
        started.elapsed().as_secs_f64(),
        if options.check { ": fresh" } else { "" }
    );
    Ok(())
}

/// Documents may be nested deeply.
fn on_a_large_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work)?;
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Another company's document, as it is, with its own overlay and names.
fn foreign(root: &Path, published: Value, options: &Options) -> Result<Output> {
    let read_as = |path: &PathBuf| read(path);
    let overlay =
        options.overlay.as_ref().map(|path| Overlay::parse(&read_as(path)?).context(path.display().to_string()));
    let names = options.names.as_ref().map(|path| NameTable::load(path)).transpose()?.unwrap_or_default();
    let published = match overlay.transpose()? {
        Some(overlay) => overlay.apply(published)?,
        None => published,
    };
    step("normalise");
    let normal = normal::normalise(&published, &names)?;
    drop(published);
    let (facts, raw, files) = client(&normal.document, Target::StandAlone)?;
    for note in &normal.notes {
        eprintln!("  {note}");
    }
    eprintln!("  {} names chosen here; `--names FILE` renames them", normal.chosen);
    let mut tree = crate_of(root, files, &facts, normal.document["info"]["title"].as_str().unwrap_or_default())?;
    if std::env::var_os(ROUND_TRIP).is_some() {
        tree.insert("tests/round_trip/calls.rs".into(), reshape::foreign_round_trip(&raw, &facts)?);
    }
    Ok(output(tree, &facts))
}

/// Another document on its way to a client, without its files being written.
#[cfg(test)]
pub(crate) struct Attempt;

#[cfg(test)]
impl Attempt {
    /// The files of the client.
    pub(crate) fn of(document: Value) -> Result<reshape::Files> {
        on_a_large_stack(move || {
            let normal = normal::normalise(&document, &NameTable::default())?;
            let (facts, raw, files) = client(&normal.document, Target::StandAlone)?;
            reshape::foreign_round_trip(&raw, &facts)?;
            Ok(files)
        })
    }
}

/// With this variable, another document's crate gets the calls of its round trips.
const ROUND_TRIP: &str = "PAID_CODEGEN_ROUND_TRIP";

/// The steps from a document in the generator's form to files.
fn client(simple: &Value, target: Target) -> Result<(facts::Facts, generate::Raw, reshape::Files)> {
    let facts = facts::read(simple)?;
    step("downlevel to 3.0.3");
    let lowered = downlevel::downlevel(facts.schemas());
    step("progenitor");
    let raw = generate::generate(&lowered)?;
    step("reshape");
    let files = reshape::reshape(&raw, &facts, target)?;
    Ok((facts, raw, files))
}

/// Generates the library's files in this checkout from what is in it.
pub(crate) fn refresh(root: &Path) -> Result<()> {
    let published = document::load(&root.join("openapi/paid-v2.json"))?;
    let output = library(root, published, &Overlays::load(root)?)?;
    sync::write(root, &output.tree, &OWNED)?;
    Ok(())
}

/// Whether a document describes the servers that ours describes.
fn is_paids(root: &Path, document: &Value) -> Result<bool> {
    let ours = document::load(&root.join("openapi/paid-v2.json"))?;
    Ok(document.pointer("/servers/0/url") == ours.pointer("/servers/0/url"))
}

/// Another document, published or canonical, in canonical form; what it leaves to decide is only reported.
fn tried(root: &Path, published: Value) -> Result<Value> {
    let names = NameTable::load(&root.join("openapi/names.yaml"))?;
    let (canonical, report) = import::canonicalise(published, &names, Decisions::Optional)?;
    for decision in report.open {
        eprintln!("  to decide before it is imported: {decision}");
    }
    Ok(canonical)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

const SUPPLEMENT: &str = "openapi/supplement.yaml";

/// What is laid over the published document, in this order.
pub(crate) struct Overlays {
    supplement: Option<Overlay>,
    overlay: Overlay,
}

impl Overlays {
    /// Reads both files. The supplement may be missing: one day Paid publishes all of it.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let parse = |name: &str| Overlay::parse(&read(&root.join(name))?).context(name.to_owned());
        let has_supplement = root.join(SUPPLEMENT).try_exists().context(SUPPLEMENT)?;
        let supplement = has_supplement.then(|| parse(SUPPLEMENT)).transpose()?;
        Ok(Self { supplement, overlay: parse("openapi/overlay.yaml")? })
    }

    /// Applies both.
    pub(crate) fn apply(&self, published: Value) -> Result<Value> {
        self.overlaid(published, false)
    }

    fn overlaid(&self, published: Value, lenient: bool) -> Result<Value> {
        let document = self.supplemented(published, lenient)?;
        applied(&self.overlay, document, lenient).context("openapi/overlay.yaml")
    }

    /// Adds what Paid's clients know beyond the published document.
    pub(crate) fn supplemented(&self, published: Value, lenient: bool) -> Result<Value> {
        let Some(supplement) = &self.supplement else { return Ok(published) };
        let mut document = applied(supplement, published, lenient).context(SUPPLEMENT)?;
        import::sort_sets(&mut document);
        Ok(document)
    }
}

fn applied(overlay: &Overlay, document: Value, lenient: bool) -> Result<Value> {
    if lenient { overlay.apply_where_it_matches(document) } else { overlay.apply(document) }
}

/// The steps that every output shares.
fn pipeline(
    published: Value,
    overlays: &Overlays,
    lenient: bool,
    target: Target,
) -> Result<(Value, facts::Facts, reshape::Files)> {
    step("supplement and overlay");
    let document = overlays.overlaid(published, lenient)?;
    step("simplify");
    let simple = simplify::simplify(document.clone())?;
    let (facts, _, files) = client(&simple, target)?;
    Ok((document, facts, files))
}

fn step(name: &str) {
    eprintln!("  {name}");
}

/// The sources of `paid-api`, its feature list, and the calls of its round-trip test.
pub(crate) fn library(root: &Path, published: Value, overlays: &Overlays) -> Result<Output> {
    let (document, facts, files) = pipeline(published, overlays, false, Target::Library)?;
    let features = reshape::feature_list(&facts, &defaults(&document), &files);
    let mut tree: Tree = files.into_iter().map(|(name, text)| (Path::new("paid-api/src").join(name), text)).collect();
    tree.insert("paid-api/src/generated/document.json".into(), facts_only(&document));
    tree.insert("paid-api/tests/round_trip/calls.rs".into(), reshape::round_trip(&facts)?);
    let manifest = read(&root.join("paid-api/Cargo.toml"))?;
    tree.insert("paid-api/Cargo.toml".into(), with_features(&manifest, &features)?);
    Ok(output(tree, &facts))
}

/// A crate that depends on the library's runtime. A foreign document need not have all that the overlay names.
fn stand_alone(root: &Path, published: Value, overlays: &Overlays, foreign: bool) -> Result<Output> {
    let (document, facts, files) = pipeline(published, overlays, foreign, Target::StandAlone)?;
    let tree = crate_of(root, files, &facts, document["info"]["title"].as_str().unwrap_or("a document"))?;
    Ok(output(tree, &facts))
}

fn crate_of(root: &Path, files: reshape::Files, facts: &facts::Facts, title: &str) -> Result<Tree> {
    let mut tree: Tree = files.into_iter().map(|(name, text)| (Path::new("src").join(name), text)).collect();
    tree.insert("src/lib.rs".into(), "//! A client generated by `cargo xtask codegen --out`.\n\n#[rustfmt::skip]\nmod generated;\npub use generated::*;\n".into());
    let defaults = facts.resources.iter().map(|resource| resource.feature.clone()).collect::<Vec<_>>();
    let features = reshape::own_feature_list(facts, &defaults);
    let words: Vec<&str> = title.split(|letter: char| letter.is_whitespace() || letter.is_control()).collect();
    // Text of JSON without control characters is text of TOML.
    let title = Value::String(words.join(" "));
    let runtime = Value::String(root.join("paid-api").display().to_string());
    tree.insert(
        "Cargo.toml".into(),
        format!(
            "[package]\nname = \"paid-generated\"\ndescription = {title}\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[lib]\n# Examples in a document's prose are not Rust.\ndoctest = false\n\n[workspace]\n\n[features]\n{features}full-serde = []\n\n[dependencies]\npaid-api = {{ path = {runtime}, default-features = false, features = [\"stand-alone\"] }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n",
        ),
    );
    Ok(tree)
}

fn output(tree: Tree, facts: &facts::Facts) -> Output {
    Output {
        operations: facts.resources.iter().map(|resource| resource.operations.len()).sum(),
        types: facts.types.len() + facts.newtypes.len(),
        lines: tree
            .iter()
            .filter(|(path, _)| path.extension().is_some_and(|kind| kind == "rs"))
            .map(|(_, text)| text.lines().count())
            .sum(),
        tree,
    }
}

/// The document the emulator validates against: compact, no prose, none of our extensions.
fn facts_only(document: &Value) -> String {
    let mut document = document.clone();
    if let Some(root) = document.as_object_mut() {
        root.retain(|key, _| !key.starts_with("x-") && key != "tags");
    }
    document::visit_schemas(&mut document, &mut |schema, _| {
        if let Some(object) = schema.as_object_mut() {
            object.retain(|key, _| !key.starts_with("x-") && key != "description");
        }
    });
    for operation in document::operations_mut(&mut document) {
        operation.retain(|key, _| !key.starts_with("x-") && key != "description");
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(parameter) = parameter.as_object_mut() {
                parameter.remove("description");
            }
        }
    }
    document.sort_all_objects();
    format!("{document}\n")
}

fn defaults(document: &Value) -> Vec<String> {
    let tags = document.get("tags").and_then(Value::as_array).into_iter().flatten();
    let named = |tag: &Value| tag["x-rust-name"].as_str().or(tag["name"].as_str()).map(str::to_owned);
    let resources = tags.filter(|tag| tag["x-rust-default"] == true).filter_map(named);
    let more = document.get("x-rust-default-features").and_then(Value::as_array).into_iter().flatten();
    resources.chain(more.filter_map(Value::as_str).map(str::to_owned)).collect()
}

const BEGIN: &str = "# Generated by `cargo xtask codegen`: begin\n";
const END: &str = "# Generated by `cargo xtask codegen`: end\n";

fn with_features(manifest: &str, features: &str) -> Result<String> {
    let parts = manifest.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) = parts.context("paid-api/Cargo.toml: the markers of the generated feature list are gone")?;
    Ok(format!("{head}{BEGIN}{features}{END}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_files_are_fresh() {
        let root = project::root().unwrap();
        let published = document::load(&root.join("openapi/paid-v2.json")).unwrap();
        let overlays = Overlays::load(&root).unwrap();
        let output = library(&root, published, &overlays).unwrap();
        let difference = sync::diff(&root, &output.tree, &OWNED).unwrap();
        assert!(difference.is_empty(), "run `cargo xtask codegen`:\n{difference}");
    }

    #[test]
    fn a_supplement_that_is_no_longer_needed_may_be_missing() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("openapi")).unwrap();
        let ours = project::root().unwrap().join("openapi/overlay.yaml");
        std::fs::copy(ours, root.path().join("openapi/overlay.yaml")).unwrap();
        assert!(Overlays::load(root.path()).unwrap().supplement.is_none());
        std::fs::write(root.path().join(SUPPLEMENT), "broken: [").unwrap();
        assert!(Overlays::load(root.path()).is_err());
    }

    #[test]
    fn only_the_marked_part_of_the_manifest_is_replaced() {
        let manifest = format!("a\n{BEGIN}old\n{END}b\n");
        assert_eq!(with_features(&manifest, "new\n").unwrap(), format!("a\n{BEGIN}new\n{END}b\n"));
        assert!(with_features("a", "new").is_err());
    }
}
