//! A simulator that finds what nobody thought of: `cargo xtask torture`.
//!
//! The real emitters of signals and cost records, the exporter of spans and the forwarder, with dispatch, outbox and redb, run
//! through random stories, one thread a story: signals are emitted, stored and flushed; dead letters are sent again or
//! discarded; messages are published, delivered twice, and their acknowledgements lost; the clock jumps; Paid answers, lies,
//! hangs, loses the answer; the disk is full, fails, is torn at any byte, forgets what was not synced; the process is killed
//! at any step, and a new one starts on what is left. Beside it a model knows what may be claimed, and every claim is checked
//! at every step. Claims are also about what the hook hears and what the log says.
//!
//! ```sh
//! cargo xtask torture --seeds 2000             # CI
//! cargo xtask torture --seeds 1000000 --jobs 2
//! cargo xtask torture --seed 4711              # tells one story
//! cargo xtask torture --check-determinism
//! cargo xtask torture --faults                 # puts mended faults back, and shows that each is found
//! ```
//!
//! # How it is made, and why
//!
//! - *FoundationDB* and *TigerBeetle's* VOPR run a whole database in one thread, with time, disk, network and scheduling from
//!   one seed, and check it while it runs. That is what this does. From TigerBeetle comes also that a run ends in a phase
//!   where everything works: whatever is still pending then is stuck (liveness, module `process`).
//! - *sled's* guide to simulation: the code under test asks an interface for time, disk and threads, and the test answers.
//!   The library has such seams: `Host` (threads and the time of day), `Folder` and `Storage` (the disk), `Sink` (Paid and the
//!   collector) and `Message` (a stream).
//!   The library's code is the one that users run, not a copy, and needs no other build.
//! - *turmoil* and *madsim* simulate a network of hosts. There is no network here: one process talks to one server through
//!   one function. madsim also replaces tokio and libc by its own, which takes a build of its own; *loom* and *shuttle* try
//!   every interleaving of a few threads, which suits a lock, not a story of hours.
//! - So time is *tokio's paused clock*: whenever nothing can run, it jumps to the next timer, and four hours take a
//!   millisecond. Its scheduler takes tasks in turn, so the interleavings come from us: every thread of the library is a task
//!   that is interrupted at random, for nothing or for some time (module `host`), and the server, the disk and the user act at random
//!   times.
//! - A kill drops the runtime with all tasks at a random step, access to the disk, or answer. What destructors do then has no
//!   effect: disk and model are deaf (module `world`). After a loss of power, a file has its synced bytes, and of the later writes
//!   all up to one, which is torn, or any of them (module `disk`).
//! - A story has a few themes only (*swarm testing*, Groce et al.): in a story about everything, the first fault hides the
//!   others (module `generate`). A quarter of them get a passage about one trouble for which several things must come together,
//!   such as dead letters that cannot be written while Paid is away (module `generate::additions`).
//! - A story is plain data (module `story`). One that fails is made small by leaving out steps and simplifying the rest
//!   while the same claim fails (module `shrink`), and shown with what happened.
//!
//! A story is the same every time: random numbers come from the seed, keys and times are given, no `HashMap` is iterated, and
//! tasks that wait for one thing are woken in turn. Every story that fails is run twice and the records of both are compared;
//! `--check-determinism` does so for every story.
//!
//! A new claim belongs into model, a new kind of trouble into module `story` and module `generate`.

mod disk;
mod generate;
mod host;
mod model;
mod observe;
mod process;
mod run;
mod server;
mod shrink;
mod story;
mod stream;
mod world;

pub use generate::{earlier_story, plain_story, story};
pub use run::{Outcome, run};
pub use shrink::shrink;
pub use story::Story;
pub use world::Failure;
