//! The fenced blocks of a page. The line before a block says where it comes from: `<!-- output: PATH -->` for what a program
//! printed, `<!-- file: PATH -->` for a file that a test compiles. Paths start at the folder of the book.

use std::path::Path;

use super::{docs, read};

pub(super) struct Block {
    pub(super) language: String,
    pub(super) lines: Vec<String>,
}

/// All blocks of a page.
pub(super) fn of(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let inside = lines.by_ref().take_while(|line| !line.trim_start().starts_with("```"));
            blocks.push(Block { language: language.to_owned(), lines: inside.map(str::to_owned).collect() });
        }
    }
    blocks
}

/// The page with what its blocks should be. Panics if a block says neither where it comes from nor is code that rustdoc or another
/// program reads.
pub(super) fn held(path: &Path, page: &str) -> String {
    let mut out = String::new();
    let (mut before, mut lines) = ("", page.lines());
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let inside: Vec<&str> = lines.by_ref().take_while(|line| !line.trim_start().starts_with("```")).collect();
            match origin(before) {
                Some(origin) => out.push_str(&from(origin, &inside)),
                None if is_by_hand(before) => inside.iter().for_each(|line| out.push_str(&format!("{line}\n"))),
                None => {
                    assert!(
                        is_held_elsewhere(language, &inside),
                        "{}: no test holds the block\n{}",
                        path.display(),
                        inside.join("\n")
                    );
                    inside.iter().for_each(|line| out.push_str(&format!("{line}\n")));
                }
            }
            out.push_str(&line[..line.len() - language.len()]);
            out.push('\n');
        }
        before = line;
    }
    out
}

/// `<!-- by hand: WHY -->`; a test counts them.
pub(super) fn is_by_hand(before: &str) -> bool {
    before.starts_with("<!-- by hand: ")
}

fn origin(before: &str) -> Option<&str> {
    let comment = before.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    comment.strip_prefix("output: ").or_else(|| comment.strip_prefix("file: "))
}

/// Commands stay as they are; what follows them is what was printed.
fn from(origin: &str, inside: &[&str]) -> String {
    let commands = inside.iter().take_while(|line| line.starts_with("$ ")).map(|line| format!("{line}\n"));
    let path = docs().join(origin);
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    // trybuild names its case and where the catalogue is; a user has a program, and the catalogue beside it.
    let mut printed = read(&path);
    for folder in ["book", "prices"] {
        printed = printed.replace(&format!("tests/ui/fail/{folder}/{name}.rs"), "src/main.rs");
    }
    for catalogue in ["$WORKSPACE/docs/signals.toml", "$DIR/tests/ui/fail/prices/prices.toml"] {
        printed = printed.replace(catalogue, "signals.toml");
    }
    commands.collect::<String>() + printed.trim_end() + "\n"
}

fn is_held_elsewhere(language: &str, inside: &[&str]) -> bool {
    let is_command = |line: &&str| line.is_empty() || line.starts_with("$ ");
    match language {
        "console" => inside.iter().all(is_command),
        "toml" | "yaml" | "sh" | "js" | "python" | "diff" => true,
        _ => language.starts_with("rust") && !language.contains("ignore"),
    }
}
