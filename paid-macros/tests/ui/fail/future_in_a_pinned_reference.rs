use std::pin::Pin;

#[paid::signal("email_sent")]
fn send(work: Pin<&mut dyn Future<Output = Result<u32, String>>>) -> Pin<&mut dyn Future<Output = Result<u32, String>>> {
    work
}

fn main() {}
