//! The check time of an operation in our client and in those of other generators, of the same documents in one run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::bench::compile::{better, check, scratch};
use crate::bench::measure::{self, Taken};
use crate::bench::row::{Bar, Row};
use crate::document;
use crate::tools::Tool;

/// What is generated from, beside this project.
const DOCUMENTS: &str = "../shared/openapi/others";
const ROUNDS: usize = 3;
const BAR: Bar = Bar::AtMost(0.7);

/// Another generator of the registry.
struct Peer {
    tool: Tool,
    /// Writes a crate from a document.
    generate: fn(&Path, &Path, &Path) -> Result<()>,
}

const PEERS: [Peer; 2] = [
    Peer { tool: Tool { name: "oas3-gen", version: "0.29.0" }, generate: oas3_gen },
    Peer { tool: Tool { name: "openapi-to-rust", version: "0.23.0" }, generate: openapi_to_rust },
];

pub(super) fn rows(root: &Path) -> Result<Vec<Row>> {
    let documents = documents(root)?;
    if documents.is_empty() {
        let why = format!("there are no documents in {DOCUMENTS}");
        return Ok(PEERS.iter().map(|peer| Row::not_run(label("a document", peer), BAR, why.as_str())).collect());
    }
    let scratch = scratch(root).join("foreign");
    std::fs::create_dir_all(&scratch)?;
    let tools = PEERS.iter().map(|peer| peer.tool.path()).collect::<Result<Vec<_>>>()?;
    let mut rows = Vec::new();
    for path in documents {
        let title = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let ours = Client::ours(&path, &scratch.join(format!("{title}-ours")))?;
        for (peer, tool) in PEERS.iter().zip(&tools) {
            let folder = scratch.join(format!("{title}-{}", peer.tool.name));
            let theirs = match tool {
                Ok(program) => Client::of(peer, program, &path, &folder),
                Err(why) => Err(anyhow::anyhow!("{why}")),
            };
            rows.push(compared(label(&title, peer), &ours, theirs, &scratch.join("target"))?);
        }
    }
    Ok(rows)
}

fn label(title: &str, peer: &Peer) -> String {
    format!("check of an operation of {title}, share of {}", peer.tool.name)
}

fn documents(root: &Path) -> Result<Vec<PathBuf>> {
    let folder = root.join(DOCUMENTS);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let paths = std::fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let mut paths: Vec<_> = paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "json" || kind == "yaml"))
        .collect();
    paths.sort();
    Ok(paths)
}

/// A generated crate.
struct Client {
    folder: PathBuf,
    package: String,
    operations: usize,
}

impl Client {
    fn ours(document: &Path, folder: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["codegen", "--spec"]).arg(document).arg("--out").arg(folder);
        measure::command(&command)?;
        Ok(Self { folder: folder.to_owned(), package: "paid-generated".into(), operations: operations(document)? })
    }

    fn of(peer: &Peer, program: &Path, document: &Path, folder: &Path) -> Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        (peer.generate)(program, document, folder)?;
        let path = folder.join("Cargo.toml");
        let mut manifest = std::fs::read_to_string(&path)?;
        let read: toml::Table = manifest.parse()?;
        if !read.contains_key("workspace") {
            // It lies in this workspace's folder and is no member.
            manifest.push_str("\n[workspace]\n");
            std::fs::write(&path, manifest)?;
        }
        let package = read["package"]["name"].as_str().context("a package without a name")?.to_owned();
        Ok(Self { folder: folder.to_owned(), package, operations: functions(&folder.join("src"))? })
    }
}

fn operations(path: &Path) -> Result<usize> {
    let document = document::load(path)?;
    let mut all = 0;
    document::for_each_operation(&document, |_, _, _, _| {
        all += 1;
        Ok(())
    })?;
    Ok(all)
}

/// The methods of a client that make a request: its public async functions with a receiver.
fn functions(folder: &Path) -> Result<usize> {
    let mut all = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all += functions(&path)?;
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text: String = std::fs::read_to_string(&path)?.split_whitespace().collect::<Vec<_>>().join(" ");
            let methods = text.split("pub async fn ").skip(1);
            all += methods.filter(|rest| rest.split_once(')').is_some_and(|(head, _)| head.contains("&self"))).count();
        }
    }
    Ok(all)
}

/// One row; both crates are checked in turns, so that a busy moment of the machine affects both.
fn compared(label: String, ours: &Client, theirs: Result<Client>, target: &Path) -> Result<Row> {
    let theirs = match theirs {
        Ok(client) if client.operations > 0 => client,
        Ok(_) => return Ok(Row::not_run(label, BAR, "its client has no operations")),
        Err(error) => return Ok(Row::not_run(label, BAR, first_line(&error))),
    };
    let mut best: [Option<Taken>; 2] = [None, None];
    // The first round builds the dependencies.
    for round in 0..=ROUNDS {
        eprintln!("  round {round} of {ROUNDS}: {label}");
        let taken = check(&ours.folder, target, &ours.package, &[])?;
        best[0] = (round > 0).then(|| better(best[0].take(), taken));
        // A client that does not compile says so in the first round.
        match check(&theirs.folder, target, &theirs.package, &[]) {
            Ok(taken) => best[1] = (round > 0).then(|| better(best[1].take(), taken)),
            Err(error) => return Ok(Row::not_run(label, BAR, first_line(&error))),
        }
    }
    let [Some(our_time), Some(their_time)] = best else { bail!("no round") };
    #[allow(clippy::cast_precision_loss)]
    let each = |taken: Taken, client: &Client| taken.seconds / client.operations as f64;
    let note = format!(
        "{:.2} s for {} operations, {:.2} s for {}; best of {ROUNDS}, in turns",
        our_time.seconds, ours.operations, their_time.seconds, theirs.operations
    );
    Ok(Row::new(label, each(our_time, ours) / each(their_time, &theirs), BAR, note))
}

/// What went wrong, in one line: the first error of a compiler, if there is one.
fn first_line(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    let line = text.lines().find(|line| line.starts_with("error") || line.starts_with("Error"));
    line.or_else(|| text.lines().next()).unwrap_or_default().chars().take(120).collect()
}

fn oas3_gen(program: &Path, document: &Path, folder: &Path) -> Result<()> {
    let mut command = Command::new(program);
    command.args(["generate", "client-mod", "--workspace", "-i"]).arg(document).arg("-o").arg(folder);
    measure::command(&command).map(|_| ())
}

/// It writes modules, and says what a crate around them depends on.
fn openapi_to_rust(program: &Path, document: &Path, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder.join("src"))?;
    let document = document.canonicalize()?;
    let mut command = Command::new(program);
    command.arg("generate").arg(&document).current_dir(folder);
    measure::command(&command)?;
    let needed = std::fs::read_to_string(folder.join("src/generated/REQUIRED_DEPS.toml"))?;
    let package = "[package]\nname = \"openapi-to-rust-client\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n";
    std::fs::write(folder.join("Cargo.toml"), format!("{package}{needed}"))?;
    Ok(std::fs::write(folder.join("src/lib.rs"), "pub mod generated;\n")?)
}
