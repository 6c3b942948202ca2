//! Random histories of the queue: its limits hold, every load comes out once, and all orders are kept.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Debug;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Push {
        weight: usize,
        makes_way: bool,
    },
    /// A caller comes that waits for room.
    Wait {
        weight: usize,
    },
    /// A caller stops waiting.
    Leave {
        place: usize,
    },
    /// Room is given back unused, and not filled with a load.
    ChangeMind,
    Take {
        records: usize,
    },
    Release,
}

fn step() -> impl Strategy<Value = Step> {
    // Sometimes more than the limit.
    let weight = || prop_oneof![9 => 1_usize..60, 1 => 60_usize..160];
    prop_oneof![
        6 => (weight(), any::<bool>()).prop_map(|(weight, makes_way)| Step::Push { weight, makes_way }),
        3 => weight().prop_map(|weight| Step::Wait { weight }),
        1 => (0_usize..6).prop_map(|place| Step::Leave { place }),
        1 => Just(Step::ChangeMind),
        3 => (1_usize..5).prop_map(|records| Step::Take { records }),
        3 => Just(Step::Release),
    ]
}

struct Waiter<'a, C: Cargo> {
    number: usize,
    weight: usize,
    caller: Caller<'a, C>,
}

/// What is known from outside.
struct Model<'a, C: Cargo> {
    queue: &'a Queue<C>,
    limits: Limits,
    next: usize,
    /// What was queued and has not come out.
    inside: VecDeque<usize>,
    out: BTreeSet<usize>,
    taken: VecDeque<Held>,
    line: VecDeque<Waiter<'a, C>>,
    changes_mind: bool,
}

impl<'a, C: Cargo<Load = Crate>> Model<'a, C> {
    fn new(queue: &'a Queue<C>, limits: Limits) -> Self {
        let (inside, out, taken, line) = Default::default();
        Self { queue, limits, next: 0, inside, out, taken, line, changes_mind: false }
    }

    fn number(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    fn comes_out(&mut self, number: usize) {
        let place = self.inside.iter().position(|other| *other == number).expect("it was queued");
        self.inside.remove(place);
        assert!(self.out.insert(number), "{number} came out twice");
    }

    fn pushed(&mut self, number: usize, pushed: Pushed<C>) {
        match pushed {
            Pushed::Queued => self.inside.push_back(number),
            Pushed::Instead(others) => {
                assert!(!others.is_empty());
                others.iter().for_each(|other| self.comes_out(super::number(other)));
                self.inside.push_back(number);
            }
            Pushed::Refused(queued, _) => {
                assert_eq!(super::number(&queued), number);
                assert!(self.out.insert(number));
            }
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Push { weight, makes_way } => {
                let number = self.number();
                let content = Content::Load(Crate { number, weight, makes_way });
                let fits = self.queue.lock().has_room(weight);
                let pushed = self.queue.push(Queued { content, receipt: None, stored: None });
                assert_eq!(matches!(pushed, Pushed::Queued), fits);
                self.pushed(number, pushed);
            }
            Step::Wait { weight } => {
                let number = self.number();
                self.line.push_back(Waiter { number, weight, caller: Caller::new(self.queue, weight) });
            }
            Step::Leave { place } => {
                if let Some(waiter) = self.line.remove(place) {
                    self.out.insert(waiter.number);
                }
            }
            Step::ChangeMind => self.changes_mind = true,
            Step::Take { records } => {
                let (taken, held) = take(self.queue, records);
                let first: Vec<_> = self.inside.iter().copied().take(records).collect();
                assert_eq!(taken.iter().map(super::number).collect::<Vec<_>>(), first);
                first.into_iter().for_each(|number| self.comes_out(number));
                self.taken.push_back(held);
            }
            Step::Release => {
                let held = self.taken.pop_front().unwrap_or_default();
                self.queue.release(held);
            }
        }
        self.serve();
        self.check();
    }

    /// Polls everybody who waits: whoever has room stands in front of whoever has none, and was woken for it.
    fn serve(&mut self) {
        let mut still = VecDeque::new();
        for mut waiter in std::mem::take(&mut self.line) {
            let calls = waiter.caller.calls();
            match waiter.caller.poll() {
                Poll::Pending => {
                    assert_eq!(calls, 0, "woken for nothing");
                    still.push_back(waiter);
                }
                Poll::Ready(room) => {
                    let room = room.expect("the queue is open");
                    assert!(still.is_empty(), "{} has overtaken", waiter.number);
                    if std::mem::take(&mut self.changes_mind) {
                        self.out.insert(waiter.number);
                        continue;
                    }
                    let pushed = self.queue.push_into(room, load(waiter.number, waiter.weight));
                    assert!(matches!(pushed, Pushed::Queued));
                    self.pushed(waiter.number, pushed);
                }
            }
        }
        self.line = still;
    }

    fn check(&self) {
        let state = self.queue.lock();
        let held = state.held();
        assert!(held.records <= self.limits.records, "{held:?}");
        assert!(held.bytes <= self.limits.bytes || held.records == 1, "{held:?}");
        assert_eq!(state.queued.records, self.inside.len());
        assert_eq!(state.taken.records, self.taken.iter().map(|held| held.records).sum::<usize>());
        assert_eq!(state.promised, Held::default());
        // Nobody waits for room that there is.
        assert!(self.line.front().is_none_or(|first| !held_admits(held, first.weight, self.limits)));
    }

    fn end(mut self) {
        let left = self.queue.abandon();
        for queued in &left {
            assert_eq!(self.inside.front(), Some(&super::number(queued)));
            self.comes_out(super::number(queued));
        }
        for waiter in &mut self.line {
            assert!(matches!(waiter.caller.poll(), Poll::Ready(None)));
            self.out.insert(waiter.number);
        }
        assert_eq!(self.out, (0..self.next).collect());
    }
}

fn held_admits(held: Held, weight: usize, limits: Limits) -> bool {
    held.records == 0 || (held.records < limits.records && held.bytes + weight <= limits.bytes)
}

fn run<C: Cargo<Load = Crate>>(steps: &[Step], limits: Limits, overflow: Overflow)
where
    C::Load: Debug,
{
    let queue = queue::<C>(limits.records, limits.bytes, overflow);
    let mut model = Model::new(&queue, limits);
    for step in steps {
        model.step(*step);
    }
    model.end();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn limits_hold_and_every_load_comes_out_once_and_in_order(
        steps in prop::collection::vec(step(), 1..150),
        records in 1_usize..12,
        bytes in 50_usize..300,
        overflow in prop::sample::select(vec![Overflow::Reject, Overflow::Wait, Overflow::DropOldest]),
        has_ranks in any::<bool>(),
    ) {
        let limits = Limits { records, bytes };
        if has_ranks {
            run::<Crates<true>>(&steps, limits, overflow);
        } else {
            run::<Crates<false>>(&steps, limits, overflow);
        }
    }
}
