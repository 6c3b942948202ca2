//! From what happens to the set of valid values to the level: a request that allows less breaks who sends it, an answer
//! that may hold more breaks who reads it. The rule is oasdiff's.

use super::report::Level;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    Request,
    /// An answer to a request that succeeded.
    Response,
    /// An answer to one that failed. The client reads it without a type of its own.
    Failure,
}

impl Side {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response | Self::Failure => "response",
        }
    }
}

/// What happens to the values that are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The same values are valid.
    Same,
    /// Something is there that nobody has to know.
    Adds,
    /// Something is gone that somebody may use.
    Removes,
    Widens,
    Narrows,
    Incomparable,
}

impl Effect {
    pub(crate) fn on_the_wire(self, side: Side) -> Level {
        match (self, side == Side::Request) {
            (Self::Same, _) => Level::Documentation,
            (Self::Adds, _) | (Self::Widens, true) | (Self::Narrows, false) => Level::Additive,
            (Self::Removes | Self::Incomparable, _) | (Self::Widens, false) | (Self::Narrows, true) => Level::Breaking,
        }
    }

    /// What the change is if old and new are exchanged.
    pub(crate) fn widens_if(wider: bool) -> Self {
        if wider { Self::Widens } else { Self::Narrows }
    }
}
