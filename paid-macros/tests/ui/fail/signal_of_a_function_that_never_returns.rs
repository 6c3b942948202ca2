#[paid::signal("work_done")]
fn work() -> ! {
    loop {}
}

fn main() {}
