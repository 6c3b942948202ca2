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
        let _ = write!(text, "\n{} files changed.\n", self.written.len());
        text
    }

    fn supplement(&self, text: &mut String) {
        let told = [
            (State::Identical, "published as it was known, and dropped"),
            (State::Different, "published, but different: the published one counts where the action agrees; review it"),
        ];
        let parts = |state: State| self.caught_up.iter().filter(move |part| part.state == state);
        if told.iter().all(|(state, _)| parts(*state).next().is_none()) {
            return;
        }
        text.push_str("\n## The supplement\n\n");
        for (state, says) in told {
            for part in parts(state) {
                let _ = writeln!(text, "- `{}`: {says}", part.target);
            }
        }
    }
}
