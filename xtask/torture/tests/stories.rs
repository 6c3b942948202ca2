//! Some stories on every run of the tests; `cargo xtask torture` runs many.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many stories are told.
const SEEDS: u64 = 200;

#[test]
fn every_claim_holds_in_the_first_stories_and_each_is_the_same_twice() {
    let next = AtomicU64::new(1);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > SEEDS {
                        return;
                    }
                    let story = torture::story(seed);
                    let outcome = torture::run(&story, false);
                    assert_eq!(outcome.failure, None, "cargo xtask torture --seed {seed}\n{story}");
                    assert_eq!(torture::run(&story, false).hash, outcome.hash, "seed {seed}");
                }
            });
        }
    });
}

/// Each told of a fault that is mended now.
const ONCE_BROKEN: [u64; 15] =
    [253, 267, 273, 304, 3_821, 7_473, 8_204, 9_513, 17_430, 69_486, 74_686, 4_658, 136_539, 149_932, 170_379];

#[test]
fn the_claims_that_once_broke_hold() {
    for seed in ONCE_BROKEN {
        let story = torture::plain_story(seed);
        assert_eq!(torture::run(&story, false).failure, None, "the plain story of {seed}\n{story}");
    }
}

/// The same, for stories in which somebody looks at dead letters, of spans and of messages.
const BROKEN_SINCE: [u64; 9] = [618, 7_254, 17_779, 23_824, 44_487, 49_114, 535_823, 553_322, 580_703];

#[test]
fn the_claims_that_broke_since_hold() {
    for seed in BROKEN_SINCE {
        let story = torture::earlier_story(seed);
        assert_eq!(torture::run(&story, false).failure, None, "the earlier story of {seed}\n{story}");
    }
}

/// The same, for stories of today. In this one, redb panicked twice over a damaged file, which aborted the process.
const BROKEN_LAST: [u64; 1] = [50_004];

#[test]
fn the_claims_that_broke_last_hold() {
    for seed in BROKEN_LAST {
        let story = torture::story(seed);
        assert_eq!(torture::run(&story, false).failure, None, "cargo xtask torture --seed {seed}\n{story}");
    }
}

#[test]
fn a_story_without_its_interesting_step_is_not_shorter_than_it_can_be() {
    // A claim that never fails is never shrunk.
    let story = torture::story(1);
    assert_eq!(torture::shrink(&story, "no such claim"), story);
}
