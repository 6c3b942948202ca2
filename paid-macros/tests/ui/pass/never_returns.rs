#![allow(dead_code)]

#[paid::trace(customer = "acme")]
fn work() -> ! {
    loop {
        std::thread::park();
    }
}

#[paid::trace(customer = "acme")]
async fn later() -> ! {
    loop {
        std::future::pending::<()>().await;
    }
}

fn check() {
    let _: fn() -> ! = work;
    drop(later());
}

fn main() {
    if std::env::args().count() > 9 {
        check();
    }
}
