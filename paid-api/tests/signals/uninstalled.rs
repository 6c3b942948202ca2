//! Without an emitter.

#[paid::signal("lost_on_purpose", customer = panic_if_evaluated())]
fn work() -> u32 {
    3
}

fn panic_if_evaluated() -> &'static str {
    panic!("nobody listens, so nothing is evaluated")
}

#[test]
fn nothing_is_evaluated_and_the_loss_is_counted() {
    let before = paid::lost_signals();
    // Other tests have scopes with recorders of their own, so looking for one may find none here all the same.
    assert_eq!(work(), 3);
    assert!(paid::lost_signals() > before);
}
