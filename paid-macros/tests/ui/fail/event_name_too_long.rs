#[paid::signal("a_very_long_name_a_very_long_name_a_very_long_name_a_very_long_name_a_very_long_name_a_very_long_name_a_very_long_name_")]
fn work() {}

fn main() {}
