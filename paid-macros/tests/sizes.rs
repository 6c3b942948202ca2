//! How large a future is: the annotation has no room of its own for the arguments. Two attributes on one `async fn` keep them
//! once more, and so does an annotation that mentions them.
#![allow(missing_docs)]

use std::future::Future;

type Large = [u8; 4096];

async fn step() {}

/// The same function, with what is in front of it.
macro_rules! annotated {
    ($name:ident($large:ident, $text:ident) $(#[$attribute:meta])*) => {
        $(#[$attribute])*
        async fn $name($large: Large, $text: String) -> Result<usize, ()> {
            step().await;
            Ok($large.len() + $text.len())
        }
    };
}

annotated!(plain(large, text));
annotated!(signal(large, text) #[paid::signal("email_sent", customer = "acme")]);
annotated!(with_arguments(large, text) #[paid::signal("email_sent", customer = "acme", data(name = text, first = large[0], made = *ret))]);
annotated!(trace(large, text) #[paid::trace(customer = "acme")]);
annotated!(both(large, text) #[paid::trace(customer = "acme")] #[paid::signal("email_sent", data(made = *ret))]);

macro_rules! making {
    ($name:ident $(#[$attribute:meta])*) => {
        $(#[$attribute])*
        fn $name(large: Large) -> impl Future<Output = Result<usize, ()>> {
            async move {
                step().await;
                Ok(large.len())
            }
        }
    };
}

making!(plainly_made);
making!(made_with_signal #[paid::signal("email_sent", customer = "acme")]);
making!(made_in_a_trace #[paid::trace(customer = "acme")]);

/// How much larger the first is, in bytes.
fn more<A: Future, B: Future>(annotated: A, plain: B) -> usize {
    size_of_val(&annotated) - size_of_val(&plain)
}

#[test]
fn an_annotated_future_has_room_for_its_arguments_as_often_as_the_plain_one() {
    let large = [0; 4096];
    let (name, of_plain) = (String::new, || plain(large, String::new()));
    for more in [
        more(signal(large, name()), of_plain()),
        more(trace(large, name()), of_plain()),
        more(made_with_signal(large), plainly_made(large)),
        more(made_in_a_trace(large), plainly_made(large)),
    ] {
        assert!(more <= 128, "{more} bytes more");
    }
    for more in [more(with_arguments(large, name()), of_plain()), more(both(large, name()), of_plain())] {
        assert!(more <= size_of::<Large>() + 256, "{more} bytes more");
    }
}
