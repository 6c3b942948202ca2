//! Findings for people: with the line, as the compiler writes them.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::Path;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level as Shown, Renderer, Snippet};
use paid::account::{Finding, Place};
use paid_catalog::Level;

use super::Report;
use crate::out;

pub(super) fn print(report: &Report<'_>) -> io::Result<()> {
    let is_plain = !io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
    let renderer = if is_plain { Renderer::plain() } else { Renderer::styled() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut texts: BTreeMap<&Path, String> = BTreeMap::new();
    for finding in report.findings {
        let file = finding.place.file.as_path();
        let text =
            texts.entry(file).or_insert_with(|| visible_lines(&std::fs::read_to_string(file).unwrap_or_default()));
        out::line(format_args!("{}\n", renderer.render(&[group(finding, text)])))?;
    }
    for note in report.notes {
        out::line(format_args!("note: {}", out::visible(note)))?;
    }
    out::line(summary(report))
}

fn group<'a>(finding: &'a Finding, text: &'a str) -> Group<'a> {
    let level = if finding.level == Level::Deny { Shown::ERROR } else { Shown::WARNING };
    let title = level.primary_title(out::visible(&finding.message)).id(finding.rule);
    let file = finding.place.file.display().to_string();
    let snippet = Snippet::source(text).path(out::visible(&file));
    let snippet = match range(&finding.place, text) {
        Some(range) => snippet.annotation(AnnotationKind::Primary.span(range)),
        None => snippet,
    };
    title.element(snippet).element(Shown::HELP.message(out::visible(&finding.fix)))
}

/// The text with everything escaped that a terminal would obey; places move only behind such a letter in its own line.
fn visible_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| out::visible(&line.replace('\t', " "))).collect();
    lines.join("\n")
}

/// The bytes of a place.
fn range(place: &Place, text: &str) -> Option<std::ops::Range<usize>> {
    let mut begins = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
    let begin = begins.nth(place.line.checked_sub(1)?)?;
    let line = text.get(begin..)?.lines().next().unwrap_or_default();
    let at = |letters: usize| line.char_indices().nth(letters).map_or(line.len(), |(at, _)| at);
    let (start, end) = (at(place.column - 1), at(place.column - 1 + place.length));
    Some(begin + start..begin + end.max(start))
}

fn summary(report: &Report<'_>) -> String {
    let (errors, warnings) = (report.count(Level::Deny), report.count(Level::Warn));
    let checked = format!(
        "checked {} against {}{}",
        out::counted(report.signals as u64, "signal"),
        out::counted(report.files as u64, "source file"),
        if report.is_online { " and the account" } else { "" }
    );
    match (errors, warnings) {
        (0, 0) => format!("{checked}: nothing found"),
        _ => format!("{checked}: {}, {}", out::counted(errors, "error"), out::counted(warnings, "warning")),
    }
}
