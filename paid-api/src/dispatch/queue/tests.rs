//! The queue by itself: its limits, its order, and who gets room.

mod model;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::room::Waiting;
use super::*;
use crate::dispatch::record::RecordWriter;
use crate::dispatch::settings::{Limits, Overflow};
use crate::report::RecordKind;

/// Cargo of a test: a number, a weight and a rank.
struct Crates<const HAS_RANKS: bool>;

#[derive(Clone, Copy, Debug)]
struct Crate {
    number: usize,
    weight: usize,
    makes_way: bool,
}

impl<const HAS_RANKS: bool> Cargo for Crates<HAS_RANKS> {
    type Load = Crate;
    type Ink = ();

    const KIND: RecordKind = RecordKind::Signal;
    const HAS_RANKS: bool = HAS_RANKS;

    fn name(load: &Crate) -> Cow<'static, str> {
        load.number.to_string().into()
    }

    fn weight(load: &Crate) -> usize {
        load.weight
    }

    fn makes_way(load: &Crate) -> bool {
        HAS_RANKS && load.makes_way
    }

    fn ink(&self) {}

    fn write(load: Crate, (): &(), page: &mut RecordWriter) {
        page.add(RecordKind::Signal, &load.number.to_string(), "", 0, |_| ());
    }
}

fn queue<C: Cargo>(records: usize, bytes: usize, overflow: Overflow) -> Queue<C> {
    let batch = Limits { records: usize::MAX, bytes: usize::MAX };
    Queue::new(Limits { records, bytes }, overflow, batch, false, mpsc::unbounded_channel().0)
}

type Plain = Crates<false>;

fn load<C: Cargo<Load = Crate>>(number: usize, weight: usize) -> Queued<C> {
    Queued { content: Content::Load(Crate { number, weight, makes_way: false }), receipt: None, stored: None }
}

fn number<C: Cargo<Load = Crate>>(queued: &Queued<C>) -> usize {
    match &queued.content {
        Content::Load(load) => load.number,
        Content::Record(_) => panic!("no record was pushed"),
    }
}

fn take<C: Cargo>(queue: &Queue<C>, records: usize) -> (Vec<Queued<C>>, Held) {
    let mut taken = Vec::new();
    queue.take(Limits { records, bytes: usize::MAX }, &mut taken);
    let mut held = Held::default();
    taken.iter().for_each(|queued| held.add(queued.content.weight()));
    (taken, held)
}

/// Counts how often it is woken.
#[derive(Default)]
struct Calls(AtomicUsize);

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A wait for room and how often it was woken.
struct Caller<'a, C: Cargo> {
    waiting: Waiting<'a, C>,
    calls: Arc<Calls>,
}

impl<'a, C: Cargo> Caller<'a, C> {
    fn new(queue: &'a Queue<C>, weight: usize) -> Self {
        Self { waiting: queue.room(weight), calls: Arc::default() }
    }

    /// A wait that has to wait.
    fn in_line(queue: &'a Queue<C>, weight: usize) -> Self {
        let mut caller = Self::new(queue, weight);
        assert!(caller.poll().is_pending());
        caller
    }

    fn poll(&mut self) -> Poll<Option<Room<'a, C>>> {
        let waker = Waker::from(Arc::clone(&self.calls));
        std::pin::Pin::new(&mut self.waiting).poll(&mut Context::from_waker(&waker))
    }

    fn calls(&self) -> usize {
        self.calls.0.load(Ordering::SeqCst)
    }

    fn room(&mut self) -> Room<'a, C> {
        match self.poll() {
            Poll::Ready(Some(room)) => room,
            Poll::Ready(None) => panic!("the queue is closed"),
            Poll::Pending => panic!("there is no room"),
        }
    }
}

