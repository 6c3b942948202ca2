//! A finding as a workflow command of GitHub Actions.

use paid::account::Finding;

pub(super) fn command(finding: &Finding) -> String {
    let place = &finding.place;
    format!(
        "::{} file={},line={},col={},endColumn={},title={}::{}",
        super::level(finding.level, "error", "warning"),
        property(&super::shown_path(finding)),
        place.line,
        place.column,
        place.column + place.length,
        property(&format!("cargo paid: {}", finding.rule)),
        data(&format!("{}; {}", finding.message, finding.fix)),
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
