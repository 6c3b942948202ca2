//! Makes a failing story small: removes steps and simplifies the rest while the same claim fails.

use crate::run::run;
use crate::story::{Action, Hook, Kind, Nature, Overflow, Step, Story};

/// A story is run at most this often.
const MOST_RUNS: u32 = 3_000;

/// The smallest story found in which this claim still fails.
pub fn shrink(story: &Story, claim: &str) -> Story {
    let mut shrinker = Shrinker { best: story.clone(), claim: claim.to_owned(), runs: 0 };
    loop {
        let before = shrinker.best.clone();
        shrinker.remove_steps();
        shrinker.simplify_steps();
        shrinker.simplify_setup();
        shrinker.another_seed();
        if shrinker.best == before || shrinker.runs >= MOST_RUNS {
            return shrinker.best;
        }
    }
}

struct Shrinker {
    best: Story,
    claim: String,
    runs: u32,
}

impl Shrinker {
    /// Takes a story if the claim fails in it, too.
    fn takes(&mut self, story: Story) -> bool {
        if self.runs >= MOST_RUNS || story == self.best {
            return false;
        }
        self.runs += 1;
        let fails = run(&story, false).failure.is_some_and(|failure| failure.claim == self.claim);
        if fails {
            self.best = story;
        }
        fails
    }

    fn remove_steps(&mut self) {
        let mut size = self.best.steps.len();
        while size > 0 {
            let mut at = 0;
            while at < self.best.steps.len() {
                let mut story = self.best.clone();
                let end = (at + size).min(story.steps.len());
                story.steps.drain(at..end);
                if !self.takes(story) {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    fn simplify_steps(&mut self) {
        for at in 0..self.best.steps.len() {
            let Some(step) = self.best.steps.get(at).cloned() else { return };
            for simpler in simpler_steps(&step) {
                let mut story = self.best.clone();
                if let Some(place) = story.steps.get_mut(at) {
                    *place = simpler;
                }
                self.takes(story);
            }
        }
    }

    fn simplify_setup(&mut self) {
        type Change = fn(&mut Story);
        const CHANGES: [Change; 17] = [
            |story| story.setup.interrupted = 0,
            |story| story.setup.pause = 0,
            |story| story.setup.outbox = None,
            |story| story.setup.resends = false,
            |story| story.setup.kind = Kind::Signals,
            |story| story.setup.hook = Hook::Quiet,
            |story| story.setup.overflow = Overflow::Reject,
            |story| story.setup.queue = 1_000,
            |story| story.setup.queue_bytes = 1 << 20,
            |story| story.setup.batch = 100,
            |story| story.setup.batch_bytes = 1 << 20,
            |story| story.setup.linger = 0,
            |story| story.setup.retry = (100, 5_000),
            |story| story.setup.patience = 1_000,
            |story| story.setup.in_flight = 1,
            |story| story.setup.keeps_order = true,
            |story| story.setup.begins = 1_767_225_600_000,
        ];
        for change in CHANGES {
            let mut story = self.best.clone();
            change(&mut story);
            self.takes(story);
        }
    }

    /// Fewer interruptions may need other random numbers.
    fn another_seed(&mut self) {
        for seed in 0..10 {
            let mut story = self.best.clone();
            if story.setup.interrupted == 0 {
                return;
            }
            story.setup.interrupted = 0;
            story.seed = seed;
            self.takes(story);
        }
    }
}

fn simpler_steps(step: &Step) -> Vec<Step> {
    let mut steps = vec![Step { after: 0, ..step.clone() }];
    if let Action::Emit(burst) = &step.action {
        let mut add = |change: &dyn Fn(&mut crate::story::Burst)| {
            let mut burst = burst.clone();
            change(&mut burst);
            steps.push(Step { after: step.after, action: Action::Emit(burst) });
        };
        add(&|burst| burst.count = 1);
        add(&|burst| burst.count /= 2);
        add(&|burst| burst.count -= 1);
        add(&|burst| burst.size = 0);
        add(&|burst| burst.customer = 0);
        add(&|burst| burst.nature = Nature::Good);
        add(&|burst| burst.how = crate::story::How::Emit);
        steps.retain(|step| !matches!(&step.action, Action::Emit(burst) if burst.count == 0));
    }
    steps
}
