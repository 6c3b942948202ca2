//! Stories from seeds. Every story has a few themes only: a story about everything is a story about nothing, because the
//! first fault hides the others.

mod additions;

use fastrand::Rng;

use crate::story::{
    Action, Burst, DiskFault, Hook, How, Kill, Kind, Lie, Mode, Nature, Overflow, Setup, Step, Story, StreamFault,
    Sync, When,
};

/// What a story may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Theme {
    /// Paid is down, slow, or answers with errors.
    Outage,
    /// Paid says what is not true.
    Lies,
    /// Signals that Paid refuses.
    Bad,
    /// Signals that make Paid answer 500.
    Poison,
    /// The process is killed.
    Kills,
    /// The machine loses its power.
    Power,
    /// The disk is full, fails, or is read-only.
    Disk,
    /// Files are damaged or deleted.
    Damage,
    /// The wall clock jumps.
    Clock,
    /// The queue is small, or the signals are large.
    Flood,
    /// The emitter is shut down or dropped.
    Ends,
    /// Futures are given up.
    GivenUp,
    /// The sink panics, or never answers.
    Sink,
    /// The stream breaks, or loses acknowledgements.
    Stream,
    /// The forwarder stops and starts.
    Stops,
}

const THEMES: [Theme; 13] = [
    Theme::Outage,
    Theme::Lies,
    Theme::Bad,
    Theme::Poison,
    Theme::Kills,
    Theme::Power,
    Theme::Disk,
    Theme::Damage,
    Theme::Clock,
    Theme::Flood,
    Theme::Ends,
    Theme::GivenUp,
    Theme::Sink,
];

/// Neighbouring seeds are far apart.
fn random(seed: u64, salt: u64) -> Rng {
    Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt)
}

/// The story of a seed.
pub fn story(seed: u64) -> Story {
    additions::added_to(earlier_story(seed))
}

/// The story of a seed, without what is added to some.
pub fn earlier_story(seed: u64) -> Story {
    let mut random = random(seed, 0x6b69_6e64);
    match random.u32(0..10) {
        0 | 1 => of_spans(seed, random),
        2..=4 => of_messages(seed, random),
        _ => with_letters(plain_story(seed), random),
    }
}

/// A story about spans.
fn of_spans(seed: u64, mut random: Rng) -> Story {
    let mut themes = THEMES.to_vec();
    themes.retain(|theme| !matches!(theme, Theme::Power | Theme::Disk | Theme::Damage) && random.u32(0..10) < 3);
    let mut setup = setup(&mut random, &themes, false);
    (setup.kind, setup.resends, setup.in_flight, setup.keeps_order) = (Kind::Spans, false, 1, false);
    write(seed, random, themes, setup)
}

/// A story about messages that are forwarded.
fn of_messages(seed: u64, mut random: Rng) -> Story {
    let mut themes = THEMES.to_vec();
    themes.extend([Theme::Stream, Theme::Stops]);
    themes.retain(|theme| {
        let is_of_messages = matches!(theme, Theme::Stream | Theme::Stops | Theme::Kills);
        let is_of_disks = matches!(theme, Theme::Power | Theme::Disk | Theme::Damage | Theme::GivenUp);
        !is_of_disks && random.u32(0..10) < if is_of_messages { 4 } else { 2 }
    });
    let mut setup = setup(&mut random, &themes, false);
    (setup.kind, setup.resends) = (Kind::Messages, false);
    // What a hook emits is not from the stream.
    setup.hook = if setup.hook == Hook::Emits { Hook::Quiet } else { setup.hook };
    write(seed, random, themes, setup)
}

/// In some stories with an outbox, someone sends the dead letters again, or discards some.
fn with_letters(mut story: Story, mut random: Rng) -> Story {
    if story.setup.outbox.is_some() && random.u32(0..10) < 4 {
        for _ in 0..random.usize(1..4) {
            let action = match random.u32(0..3) {
                0 => Action::Discard(random.u32(0..3)),
                _ => Action::Resubmit(random.choice([10, 1_000, 60_000]).unwrap_or(10)),
            };
            let step = Step { after: random.u32(0..2_000), action };
            story.steps.insert(random.usize(0..=story.steps.len()), step);
        }
    }
    story
}

