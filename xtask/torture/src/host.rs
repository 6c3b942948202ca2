//! A machine whose threads are tasks of one runtime, interrupted at random.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use paid::fuzzing::simulation::{Host, Work};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep};

use crate::observe::Injected;
use crate::world::{Moment, World};

/// How often work is interrupted, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interruptions {
    pub(crate) percent: u32,
    /// Microseconds.
    pub(crate) longest: u32,
}

#[derive(Debug)]
pub(crate) struct SimulatedHost {
    world: World,
    interruptions: Interruptions,
}

impl SimulatedHost {
    pub(crate) fn new(world: World, interruptions: Interruptions) -> Arc<Self> {
        Arc::new(Self { world, interruptions })
    }
}

impl Host for SimulatedHost {
    fn now(&self) -> SystemTime {
        if self.world.breaks_now() {
            self.world.note(0x3000, || "the thread panics".to_owned());
            std::panic::panic_any(Injected);
        }
        self.world.wall()
    }

    fn start(&self, _: &str, work: Work) -> io::Result<Handle> {
        let world = self.world.clone();
        let mut work = work;
        let thread = std::future::poll_fn(move |context| {
            world.on_thread(true);
            let polled = work.as_mut().poll(context);
            world.on_thread(false);
            polled
        });
        spawn(&self.world, self.interruptions, Box::pin(thread));
        Ok(Handle::current())
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn alarm(&self, time: Duration) -> Work {
        Box::pin(tokio::time::sleep(time))
    }

    fn may_block(&self) -> bool {
        false
    }
}

/// Runs work as a task that is interrupted at random.
pub(crate) fn spawn(world: &World, interruptions: Interruptions, work: Work) {
    let paced = Paced { world: world.clone(), interruptions, work, pause: None };
    Handle::current().spawn(paced);
}

struct Paced {
    world: World,
    interruptions: Interruptions,
    work: Work,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Future for Paced {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.world.at(Moment::Step);
        if self.world.is_dead() {
            return Poll::Pending;
        }
        if let Some(pause) = &mut self.pause {
            if pause.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.pause = None;
        } else if self.world.chance(self.interruptions.percent) {
            let longest = u64::from(self.interruptions.longest);
            if longest == 0 || self.world.chance(50) {
                // The others go first.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let time = Duration::from_micros(self.world.below(longest));
            let mut pause = Box::pin(tokio::time::sleep(time));
            if pause.as_mut().poll(context).is_pending() {
                self.pause = Some(pause);
                return Poll::Pending;
            }
        }
        self.work.as_mut().poll(context)
    }
}
