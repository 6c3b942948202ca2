//! Annotations that come out of `macro_rules!`: `ret` is the success value where the key of the annotation was written, and
//! what else is called `ret` stays what it is.

use paid::Signal;
use paid::testing::Recorder;
use serde_json::{Value, json};

use crate::outcomes::ignore;

fn data(function: impl FnOnce()) -> Value {
    let recorder = Recorder::new();
    recorder.run_sync(function);
    let signals: Vec<Signal> = recorder.signals();
    assert_eq!(signals.len(), 1, "{signals:?}");
    signals[0].data().to_json()
}

macro_rules! with_a_local {
    ($name:ident) => {
        #[paid::signal("email_sent", customer = "acme", data(words = *ret, more = *ret + 1))]
        fn $name(ret: u32) -> Result<u32, ()> {
            let ret = ret + 10;
            Ok(ret)
        }
    };
}

with_a_local!(with_a_local);

macro_rules! block_with {
    ($before:expr, $behind:expr) => {
        paid::signal_block!(
            "email_sent",
            customer = "acme",
            data(before = $before, words = *ret, behind = $behind),
            || 7_u32
        )()
    };
}

macro_rules! with_a_parameter {
    ($name:ident) => {
        #[paid::signal("email_sent", customer = "acme", data(given = $name, made = *ret))]
        fn with_a_parameter($name: &str) -> Result<usize, ()> {
            Ok($name.len())
        }
    };
}

with_a_parameter!(ret);

struct Refused {
    code: usize,
}

macro_rules! that_fails {
    ($name:ident) => {
        #[paid::signal("email_refused", customer = "acme", on = "error", data(given = $name, code = err.code))]
        fn that_fails($name: &str) -> Result<(), Refused> {
            Err(Refused { code: $name.len() })
        }
    };
}

that_fails!(err);

macro_rules! always {
    ($name:ident) => {
        #[paid::signal("email_tried", customer = "acme", on = "always", when = result.is_ok(), data(given = $name))]
        fn always($name: u8) -> Result<u8, ()> {
            Ok($name + 1)
        }
    };
}

always!(result);

macro_rules! with_arguments {
    ($($arguments:tt)*) => {
        #[paid::signal($($arguments)*)]
        fn with_arguments(ret: u32) -> Result<u32, ()> {
            Ok(ret + 1)
        }
    };
}

with_arguments!("email_sent", customer = "acme", data(words = *ret), when = *ret > 3);

macro_rules! renamed {
    ($ret:ident, $value:expr) => {
        #[paid::signal("email_sent", customer = "acme", data(words = $value), ret = $ret)]
        fn renamed(words: u32) -> Result<u32, ()> {
            Ok(words + 1)
        }
    };
}

renamed!(ret, *ret + 100);

macro_rules! judged {
    ($judge:expr) => {
        #[paid::signal("email_sent", customer = "acme", success = $judge, data(words = ret))]
        fn judged(ret: u32) -> u32 {
            ret + 1
        }
    };
}

judged!(|ret: &u32| (*ret > 3).then_some(*ret));

struct Lead {
    account: String,
    words: u32,
}

macro_rules! method {
    ($name:ident, $this:ident, $field:ident) => {
        impl Lead {
            #[paid::signal(
                "email_sent",
                customer = $this.account,
                data($field = $this.$field, made = ret.$field, length = $this.account.len() + ret.account.len())
            )]
            fn $name(&$this) -> Result<&Self, ()> {
                Ok($this)
            }
        }
    };
}

method!(send, self, words);

#[test]
fn the_success_value_is_that_of_the_annotations_own_macro() {
    assert_eq!(data(|| ignore(with_a_local(1))), json!({"words": 11, "more": 12}));
    assert_eq!(data(|| ignore(with_a_parameter("four"))), json!({"given": "four", "made": 4}));
    assert_eq!(data(|| ignore(that_fails("four"))), json!({"given": "four", "code": 4}));
    assert_eq!(data(|| ignore(always(1))), json!({"given": 1}));
    let ret = "a text";
    let words = |function: fn(&str)| data(|| function(ret));
    let both = words(|ret| ignore(block_with!(ret.len(), ret)));
    assert_eq!(both, json!({"before": 6, "words": 7, "behind": "a text"}));
}

#[test]
fn what_the_caller_writes_as_a_whole_is_the_callers() {
    assert_eq!(data(|| ignore(with_arguments(3))), json!({"words": 4}));
    assert_eq!(data(|| ignore(renamed(1))), json!({"words": 102}));
    assert_eq!(data(|| ignore(judged(7))), json!({"words": 8}));
}

#[test]
fn fields_and_self_are_those_of_who_wrote_them() {
    let lead = Lead { account: "acme".into(), words: 3 };
    assert_eq!(data(|| ignore(lead.send())), json!({"words": 3, "made": 3, "length": 8}));
}
