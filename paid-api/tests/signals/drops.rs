//! Parameters are dropped as without the macros: the last one first, also where the body takes some of them.

use std::cell::RefCell;

use crate::outcomes::sent;

thread_local! {
    static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

struct Named(&'static str);

impl Drop for Named {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

impl Named {
    fn take_if(self, takes: bool, others: &[&Self]) -> usize {
        let taken = takes.then_some(self);
        drop(taken);
        others.len()
    }
}

macro_rules! functions {
    ($name:ident $(#[$attribute:meta])*) => {
        mod $name {
            use super::Named;

            $(#[$attribute])*
            pub(super) fn plain(one: Named, _: Named, (two, three): (Named, Named), takes: bool) -> usize {
                if takes {
                    drop(one);
                    drop(three);
                    return 0;
                }
                let inside = Named("inside");
                inside.take_if(true, &[&two])
            }

            $(#[$attribute])*
            pub(super) async fn later(one: Named, two: Named, three: Named, takes: bool) -> usize {
                let length = [&three, &one].len();
                std::future::ready(()).await;
                if takes { two.take_if(true, &[]) } else { length }
            }
        }
    };
}

functions!(unannotated);
functions!(signal #[paid::signal("tried")]);
functions!(traced #[paid::trace(customer = "acme")]);
functions!(both #[paid::signal("tried")] #[paid::trace(customer = "acme")]);

fn dropped(work: impl FnOnce()) -> Vec<&'static str> {
    let _ = sent(work);
    DROPPED.take()
}

fn named() -> (Named, Named, Named, Named) {
    (Named("one"), Named("two"), Named("three"), Named("four"))
}

#[test]
fn the_last_parameter_is_dropped_first() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    macro_rules! order_of {
        ($name:ident, $takes:expr) => {{
            let plain = dropped(|| {
                let (one, two, three, four) = named();
                let _ = $name::plain(one, four, (two, three), $takes);
            });
            let later = dropped(|| {
                let (one, two, three, _four) = named();
                let _ = runtime.block_on($name::later(one, two, three, $takes));
            });
            (plain, later)
        }};
    }
    for takes in [true, false] {
        let expected = order_of!(unannotated, takes);
        assert_eq!(order_of!(signal, takes), expected, "signal, {takes}");
        assert_eq!(order_of!(traced, takes), expected, "trace, {takes}");
        assert_eq!(order_of!(both, takes), expected, "both, {takes}");
    }
}
