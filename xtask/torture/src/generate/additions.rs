//! What is added to a quarter of the stories: a passage about one trouble that chance alone rarely puts together. The rest of the
//! story stays as it was, so that a seed that once told of a fault still does.

use fastrand::Rng;

use super::random;
use crate::story::{Action, Burst, DiskFault, How, Kind, Mode, Nature, Overflow, Step, Story};

/// The first number and the first customer of what is emitted in a passage: the order of the others stays theirs.
const FIRST: (u32, u8) = (100_000, 20);

/// Of a hundred stories, so many get a passage.
const SHARE: u32 = 25;

/// Adds a passage to some stories.
pub(super) fn added_to(mut story: Story) -> Story {
    let mut writer = Passage { random: random(story.seed, 0x6164_6465), next: FIRST.0, steps: Vec::new() };
    if writer.random.u32(0..100) >= SHARE {
        return story;
    }
    let has_outbox = story.setup.outbox.is_some();
    match (story.setup.kind, writer.random.u32(0..4)) {
        (Kind::Messages, 0 | 1) => return writer.beside(story),
        (Kind::Messages | Kind::Spans, _) => writer.end(),
        (_, 0) if has_outbox => writer.letters(),
        (_, 1) if has_outbox => writer.letters_that_fail(),
        (_, 2) if has_outbox => writer.damaged_heads(),
        (_, 0) => writer.broken_thread(),
        (_, 1) if !has_outbox => return writer.crowd(story),
        _ => writer.end(),
    }
    let at = writer.random.usize(0..=story.steps.len());
    story.steps.splice(at..at, writer.steps);
    story
}

struct Passage {
    random: Rng,
    next: u32,
    steps: Vec<Step>,
}

impl Passage {
    fn chance(&mut self, percent: u32) -> bool {
        self.random.u32(0..100) < percent
    }

    fn push(&mut self, after: u32, action: Action) {
        self.steps.push(Step { after, action });
    }

    /// Emits up to `most` signals together.
    fn emit(&mut self, after: u32, most: u32, nature: Nature, how: How) {
        let burst = self.burst(most, nature, how);
        self.push(after, Action::Emit(burst));
    }

    fn burst(&mut self, most: u32, nature: Nature, how: How) -> Burst {
        let (first, count) = (self.next, self.random.u32(1..=most));
        self.next += count;
        Burst { first, count, customer: FIRST.1 + self.random.u8(0..4), nature, size: self.random.usize(0..200), how }
    }

    fn flush(&mut self, after: u32) {
        self.push(after, Action::Flush(100_000, u32::MAX));
    }

    /// A flush right behind what Paid refuses.
    fn letters(&mut self) {
        self.push(0, Action::Server(Mode::Healthy));
        if self.chance(40) {
            self.push(0, Action::Disk(DiskFault::LettersFail));
        }
        for _ in 0..self.random.u32(1..4) {
            let after = self.random.u32(0..300);
            self.emit(after, 3, Nature::Refused, How::Emit);
            self.flush(0);
        }
        let after = self.random.u32(0..20_000);
        self.push(after, Action::Disk(DiskFault::Heals));
        self.flush(0);
    }

    /// Dead letters cannot be written while signals are stored that Paid does not take.
    fn letters_that_fail(&mut self) {
        self.push(0, Action::Server(Mode::Healthy));
        self.push(0, Action::Disk(DiskFault::LettersFail));
        self.emit(0, 3, Nature::Refused, How::Emit);
        let (after, then) = (self.random.u32(0..2_000), self.random.u32(0..2_000));
        self.push(after, Action::Server(Mode::Unreachable));
        for _ in 0..self.random.u32(1..4) {
            let how = if self.chance(80) { How::Store } else { How::Emit };
            self.emit(then, 4, Nature::Good, how);
        }
        let after = self.random.u32(12_000..30_000);
        self.push(after, Action::Wait);
        if self.chance(50) {
            self.push(0, Action::Start);
        }
        self.push(0, Action::Server(Mode::Healthy));
        self.push(0, Action::Disk(DiskFault::Heals));
    }

    /// What is only on disk has damaged heads when it is read.
    fn damaged_heads(&mut self) {
        self.push(0, Action::Server(Mode::Unreachable));
        for _ in 0..self.random.u32(1..4) {
            self.emit(0, 4, Nature::Good, How::Store);
        }
        let after = self.random.u32(500..2_000);
        self.push(after, Action::Wait);
        for _ in 0..self.random.u32(1..4) {
            let fault = DiskFault::FlipHead(self.random.u8(..), self.random.u16(..));
            self.push(0, Action::Disk(fault));
        }
        self.push(0, Action::Start);
        self.push(0, Action::Server(Mode::Healthy));
    }

    /// The thread that delivers panics while others wait for it.
    fn broken_thread(&mut self) {
        self.push(0, Action::Break);
        for _ in 0..self.random.u32(1..4) {
            let how = if self.chance(30) { How::Send } else { How::Emit };
            self.emit(0, 12, Nature::Good, how);
            if self.chance(30) {
                self.flush(0);
            }
        }
        let after = self.random.u32(3_000..40_000);
        self.push(after, Action::Wait);
        self.emit(0, 3, Nature::Good, How::Emit);
        self.flush(0);
        self.push(1_000, Action::Start);
    }

    /// The emitter is shut down while others wait for it, and for long.
    fn end(&mut self) {
        if self.chance(60) {
            self.push(0, Action::Server(Mode::Unreachable));
        }
        for _ in 0..self.random.u32(0..4) {
            let after = self.random.u32(0..50);
            self.emit(after, 6, Nature::Good, How::Emit);
        }
        let within = self.random.choice([0, 0, 10, 1_000]).unwrap_or(0);
        self.push(0, Action::Shutdown(within, u32::MAX));
        let mut left = within;
        for _ in 0..self.random.u32(1..5) {
            let after = if self.chance(50) { self.random.u32(0..3) } else { left };
            left = left.saturating_sub(after);
            self.flush(after);
        }
        let after = self.random.u32(20_000..60_000);
        self.push(after + within, Action::Start);
        if self.chance(70) {
            self.push(0, Action::Server(Mode::Healthy));
        }
    }

    /// Signals that have room in number, but not in bytes, push out the oldest.
    fn crowd(mut self, mut story: Story) -> Story {
        story.setup.overflow = Overflow::DropOldest;
        story.setup.queue_bytes = self.random.usize(4_000..12_000);
        for _ in 0..self.random.u32(1..4) {
            let after = self.random.u32(0..100);
            self.emit(after, 30, Nature::Good, How::Emit);
        }
        let at = self.random.usize(0..=story.steps.len());
        story.steps.splice(at..at, self.steps);
        story
    }

    /// The program itself emits while messages are forwarded, and makes room for what it emits.
    fn beside(mut self, mut story: Story) -> Story {
        story.setup.overflow = Overflow::DropOldest;
        story.setup.queue = self.random.usize(2..12);
        for at in 0..story.steps.len() {
            let Some(Step { after, action }) = story.steps.get(at).cloned() else { break };
            let is_message = matches!(action, Action::Emit(_));
            self.push(after, action);
            if is_message && self.chance(60) {
                let burst = self.burst(16, Nature::Good, How::Emit);
                let after = self.random.u32(0..20);
                self.push(after, Action::Beside(burst));
            }
        }
        Story { steps: self.steps, ..story }
    }
}
