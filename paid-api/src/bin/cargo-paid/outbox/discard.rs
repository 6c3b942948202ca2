//! `discard`: dead letters that are given up.

use std::io::{self, BufRead, IsTerminal, Write};

use super::arguments::Discard;
use super::letters::{self, what};
use crate::out;
use crate::outcome::Outcome;

pub(crate) fn discard(discard: &Discard) -> Outcome {
    let folder = discard.place.folder.as_path();
    let is_of_letters = discard.all || !discard.keys.is_empty() || discard.filter.is_any();
    if !is_of_letters && !discard.unreadable {
        return Err(
            "say which dead letters: KEY..., `--name`, `--customer`, `--since`, `--all` or `--unreadable`".into()
        );
    }
    let chosen = match is_of_letters {
        true => letters::choose(folder, &discard.keys, &discard.filter)?,
        false => Vec::new(),
    };
    let lines = if discard.unreadable { paid::outbox::dead_letters(folder)?.unreadable.len() } else { 0 };
    if chosen.is_empty() && lines == 0 {
        out::line("nothing to discard")?;
        return Ok(());
    }
    let mut what_goes = Vec::new();
    if !chosen.is_empty() {
        what_goes.push(letters::counted(&chosen));
    }
    if lines > 0 {
        what_goes.push(out::counted(lines as u64, "unreadable line"));
    }
    if !discard.yes && !is_confirmed(&what_goes.join(" and "))? {
        return Err("nothing discarded".into());
    }
    // Only what was chosen: letters that were added meanwhile stay.
    let gone = paid::outbox::discard(folder, chosen.into_iter().map(|letter| letter.key))?;
    let lines = if discard.unreadable { paid::outbox::discard_unreadable(folder)? } else { 0 };
    let mut said = String::new();
    for letter in &gone {
        let (key, why) = (out::visible(&letter.key), out::visible(&letter.reason));
        said.push_str(&format!("{} {key}: {why}\n", what(letter)));
    }
    if !gone.is_empty() {
        said.push_str(&format!("{} discarded for good\n", letters::counted(&gone)));
    }
    if lines > 0 {
        said.push_str(&format!("{} discarded for good\n", out::counted(lines, "unreadable line")));
    }
    out::bytes(said.as_bytes())?;
    Ok(())
}

fn is_confirmed(what: &str) -> Result<bool, Box<dyn std::error::Error>> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let problem = format!("{what} would be discarded for good: add `--yes` where nobody can be asked");
        return Err(problem.into());
    }
    let _ = write!(io::stderr(), "Discard {what} for good? `export` keeps a copy. [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
