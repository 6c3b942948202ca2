//! What an annotated call costs when nobody listens: it allocates nothing.
#![allow(missing_docs)]

#[paid::signal("counted", customer = name, data(name, length = *ret))]
fn count(name: &str) -> usize {
    name.len()
}

#[test]
fn an_annotated_call_without_an_emitter_allocates_nothing() {
    // The first loss is reported, once.
    count("warm-up");
    let counted = allocation_counter::measure(|| {
        for _ in 0..1_000 {
            std::hint::black_box(count(std::hint::black_box("acme")));
        }
    });
    assert_eq!(counted.count_total, 0);
}
