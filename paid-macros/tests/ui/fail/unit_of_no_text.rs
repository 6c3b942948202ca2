use paid::PaidSignal;

struct Team;

#[derive(PaidSignal)]
#[paid(signal = "report_written")]
struct ReportWritten {
    #[paid(unit)]
    team: Team,
}

#[paid::signal("report_written", unit = share)]
fn write(share: f64) {}

fn main() {}
