use std::ops::ControlFlow;

#[paid::signal("search_done")]
fn search() -> ControlFlow<u32> {
    ControlFlow::Continue(())
}

#[paid::signal("rows_written")]
fn write() -> Vec<Result<u32, String>> {
    Vec::new()
}

#[paid::signal("rows_written")]
fn timed() -> (Result<u32, String>, u64) {
    (Ok(1), 7)
}

#[paid::signal("rows_written")]
fn later() -> (u64, Result<u32, String>) {
    (7, Ok(1))
}

fn main() {}