#[test]
fn as_many_of_the_oldest_are_dropped_as_a_larger_one_needs() {
    let queue = queue::<Plain>(100, 1_000, Overflow::DropOldest);
    for number in 0..10 {
        assert!(matches!(queue.push(load(number, 100)), Pushed::Queued));
    }
    let Pushed::Instead(dropped) = queue.push(load(10, 350)) else { panic!("it is queued in place of others") };
    assert_eq!(dropped.iter().map(number).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(queue.lock().held(), Held { records: 7, bytes: 950 });
}

#[test]
fn nothing_is_dropped_if_that_is_not_enough() {
    let queue = queue::<Plain>(100, 1_000, Overflow::DropOldest);
    for number in 0..10 {
        assert!(matches!(queue.push(load(number, 100)), Pushed::Queued));
    }
    let (_, held) = take(&queue, 8);
    // Eight are being sent, and only two could go.
    assert!(matches!(queue.push(load(10, 300)), Pushed::Refused(_, DeliveryError::QueueFull { .. })));
    assert_eq!(take(&queue, 9).0.len(), 2);
    queue.release(held);
    assert!(matches!(queue.push(load(11, 300)), Pushed::Queued));
}

#[test]
fn one_that_exceeds_the_limit_by_itself_is_held_alone_or_not_at_all() {
    for overflow in [Overflow::Reject, Overflow::DropOldest, Overflow::Wait] {
        let queue = queue::<Plain>(100, 1_000, overflow);
        assert!(matches!(queue.push(load(0, 1)), Pushed::Queued));
        assert!(matches!(queue.push(load(1, 1_001)), Pushed::Refused(..)), "{overflow:?}");
        let (_, held) = take(&queue, 1);
        assert!(matches!(queue.push(load(2, 1_001)), Pushed::Refused(..)), "{overflow:?}");
        queue.release(held);
        assert!(matches!(queue.push(load(3, 1_001)), Pushed::Queued), "{overflow:?}");
        let next = queue.push(load(4, 1));
        assert_eq!(matches!(next, Pushed::Instead(_)), overflow == Overflow::DropOldest);
    }
}

#[test]
fn room_goes_to_whoever_has_waited_longest_and_only_that_one_is_woken() {
    let queue = queue::<Plain>(1, 1_000, Overflow::Wait);
    assert!(matches!(queue.push(load(0, 10)), Pushed::Queued));
    let mut callers: Vec<_> = (1..=5).map(|_| Caller::in_line(&queue, 10)).collect();
    for turn in 0..callers.len() {
        let (taken, held) = take(&queue, 1);
        assert_eq!(number(&taken[0]), turn);
        queue.release(held);
        let woken: Vec<_> = callers.iter().map(Caller::calls).collect();
        assert_eq!(woken, (0..5).map(|place| usize::from(place <= turn)).collect::<Vec<_>>());
        // Nobody can take the room that another one has waited for.
        assert!(matches!(queue.push(load(99, 10)), Pushed::Refused(..)));
        let room = callers[turn].room();
        assert!(matches!(queue.push_into(room, load(turn + 1, 10)), Pushed::Queued));
    }
}

#[test]
fn a_large_load_is_not_overtaken_by_small_ones() {
    let queue = queue::<Plain>(100, 1_000, Overflow::Wait);
    for number in 0..10 {
        assert!(matches!(queue.push(load(number, 100)), Pushed::Queued));
    }
    let mut large = Caller::in_line(&queue, 900);
    let mut small = Caller::in_line(&queue, 100);
    for _ in 0..8 {
        let (_, held) = take(&queue, 1);
        queue.release(held);
        assert!(large.poll().is_pending() && small.poll().is_pending());
        assert!(matches!(queue.push(load(99, 1)), Pushed::Refused(..)));
    }
    let (_, held) = take(&queue, 1);
    queue.release(held);
    let _room = large.room();
    assert!(small.poll().is_pending());
}

#[test]
fn whoever_stops_waiting_leaves_the_place_or_the_room_to_the_next() {
    let queue = queue::<Plain>(100, 1_000, Overflow::Wait);
    assert!(matches!(queue.push(load(0, 600)), Pushed::Queued));
    let first = Caller::in_line(&queue, 500);
    let mut second = Caller::in_line(&queue, 400);
    drop(first);
    assert_eq!(second.calls(), 1);
    let room = second.room();
    let third = Caller::in_line(&queue, 400);
    drop(room);
    assert_eq!(third.calls(), 1);
    // Admitted, and dropped before it knew.
    let mut fourth = Caller::in_line(&queue, 400);
    drop(third);
    let _room = fourth.room();
}

#[test]
fn everybody_who_waits_hears_that_the_queue_is_closed() {
    let queue = queue::<Plain>(1, 1_000, Overflow::Wait);
    assert!(matches!(queue.push(load(0, 1)), Pushed::Queued));
    let mut callers = [Caller::in_line(&queue, 1), Caller::in_line(&queue, 2_000)];
    queue.close();
    for caller in &mut callers {
        assert_eq!(caller.calls(), 1);
        assert!(matches!(caller.poll(), Poll::Ready(None)));
    }
    assert!(matches!(Caller::new(&queue, 1).poll(), Poll::Ready(None)));
    drop(callers);
    let (_, held) = take(&queue, 1);
    queue.release(held);
    assert_eq!(queue.lock().held(), Held::default());
}

#[test]
fn room_that_was_promised_is_refused_once_the_queue_is_closed() {
    let queue = queue::<Plain>(1, 1_000, Overflow::Wait);
    let room = Caller::new(&queue, 1).room();
    queue.close();
    assert!(matches!(queue.push_into(room, load(0, 1)), Pushed::Refused(_, DeliveryError::ShutDown { .. })));
    assert_eq!(queue.lock().held(), Held::default());
}

#[test]
fn an_abandoned_queue_returns_what_nobody_will_take_and_accepts_nothing_more() {
    let queue = queue::<Plain>(100, 1_000, Overflow::Wait);
    for number in 0..3 {
        assert!(matches!(queue.push(load(number, 1)), Pushed::Queued));
    }
    let (tell, told) = std::sync::mpsc::channel();
    assert!(matches!(queue.push(load(3, 1)), Pushed::Queued));
    queue.flush(FlushTell::Thread(tell));
    let left = queue.abandon();
    assert_eq!(left.iter().map(number).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert!(told.recv().is_err());
    assert!(matches!(queue.push(load(4, 1)), Pushed::Refused(_, DeliveryError::ShutDown { .. })));
    let (tell, _) = std::sync::mpsc::channel();
    assert!(!queue.flush(FlushTell::Thread(tell)));
}