/// The story of a seed about signals or cost records, in which nobody looks at dead letters.
pub fn plain_story(seed: u64) -> Story {
    let mut random = random(seed, 0x7061_6964);
    let has_outbox = random.u32(0..10) < 6;
    let mut themes = THEMES.to_vec();
    themes.retain(|theme| {
        let is_kill = matches!(theme, Theme::Kills | Theme::Power);
        random.u32(0..13) < if is_kill { 5 } else { 3 }
    });
    if !has_outbox {
        themes.retain(|theme| !matches!(theme, Theme::Power | Theme::Disk | Theme::Damage));
    }
    let setup = setup(&mut random, &themes, has_outbox);
    write(seed, random, themes, setup)
}

fn write(seed: u64, random: Rng, themes: Vec<Theme>, setup: Setup) -> Story {
    let mut writer = Writer { random, themes, setup, next: 1, steps: Vec::new() };
    let length = writer.random.usize(3..28);
    while writer.steps.len() < length {
        writer.step();
    }
    Story { seed, setup: writer.setup, steps: writer.steps }
}

fn setup(random: &mut Rng, themes: &[Theme], has_outbox: bool) -> Setup {
    let is_flood = themes.contains(&Theme::Flood);
    let pick = |random: &mut Rng, from: &[u32]| random.choice(from).copied().unwrap_or_default();
    let outbox = match random.u32(0..4) {
        _ if !has_outbox => None,
        0 => Some(Sync::EveryCommit),
        1 => Some(Sync::Never),
        _ => Some(Sync::Every(pick(random, &[1, 10, 50, 500]))),
    };
    let overflow = match random.u32(0..if is_flood { 3 } else { 6 }) {
        0 => Overflow::DropOldest,
        1 => Overflow::Wait,
        _ => Overflow::Reject,
    };
    let hook = match random.u32(0..8) {
        0 => Hook::Panics,
        1 => Hook::Emits,
        _ => Hook::Quiet,
    };
    let begins = match random.u32(0..8) {
        0 => 0,
        1 => -86_400_000,
        2 => 4_102_444_800_000,
        _ => 1_767_225_600_000,
    };
    let largest = if random.bool() { 4 } else { 40 };
    let batch = random.usize(1..largest);
    let costs = random.u32(0..4) == 0;
    Setup {
        kind: if costs { Kind::Costs } else { Kind::Signals },
        resends: costs && random.u32(0..5) == 0,
        outbox,
        overflow,
        queue: if is_flood { random.usize(1..12) } else { random.usize(20..200) },
        queue_bytes: if is_flood && random.bool() { random.usize(500..8_000) } else { 1 << 20 },
        batch,
        batch_bytes: if random.u32(0..4) == 0 { random.usize(1..3_000) } else { 1 << 20 },
        linger: pick(random, &[0, 1, 10, 100, 1_000]),
        retry: match random.u32(0..4) {
            // What fails for ever is tried for hours.
            0 | 1 if themes.contains(&Theme::Poison) => (100, 5_000),
            0 | 1 => (10, 100),
            _ => (500, 60_000),
        },
        patience: pick(random, &[0, 10, 1_000, 5_000]),
        in_flight: random.usize(1..5),
        keeps_order: !costs && random.bool(),
        hook,
        interrupted: pick(random, &[0, 0, 5, 20, 50]),
        pause: pick(random, &[0, 10, 1_000, 20_000]),
        begins,
    }
}

struct Writer {
    random: Rng,
    themes: Vec<Theme>,
    setup: Setup,
    next: u32,
    steps: Vec<Step>,
}

