#![allow(dead_code)]

struct Page<T>(Vec<T>);

#[paid::signal("page_read")]
fn read<T>(rows: Vec<T>) -> Page<T> {
    Page(rows)
}

#[paid::signal("rows_read")]
async fn rows<T>(rows: Vec<T>) -> Result<Vec<T>, String> {
    Ok(rows)
}

fn main() {}
