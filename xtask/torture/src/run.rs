//! Runs a story, process after process, and says what became of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::runtime::Builder;

use crate::disk::Disk;
use crate::model::Model;
use crate::observe;
use crate::process::{Ended, Process, Stage};
use crate::server::Paid;
use crate::story::{Action, Kill, Story, StreamFault, When};
use crate::stream::Stream;
use crate::world::{Failure, World};

/// How a story went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The first claim that did not hold.
    pub failure: Option<Failure>,
    /// The same for two runs of one story.
    pub hash: u64,
    /// What happened, if it was asked for.
    pub lines: Vec<String>,
    /// How many claims were checked.
    pub claims: u64,
    /// How many processes were killed, and how many of them by a loss of power.
    pub kills: (u32, u32),
}

/// The end of a process whose successor starts.
const EXIT: Kill = Kill { power: false, when: When::Steps(0) };

/// Runs a story. `is_told` keeps what happens, line by line.
pub fn run(story: &Story, is_told: bool) -> Outcome {
    fastrand::seed(story.seed);
    observe::begin();
    let world = World::new(story.seed, story.setup.begins, is_told);
    let paid = Paid::new(world.clone(), &story.setup);
    let remembers = story.has(|action| matches!(action, Action::Arm(kill) if kill.power));
    let stage = Stage {
        disk: Disk::new(world.clone(), remembers),
        model: Model::new(world.clone(), paid.clone(), &story.setup),
        stream: Stream::new(world.clone(), paid.clone()),
        setup: story.setup.clone(),
        paid,
        world,
    };
    let mut kills = (0, 0);
    let ran = catch_unwind(AssertUnwindSafe(|| processes(story, &stage, &mut kills)));
    if ran.is_err() {
        stage.world.freeze();
    }
    let seen = observe::end();
    // redb panics over damaged files; the outbox knows.
    let is_damaged = stage.model.is_damaged();
    let is_expected = |panic: &&String| is_damaged && panic.contains("/redb-");
    if let Some(panic) = seen.panics.iter().find(|panic| !is_expected(panic)) {
        stage.world.fail("nobody panics", panic.clone());
    } else if ran.is_err() {
        stage.world.fail("nobody panics", "a panic of the simulation got out");
    }
    let claims = stage.model.claims();
    let (failure, hash, mut lines) = stage.world.end();
    if is_told {
        lines.extend(seen.lines.into_iter().map(|line| format!("log: {line}")));
    }
    Outcome { failure, hash, lines, claims, kills }
}

fn processes(story: &Story, stage: &Stage, kills: &mut (u32, u32)) {
    let mut steps = story.steps.as_slice();
    let mut from = 0;
    loop {
        let Ok(runtime) = Builder::new_current_thread().enable_time().start_paused(true).build() else { return };
        let process = Process::new(stage);
        let ended = runtime.block_on(process.run(steps, from));
        let killed = stage.world.killed();
        // What its destructors do does not count.
        stage.world.kill(EXIT);
        process.leave();
        drop(runtime);
        if let Some(kill) = killed {
            kills.0 += 1;
            kills.1 += u32::from(kill.power);
        }
        if ended != Ended::Over {
            let power = killed.is_some_and(|kill| kill.power);
            stage.model.killed(power, stage.disk.works());
            if stage.model.is_damaged() {
                stage.paid.damage();
            }
            if power {
                stage.disk.lose_power();
            }
        }
        match ended {
            Ended::Over => return,
            _ if stage.world.has_failed() => return,
            // The last process, in which everything works.
            Ended::Before(next) if next >= steps.len() => {
                stage.disk.fault(crate::story::DiskFault::Heals);
                stage.paid.set(crate::story::Mode::Healthy);
                stage.stream.fault(StreamFault::Heals);
                steps = &[];
                from = 0;
            }
            Ended::Before(next) => from = next,
        }
    }
}