impl Writer {
    fn chance(&mut self, percent: u32) -> bool {
        self.random.u32(0..100) < percent
    }

    fn has(&self, theme: Theme) -> bool {
        self.themes.contains(&theme)
    }

    fn after(&mut self) -> u32 {
        match self.random.u32(0..10) {
            0..=3 => 0,
            4..=6 => self.random.u32(0..20),
            7 | 8 => self.random.u32(0..500),
            _ => self.random.u32(0..20_000),
        }
    }

    fn push(&mut self, action: Action) {
        let after = self.after();
        self.steps.push(Step { after, action });
    }

    fn step(&mut self) {
        if self.chance(50) || self.themes.is_empty() {
            let action = match self.random.u32(0..10) {
                0 => self.flush(),
                1 => Action::Wait,
                _ => Action::Emit(self.burst()),
            };
            return self.push(action);
        }
        let themes = self.themes.clone();
        let Some(theme) = self.random.choice(themes) else { return };
        self.about(theme);
    }

    fn about(&mut self, theme: Theme) {
        match theme {
            Theme::Outage => {
                let mode = self.outage();
                self.push(Action::Server(mode));
            }
            Theme::Lies => {
                let lies = [Lie::OneLess, Lie::None, Lie::AllFailed, Lie::NotTaken, Lie::Huge];
                let lie = self.random.choice(lies).unwrap_or(Lie::None);
                let mode = if self.chance(50) { Mode::Lies(lie) } else { Mode::Healthy };
                self.push(Action::Server(mode));
            }
            Theme::Sink => {
                let mode = match self.random.u32(0..4) {
                    0 => Mode::Stuck,
                    1 => Mode::Panics(true),
                    2 => Mode::Panics(false),
                    _ => Mode::Healthy,
                };
                self.push(Action::Server(mode));
            }
            Theme::Bad | Theme::Poison | Theme::Flood | Theme::GivenUp => {
                let burst = self.burst();
                self.push(Action::Emit(burst));
            }
            Theme::Stream => {
                let fault = match self.random.u32(0..10) {
                    0 | 1 => StreamFault::AcksFail(self.random.u32(1..8)),
                    2 => StreamFault::AcksLost(self.random.u32(1..8)),
                    3 => StreamFault::AcksHang,
                    4 | 5 => StreamFault::Doubles(self.random.u32(1..100)),
                    6 => StreamFault::Slow(self.random.u32(1..500)),
                    7 => StreamFault::Breaks,
                    8 => StreamFault::Ends,
                    _ => StreamFault::Heals,
                };
                self.push(Action::Stream(fault));
            }
            Theme::Stops => {
                let action = if self.chance(50) { Action::Stop } else { Action::Forward };
                self.push(action);
            }
            Theme::Kills | Theme::Power => self.kill(theme == Theme::Power),
            Theme::Disk => {
                let fault = match self.random.u32(0..8) {
                    0 | 1 => DiskFault::Full(self.random.u32(0..60_000)),
                    2 | 3 => DiskFault::Fails(self.random.u32(0..60), self.random.u32(1..40)),
                    4 => DiskFault::ReadOnly,
                    5 => DiskFault::LettersFail,
                    _ => DiskFault::Heals,
                };
                self.push(Action::Disk(fault));
            }
            Theme::Damage => {
                let fault = match self.random.u32(0..5) {
                    0 => DiskFault::Deleted,
                    1 => DiskFault::Cut(self.random.u8(..), self.random.u16(..)),
                    _ => DiskFault::Flip(self.random.u8(..), self.random.u16(..)),
                };
                self.push(Action::Disk(fault));
                if self.chance(50) {
                    self.push(Action::Start);
                }
            }
            Theme::Clock => {
                let jumps = [1, -1, 3_600_000, -3_600_000, 86_400_000_000, -4_000_000_000_000, 40_000_000_000_000];
                let jump = self.random.choice(jumps).unwrap_or(1);
                self.push(Action::Clock(jump));
            }
            Theme::Ends => {
                let action = match self.random.u32(0..5) {
                    0 => Action::Drop,
                    1 => Action::Start,
                    _ => {
                        let within = self.random.choice([0, 10, 1_000, 10_000]).unwrap_or(0);
                        let given_up = if self.chance(20) { self.random.u32(0..50) } else { u32::MAX };
                        Action::Shutdown(within, given_up)
                    }
                };
                self.push(action);
                for _ in 0..self.random.usize(0..3) {
                    let burst = self.burst();
                    self.push(Action::Emit(burst));
                }
                self.push(Action::Start);
            }
        }
    }

