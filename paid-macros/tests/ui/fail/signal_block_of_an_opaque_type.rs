fn main() {
    let _ = paid::signal_block!("rows_read", -> impl Iterator<Item = u32> { [1, 2].into_iter() });
}
