//! Without an emitter.

#[paid::signal("lost_on_purpose", customer = panic_if_evaluated())]
fn work() -> u32 {
    3
}

fn panic_if_evaluated() -> &'static str {
    panic!("nobody listens, so nothing is evaluated")
}

struct Tenant {
    id: String,
}

/// A field of it is one of what user code returns.
struct Unmade;

impl std::ops::Deref for Unmade {
    type Target = Tenant;

    fn deref(&self) -> &Tenant {
        panic_if_evaluated();
        unreachable!()
    }
}

#[paid::signal("lost_on_purpose", customer = tenant.id, data(id = tenant.id))]
fn work_for(tenant: &Unmade) -> u32 {
    let _ = tenant;
    3
}

#[paid::signal("lost_on_purpose", customer = "acme", success = |_| Some(Unmade), data(id = ret.id))]
fn made() -> u32 {
    3
}

#[test]
fn a_field_behind_code_of_the_users_is_not_read() {
    assert_eq!((work_for(&Unmade), made()), (3, 3));
}

#[test]
fn nothing_is_evaluated_and_the_loss_is_counted() {
    let before = paid::lost_signals();
    // Other tests have scopes with recorders of their own, so looking for one may find none here all the same.
    assert_eq!(work(), 3);
    assert!(paid::lost_signals() > before);
}
