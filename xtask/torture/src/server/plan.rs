//! What Paid does with a request, by its mode, its mood and the signals in it.

use std::time::Duration;

use paid::fuzzing::simulation::{answer, unanswered};
use paid::{Counts, Error};

use super::State;
use crate::story::{Lie, Mode, Nature};

/// What Paid does with one request.
pub(super) struct Plan {
    pub(super) before: Duration,
    pub(super) takes_in: bool,
    pub(super) after: Duration,
    pub(super) answer: Answer,
}

pub(super) enum Answer {
    /// What was counted when the batch was taken in.
    Honest,
    Counts(Counts),
    Error(Error),
    Never,
    Panic,
}

impl State {
    pub(super) fn plan(&self, signals: &[u32]) -> Plan {
        let world = &self.world;
        let ms = |limit: u64| Duration::from_micros(world.below(limit * 1000 + 1));
        let mode = if self.mode == Mode::Moody { self.mood() } else { self.mode };
        let mut plan = Plan { before: ms(4), takes_in: false, after: ms(4), answer: Answer::Never };
        let all = signals.len() as u64;
        let honest = || self.honest(signals);
        match mode {
            Mode::Healthy | Mode::Moody => plan.answer = honest(),
            Mode::Slow(time) => {
                plan.before += Duration::from_millis(u64::from(time));
                plan.answer = honest();
            }
            Mode::Unreachable => plan.answer = Answer::Error(Error::unavailable("simulated: no connection")),
            Mode::Status(status) => plan.answer = Answer::Error(answer(status, &[])),
            Mode::Asks(seconds) => {
                plan.answer = Answer::Error(answer(429, &[("retry-after", &seconds.to_string())]));
            }
            Mode::Silent(takes_in) => {
                plan.takes_in = takes_in && matches!(honest(), Answer::Honest);
                plan.answer = Answer::Error(unanswered());
            }
            Mode::Hangs => {
                plan.takes_in = world.chance(50) && matches!(honest(), Answer::Honest);
                plan.after = Duration::from_secs(30);
                plan.answer = Answer::Error(unanswered());
            }
            Mode::Stuck => {
                plan.takes_in = world.chance(50) && matches!(honest(), Answer::Honest);
            }
            Mode::TooLarge(most) if signals.len() > most as usize => plan.answer = Answer::Error(answer(413, &[])),
            Mode::TooLarge(_) => plan.answer = honest(),
            Mode::Lies(lie) => {
                plan.takes_in = lie != Lie::NotTaken;
                let counts = |ingested, duplicates, failed| Counts { ingested, duplicates, failed };
                plan.answer = Answer::Counts(match lie {
                    // The collector says how many it refused.
                    Lie::OneLess if self.of_spans => counts(all - 1, 0, 1),
                    Lie::None if self.of_spans => counts(0, 0, all),
                    Lie::Huge if self.of_spans => counts(all, 0, 0),
                    Lie::OneLess => counts(all - 1, 0, 0),
                    Lie::None => counts(0, 0, 0),
                    Lie::AllFailed => counts(0, 0, all),
                    Lie::NotTaken => counts(all, 0, 0),
                    Lie::Huge => counts(u64::MAX, u64::MAX, 0),
                });
            }
            Mode::Panics(_) => plan.answer = Answer::Panic,
        }
        plan.takes_in |= matches!(plan.answer, Answer::Honest);
        plan
    }

    fn mood(&self) -> Mode {
        match self.world.below(12) {
            0 => Mode::Slow(u32::try_from(self.world.below(2000)).unwrap_or_default()),
            1 => Mode::Unreachable,
            2 => Mode::Status(503),
            3 => Mode::Status(500),
            4 => Mode::Silent(true),
            5 => Mode::Silent(false),
            6 => Mode::Hangs,
            7 => Mode::Status(401),
            8 => Mode::Asks(u32::try_from(self.world.below(5)).unwrap_or_default()),
            _ => Mode::Healthy,
        }
    }

    /// What Paid answers if it is well.
    fn honest(&self, signals: &[u32]) -> Answer {
        let has = |nature| signals.iter().any(|signal| self.nature(*signal) == nature);
        if has(Nature::Poison) && !self.poison_is_cured {
            return Answer::Error(answer(500, &[]));
        }
        if has(Nature::Refused) {
            return Answer::Error(answer(400, &[]));
        }
        Answer::Honest
    }
}
