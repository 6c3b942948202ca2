//! Holds the pages to what they show: every page is listed, every link leads somewhere, every block of output is what a test
//! has found a program to print. `UPDATE_GOLDEN=1` writes the blocks anew.
#![allow(clippy::unwrap_used)]

mod blocks;
mod settings;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).replace("\r\n", "\n")
}

/// The pages of the book.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for folder in ["", "how-to", "reference"] {
        for entry in std::fs::read_dir(docs().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") && !path.ends_with("SUMMARY.md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// The pages of the book, and those outside of it.
fn all_pages() -> Vec<PathBuf> {
    let outside = ["../README.md", "../AGENTS.md", "../SECURITY.md", "../CONTRIBUTING.md", "../llms.txt"];
    pages().into_iter().chain(outside.iter().map(|page| docs().join(page))).collect()
}

fn is_updated() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// Compares a page with what it should be, or writes it.
fn hold(page: &Path, expected: &str) {
    if is_updated() {
        std::fs::write(page, expected).unwrap();
    }
    let found = if page.exists() { read(page) } else { String::new() };
    let line = found.lines().zip(expected.lines()).position(|(one, other)| one != other).unwrap_or_default();
    assert!(
        found == expected,
        "{} is not what was found, from line {} on; `UPDATE_GOLDEN=1 cargo test -p xtask --test book` writes it; it should be:\n{}",
        page.display(),
        line + 1,
        expected.lines().skip(line).take(12).collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn every_page_is_in_the_summary_and_its_code_is_compiled() {
    let (summary, compiled) = (read(&docs().join("SUMMARY.md")), read(&docs().join("src/lib.rs")));
    for page in pages() {
        let name = page.strip_prefix(docs()).unwrap().to_str().unwrap().replace('\\', "/");
        assert!(summary.contains(&format!("({name})")), "{name} is not in SUMMARY.md");
        assert!(compiled.contains(&format!("\"../{name}\"")), "{name} is not in src/lib.rs");
    }
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_of_it() {
    let mut pages = all_pages();
    pages.push(docs().join("SUMMARY.md"));
    for page in pages {
        for link in links(&read(&page)) {
            let (path, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if !heading.is_empty() {
                let is_there =
                    read(&target).lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading);
                assert!(is_there, "{}: {link} names no heading", page.display());
            }
        }
    }
}

/// The relative links of a page, outside of code.
fn links(page: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut is_code = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        for part in line.split("](").skip(1).filter(|_| !is_code) {
            let link = part.split(')').next().unwrap_or_default();
            if !link.contains("://") && !link.is_empty() {
                links.push(link.to_owned());
            }
        }
    }
    links
}

/// A heading as mdBook and code hosts name it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
        .collect::<String>()
        .replace(' ', "-")
}

#[test]
fn every_block_of_output_is_what_a_program_printed() {
    for page in all_pages() {
        let found = read(&page);
        hold(&page, &blocks::held(&page, &found));
    }
}

#[test]
fn few_blocks_of_output_are_written_by_hand() {
    let by_hand = all_pages()
        .iter()
        .map(|page| read(page).lines().filter(|line| blocks::is_by_hand(line)).count())
        .sum::<usize>();
    assert_eq!(by_hand, 0, "this number only becomes smaller");
}

#[test]
fn readme_has_no_hidden_lines() {
    let readme = read(&docs().join("../README.md"));
    let hidden: Vec<_> = blocks::of(&readme)
        .into_iter()
        .filter(|block| block.language.starts_with("rust"))
        .flat_map(|block| block.lines)
        .filter(|line| line.trim_start().starts_with("# ") || line.trim() == "#")
        .collect();
    assert!(hidden.is_empty(), "a code host shows these lines: {hidden:?}");
}

#[test]
fn the_page_of_errors_has_every_text() {
    let page = plain(&read(&docs().join("reference/errors.md")));
    let library = docs().join("../paid-api/src");
    let files = [
        "error.rs",
        "error/unreadable.rs",
        "report.rs",
        "webhook.rs",
        "outbox/store.rs",
        "dispatch.rs",
        "trace/token.rs",
    ];
    let mut missing = BTreeSet::new();
    for file in files {
        let texts = texts_of_errors(&read(&library.join(file)));
        missing.extend(texts.iter().flat_map(|text| pieces(text)).map(|piece| format!("{file}: {piece}")));
    }
    for file in sources(&library) {
        let texts = texts_after(&read(&file), "ConfigError::new(");
        missing.extend(texts.iter().flat_map(|text| pieces(text)).map(|piece| format!("{}: {piece}", file.display())));
    }
    missing.retain(|said| !page.contains(&plain(said.split_once(": ").unwrap().1)));
    assert!(missing.is_empty(), "docs/reference/errors.md has no {missing:#?}");
}

/// The literals of `#[error("...")]`.
fn texts_of_errors(source: &str) -> Vec<String> {
    texts_after(source, "#[error(")
}

/// The literals behind some text, or in a `format!` behind it.
fn texts_after(source: &str, before: &str) -> Vec<String> {
    let texts = source.split(before).skip(1).filter_map(|rest| {
        let rest = rest.trim_start();
        let rest = rest.strip_prefix("format!(").unwrap_or(rest).trim_start();
        let text = rest.strip_prefix('"')?.replace("\\\n", "\n");
        Some(text.split('"').next()?.split_whitespace().collect::<Vec<_>>().join(" "))
    });
    texts.collect()
}

/// The library's files, without those of the emulator and of programs.
fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("src/bin") && !path.ends_with("src/emulator") {
                files.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// What stands between the placeholders, without what is too short to look for.
fn pieces(text: &str) -> Vec<String> {
    let between = text.split('{').flat_map(|part| part.split_once('}').map_or([part, ""], |(_, after)| [after, ""]));
    between.map(|piece| piece.trim().to_owned()).filter(|piece| piece.len() > 9).collect()
}

/// Without what markup and sources write differently.
fn plain(text: &str) -> String {
    text.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_of_compile_errors_is_what_the_tests_of_the_macros_hold() {
    let folder = docs().join("../paid-macros/tests/ui/fail");
    let mut messages = BTreeSet::new();
    collect(&folder, &mut messages);
    let mut page = String::from(
        "# Compile errors\n\nEverything that the macros say, as the tests of the macros have it; each text says what to write instead. A name in \
         it is that of an example.\n\n",
    );
    for message in messages {
        page.push_str(&format!("- {}\n", message.replace('<', "\\<").replace('[', "\\[").replace('|', "\\|")));
    }
    hold(&docs().join("reference/compile-errors.md"), &page);
}

/// The first lines of the errors of ours, below a folder. Those of the compiler have a number.
fn collect(folder: &Path, messages: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, messages);
        } else if path.extension().is_some_and(|extension| extension == "stderr") {
            let text = read(&path);
            let ours = text
                .lines()
                .filter_map(|line| line.strip_prefix("error: "))
                .filter(|line| !line.starts_with("aborting"));
            messages.extend(ours.map(|line| line.replace("$DIR/tests/ui/", "").replace("$WORKSPACE/docs/", "")));
        }
    }
}
