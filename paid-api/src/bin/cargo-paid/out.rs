//! Everything that is printed: safe for a terminal, and quiet if nobody reads any more.

use std::fmt::{self, Write as _};
use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use comfy_table::presets::{UTF8_FULL, UTF8_FULL_CONDENSED};
use comfy_table::{ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};

/// Prints a line on standard output.
pub(crate) fn line(text: impl fmt::Display) -> io::Result<()> {
    bytes(format!("{text}\n").as_bytes())
}

/// Prints bytes on standard output. A reader that has gone, such as `head`, ends the program: it has seen enough.
pub(crate) fn bytes(text: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => {
            other.map_err(|error| io::Error::new(error.kind(), format!("cannot write to standard output: {error}")))
        }
    }
}

/// Prints a line on standard error. There is nobody to tell if that fails.
pub(crate) fn note(text: &str) {
    let lines: Vec<String> = text.lines().map(visible).collect();
    let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
}

/// Shows how far a long piece of work is, on a terminal.
pub(crate) fn progress(text: &str) {
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// What is waited for, shown on a terminal until it is done.
pub(crate) struct Waiting(ProgressBar);

impl Waiting {
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.set_style(ProgressStyle::default_spinner());
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    pub(crate) fn done(self) {
        self.0.finish_and_clear();
    }
}

/// How far a long piece of work is: a bar on a terminal, nothing elsewhere.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = if io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len}, {eta} left") {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self(bar)
    }

    pub(crate) fn is_at(&mut self, done: u64, of: u64) {
        self.0.set_length(of);
        self.0.set_position(done);
    }

    pub(crate) fn done(self) {
        self.0.finish_and_clear();
    }
}

/// Asks on the terminal. Without a terminal, the answer is no.
pub(crate) fn confirmed(question: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The width of the terminal: `COLUMNS`, or what the terminal says; `None` if the output goes elsewhere.
pub(crate) fn width() -> Option<u16> {
    let set = std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok()).filter(|width| *width > 0);
    set.or_else(|| {
        let is_terminal = io::stdout().is_terminal();
        is_terminal.then(|| terminal_size::terminal_size_of(io::stdout())).flatten().map(|(width, _)| width.0)
    })
}

/// In a narrower terminal, columns would tear keys apart: each row becomes a paragraph.
const NARROW: u16 = 100;

/// A table as wide as the terminal.
pub(crate) fn table<const N: usize>(rows: impl Iterator<Item = [String; N]>, head: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    let width = width();
    if let Some(width) = width {
        table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
    }
    if width.is_some_and(|width| width < NARROW) {
        table.load_style(UTF8_FULL).add_rows(rows.map(|row| [row.join("\n")]));
    } else {
        table.set_header(head).add_rows(rows);
    }
    table
}

/// Text from elsewhere on one line, with everything escaped that a terminal would obey or hide.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if is_unsafe(letter) => drop(write!(out, "\\u{{{:x}}}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    out
}

/// JSON of the same meaning, with the letters escaped that a terminal would obey or hide.
pub(crate) fn safe_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        // Outside of texts, JSON has none of them but line breaks and tabs.
        if is_unsafe(letter) && !matches!(letter, '\n' | '\r' | '\t') {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(letter);
        }
    }
    out
}

/// Control characters, and those that turn or hide the text around them.
fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// At most `limit` letters; a cut is marked.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// `1 signal`, `2 signals`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// This program says itself what fails: the library's log would say it twice.
pub(crate) fn own_the_log() {
    let _ = tracing::subscriber::set_global_default(Quiet);
}

struct Quiet;

impl tracing::Subscriber for Quiet {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::ERROR
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_or_hide_is_escaped() {
        assert_eq!(visible("a\u{1b}[31m\u{9b}2J\u{202e}\n\u{e0041}é"), r"a\u{1b}[31m\u{9b}2J\u{202e}\n\u{e0041}é");
        let json = "{\"a\": \"\u{9b}\u{202e}\u{e0041}\u{7f}é\"\n}";
        let safe = safe_json(json);
        assert!(!safe.contains(is_control_but_breaks), "{safe}");
        let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(value(&safe), value(json));
    }

    fn is_control_but_breaks(letter: char) -> bool {
        is_unsafe(letter) && letter != '\n'
    }

    #[test]
    fn a_cut_is_marked_and_falls_between_letters() {
        assert_eq!((cut("éé", 2).as_str(), cut("ééé", 2).as_str()), ("éé", "éé…"));
    }
}
