use futures_util::{Stream, stream};

#[paid::signal("rows_read")]
fn rows() -> impl Stream<Item = Result<u32, String>> {
    stream::empty()
}

fn main() {}
