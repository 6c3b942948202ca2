//! The page for who reviews an update: the text of the pull request.

use std::fmt::Write;
use std::path::PathBuf;

use super::naming::Proposal;
use super::supplement::{Part, State};
use super::version::Bump;
use crate::diff::Report;

/// What was done.
#[derive(Debug)]
pub(crate) struct Page {
    /// What Paid changed.
    pub(crate) wire: Report,
    /// What changes for users of the client, for whom the supplement counts as published.
    pub(crate) client: Report,
    pub(crate) proposals: Vec<Proposal>,
    pub(crate) caught_up: Vec<Part>,
    pub(crate) version: Bump,
    /// Mistakes in what is written by hand, since the client has changed.
    pub(crate) by_hand: Vec<String>,
    pub(crate) written: Vec<PathBuf>,
}

impl Page {
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("## What Paid changed\n\n{}", self.wire.markdown());
        let _ = write!(
            text,
            "\n## For users of the client\n\n{}\n\nsemver: {}; {} -> {}.\n",
            self.client.summary(),
            self.client.semver,
            self.version.old,
            self.version.new
        );
        if !self.proposals.is_empty() {
            text.push_str("\n## Names to review in `openapi/names.yaml`\n\n");
            for proposal in &self.proposals {
                let _ = writeln!(text, "- {proposal}");
            }
        }
        self.supplement(&mut text);
        if !self.by_hand.is_empty() {
            let places = self.by_hand.join("\n");
            let _ = write!(
                text,
                "\n## Code by hand that has to follow\n\nThe client compiles. These places use what has changed in it; crates that depend on them were not compiled:\n\n```text\n{places}\n```\n"
            );
        }
        let _ = write!(text, "\n{} files changed.\n", self.written.len());
        text
    }

    fn supplement(&self, text: &mut String) {
        let told = self.caught_up.iter().filter_map(|part| {
            let says = match (part.state, part.kept) {
                (State::Missing, _) => return None,
                (State::Identical, false) => "published as it was known, and dropped",
                (State::Identical, true) => "published as it was known; take it out by hand",
                (State::Different, _) => "published, but different; review it",
            };
            Some(format!("- {part}: {says}"))
        });
        let told: Vec<_> = told.collect();
        if !told.is_empty() {
            let _ = write!(text, "\n## The supplement\n\n{}\n", told.join("\n"));
        }
    }
}