    fn flush(&mut self) -> Action {
        let within = self.random.choice([0, 10, 1_000, 100_000]).unwrap_or(0);
        let given_up = if self.has(Theme::GivenUp) && self.chance(50) { self.random.u32(0..50) } else { u32::MAX };
        Action::Flush(within, given_up)
    }

    fn kill(&mut self, power: bool) {
        let has_outbox = self.setup.outbox.is_some();
        let when = match self.random.u32(0..8) {
            0 | 1 if has_outbox => When::Disk(self.random.u32(1..60)),
            2 if has_outbox => When::Stored,
            3 => When::Receipt,
            4 => When::Flushed,
            5 => When::TakenIn,
            _ => When::Steps(self.random.u32(0..120)),
        };
        self.push(Action::Arm(Kill { power, when }));
        for _ in 0..self.random.usize(0..4) {
            let action = if self.chance(15) { self.flush() } else { Action::Emit(self.burst()) };
            self.push(action);
        }
        self.push(Action::Start);
    }

    fn outage(&mut self) -> Mode {
        match self.random.u32(0..16) {
            0 => Mode::Slow(self.random.u32(0..5_000)),
            1 | 2 => Mode::Unreachable,
            3 => Mode::Status(self.random.choice([500, 503, 401, 403, 404, 301, 409, 422, 400]).unwrap_or(500)),
            4 => Mode::Asks(self.random.choice([0, 1, 30, 3_000, 9_999_999]).unwrap_or(1)),
            5 => Mode::Silent(true),
            6 => Mode::Silent(false),
            7 => Mode::Hangs,
            8 => Mode::TooLarge(self.random.u32(0..4)),
            9..=11 => Mode::Moody,
            _ => Mode::Healthy,
        }
    }

    fn burst(&mut self) -> Burst {
        let most = if self.has(Theme::Flood) { 20 } else { 6 };
        let count = if self.chance(60) { 1 } else { self.random.u32(1..most) };
        let first = self.next;
        self.next += count;
        let nature = match self.random.u32(0..8) {
            0 | 1 if self.has(Theme::Bad) => Nature::Refused,
            2 if self.has(Theme::Bad) => Nature::Failed,
            3 if self.has(Theme::Poison) => Nature::Poison,
            4 if self.setup.is_of_messages() && self.has(Theme::Bad) => Nature::Junk,
            4 | 5 if self.setup.is_of_spans() => Nature::Signal,
            _ => Nature::Good,
        };
        let size = match self.random.u32(0..10) {
            0 if self.has(Theme::Flood) => self.random.usize(0..10_000),
            1 => self.random.usize(0..3_000),
            _ => self.random.usize(0..100),
        };
        let gives_up = self.has(Theme::GivenUp) && self.chance(50);
        let limit = if gives_up { self.random.u32(0..60) } else { 0 };
        let how = match self.random.u32(0..8) {
            0 | 1 if self.setup.outbox.is_some() => {
                if gives_up {
                    How::StoreFor(limit)
                } else {
                    How::Store
                }
            }
            2 => {
                if gives_up {
                    How::SendFor(limit)
                } else {
                    How::Send
                }
            }
            3 => How::Forget,
            _ => How::Emit,
        };
        Burst { first, count, customer: self.random.u8(0..4), nature, size, how }
    }
}
