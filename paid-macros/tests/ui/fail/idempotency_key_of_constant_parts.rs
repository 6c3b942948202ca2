const DAY: u32 = 1;

#[paid::signal("report_made", idempotency_key = ["report", DAY])]
fn report() {}

#[paid::signal("report_made", idempotency_key = [])]
fn report_without_parts() {}

fn main() {}
