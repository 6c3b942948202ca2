//! Whether a failure is about the records and not about the server: it comes again and again while other records get
//! through. Pure.

use crate::verdict::Verdict;

/// After this many attempts a batch is in doubt.
const FEW: u32 = 3;
/// A server that is busy may refuse a good batch more often.
const MANY: u32 = 10;
/// After this many failures in a row the server is the one that fails.
const OUTAGE: u64 = 20;

/// How often the server got through to its answer, and how often it failed since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    /// Answers about content.
    pub(super) answers: u64,
    /// Failures since the last of them.
    pub(super) failures: u64,
}

/// What is held against a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suspicion {
    /// The number of answers when it first failed.
    answers: Option<u64>,
    /// True if it is a half of a part that was in doubt.
    inherited: bool,
    attempts: u32,
}

/// What a further failure means for a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The server may just be down.
    None,
    /// It is not known whether others would get through.
    Unclear,
    /// Others get through, and this part does not.
    Founded,
}

impl Suspicion {
    pub(super) fn none() -> Self {
        Self { answers: None, inherited: false, attempts: 0 }
    }

    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// A half inherits what was held against the whole.
    pub(super) fn of_a_half(self) -> Self {
        Self { inherited: true, attempts: 0, ..self }
    }

    /// Judges one more failure.
    pub(super) fn failed(&mut self, verdict: Verdict, is_alone: bool, traffic: Traffic) -> Doubt {
        let before = *self.answers.get_or_insert(traffic.answers);
        self.attempts = self.attempts.saturating_add(1);
        let enough = match verdict {
            _ if self.inherited && !is_alone => 1,
            Verdict::NotDone => MANY,
            _ => FEW,
        };
        if self.attempts < enough {
            return Doubt::None;
        }
        let others_get_through = traffic.answers > before && traffic.failures < OUTAGE;
        if others_get_through { Doubt::Founded } else { Doubt::Unclear }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(answers: u64, failures: u64) -> Traffic {
        Traffic { answers, failures }
    }

    fn judge(suspicion: &mut Suspicion, failures: u32, traffic: Traffic) -> Doubt {
        (0..failures).map(|_| suspicion.failed(Verdict::Unknown, true, traffic)).last().unwrap()
    }

    #[test]
    fn a_record_is_in_doubt_only_if_others_got_through_since_it_failed() {
        let mut suspicion = Suspicion::none();
        assert_eq!(judge(&mut suspicion, 2, traffic(7, 1)), Doubt::None);
        assert_eq!(judge(&mut suspicion, 9, traffic(7, 2)), Doubt::Unclear);
        assert_eq!(judge(&mut suspicion, 1, traffic(8, 1)), Doubt::Founded);
        assert_eq!(judge(&mut suspicion, 1, traffic(8, OUTAGE)), Doubt::Unclear);
    }

    #[test]
    fn a_busy_server_gets_more_attempts() {
        let mut suspicion = Suspicion::none();
        assert_eq!(suspicion.failed(Verdict::Unknown, true, traffic(0, 0)), Doubt::None);
        let doubts = (1..MANY).map(|_| suspicion.failed(Verdict::NotDone, true, traffic(9, 0)));
        assert_eq!(doubts.filter(|doubt| *doubt == Doubt::Founded).count(), 1);
    }

    #[test]
    fn the_halves_of_a_doubtful_part_are_halved_at_once_but_a_single_record_is_not_judged_at_once() {
        let mut half = Suspicion::none();
        half.failed(Verdict::Unknown, false, traffic(0, 0));
        half = half.of_a_half();
        let mut alone = half;
        assert_eq!(half.failed(Verdict::Unknown, false, traffic(1, 1)), Doubt::Founded);
        assert_eq!(alone.failed(Verdict::Unknown, true, traffic(1, 1)), Doubt::None);
    }
}
