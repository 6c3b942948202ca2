use paid::PaidSignal;

#[paid::signal("report_written", customer = "acme")]
fn work() {}

#[derive(PaidSignal)]
#[paid(signal = "report_written")]
struct ReportWritten;

#[derive(PaidSignal)]
enum Report {
    #[paid(signal = "report_written")]
    Written,
}

fn main() {}
