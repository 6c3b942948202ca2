//! The role `unit`, in annotations, derived structs and enums.

use std::fmt;

use paid::PaidSignal;
use paid::testing::Recorder;
use serde_json::{Value, json};

/// Text only by `Display`.
struct TeamId(u64);

impl fmt::Display for TeamId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "team-{}", self.0)
    }
}

fn unit_of<R>(function: impl FnOnce() -> R) -> Value {
    let recorder = Recorder::new();
    recorder.run_sync(function);
    let signals = recorder.signals();
    assert_eq!(signals.len(), 1, "{signals:?}");
    signals[0].to_json()["customerUnit"].clone()
}

#[test]
fn an_annotation_takes_text_of_any_kind_and_leaves_out_a_none() {
    #[paid::signal("report_written", customer = "acme", unit = team)]
    fn write(team: Option<String>) {}

    #[paid::signal("report_read", customer = "acme", unit = ret)]
    fn read() -> TeamId {
        TeamId(7)
    }

    assert_eq!(unit_of(|| write(Some("sales".into()))), json!({"externalCustomerUnitId": "sales"}));
    assert_eq!(unit_of(|| write(None)), json!(null));
    assert_eq!(unit_of(read), json!({"externalCustomerUnitId": "team-7"}));
}

#[derive(PaidSignal)]
#[paid(signal = "report_written")]
struct ReportWritten {
    #[paid(unit)]
    team: &'static str,
    pages: u32,
}

impl From<&u32> for ReportWritten {
    fn from(pages: &u32) -> Self {
        Self { team: "of the payload", pages: *pages }
    }
}

#[derive(PaidSignal)]
enum Search {
    #[paid(signal = "search_run")]
    Run {
        #[paid(unit)]
        team: TeamId,
    },
    #[paid(signal = "search_failed")]
    Failed,
}

#[test]
fn a_derived_signal_has_its_unit_beside_the_data() {
    assert_eq!(
        ReportWritten { team: "sales", pages: 3 }.to_signal().to_json(),
        json!({
            "eventName": "report_written", "customerUnit": {"externalCustomerUnitId": "sales"}, "data": {"pages": 3}
        })
    );
    assert_eq!(
        Search::Run { team: TeamId(7) }.to_signal().to_json(),
        json!({"eventName": "search_run", "customerUnit": {"externalCustomerUnitId": "team-7"}})
    );
    assert_eq!(Search::Failed.to_signal().to_json(), json!({"eventName": "search_failed"}));
}

#[test]
fn the_annotations_unit_comes_before_the_payloads() {
    #[paid::signal(ReportWritten, customer = "acme")]
    fn write() -> u32 {
        7
    }

    #[paid::signal(ReportWritten, customer = "acme", unit = "of the annotation")]
    fn write_for() -> u32 {
        7
    }

    assert_eq!(unit_of(write), json!({"externalCustomerUnitId": "of the payload"}));
    assert_eq!(unit_of(write_for), json!({"externalCustomerUnitId": "of the annotation"}));
}

#[test]
fn a_scope_gives_its_unit_to_signals_of_its_customer_and_of_no_other() {
    #[paid::signal("report_written", unit = team)]
    fn write(team: Option<&str>) {}

    #[paid::signal("report_written", customer = customer)]
    fn write_for(customer: &str) {}

    let acme = || paid::scope().customer("acme").unit("sales");
    let sales = json!({"externalCustomerUnitId": "sales"});
    assert_eq!(unit_of(|| acme().run_sync(|| write(None))), sales);
    assert_eq!(unit_of(|| acme().run_sync(|| write(Some("legal")))), json!({"externalCustomerUnitId": "legal"}));
    assert_eq!(unit_of(|| acme().run_sync(|| write_for("acme"))), sales);
    assert_eq!(unit_of(|| acme().run_sync(|| write_for("globex"))), json!(null));
    let inner = |scope: paid::Scope| unit_of(|| acme().run_sync(|| scope.run_sync(|| write(None))));
    assert_eq!(inner(paid::scope().product("ai-sdr")), sales);
    assert_eq!(inner(paid::scope().customer("acme")), sales);
    assert_eq!(inner(paid::scope().customer("globex")), json!(null));
    assert_eq!(inner(paid::scope().customer("globex").unit("plant")), json!({"externalCustomerUnitId": "plant"}));
}
