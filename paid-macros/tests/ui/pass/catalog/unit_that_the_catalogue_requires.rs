use paid::PaidSignal;

#[paid::signal("report_written", customer = "acme", unit = "sales")]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "report_written")]
struct ReportWritten {
    #[paid(unit)]
    team: String,
}

fn main() {}
