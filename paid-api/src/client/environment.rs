//! The environment variables of a program that uses the library, and what they say together.

use reqwest::Url;

use super::BASE_URL;
use crate::error::ConfigError;

/// Paid's collector of spans.
#[allow(dead_code)] // Only tracing needs it.
pub(crate) const COLLECTOR: &str = "https://collector.agentpaid.io:4318/v1/traces";
/// Where a collector of another host listens, beside its API.
const COLLECTOR_PATH: &str = "/v1/traces";
const SWITCH: &str = "PAID_ENABLED";

/// The value of an environment variable; `None` if it is unset or empty.
pub(crate) fn variable(name: &str) -> Result<Option<String>, ConfigError> {
    match std::env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(ConfigError::new(format!("{name} is not valid Unicode"))),
    }
}

/// Whether anything is sent at all: not if `PAID_ENABLED` is `false`.
pub(crate) fn is_switched_on() -> Result<bool, ConfigError> {
    is_on(variable(SWITCH)?.as_deref())
}

fn is_on(value: Option<&str>) -> Result<bool, ConfigError> {
    let Some(value) = value.map(str::trim) else { return Ok(true) };
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ConfigError::new(format!(
            "{SWITCH} is {value:?}: set `false` to send nothing, or `true` (or nothing) to send"
        ))),
    }
}

/// The collector that belongs to the API at this URL: Paid's for Paid's own API, and for any other the one on the same host
/// and port. Spans of a test never go to Paid.
#[allow(dead_code)] // Only tracing needs it.
pub(crate) fn collector_beside(base_url: &str) -> String {
    let paids_own = Url::parse(BASE_URL).ok().map(|url| url.origin());
    match Url::parse(base_url).map(|url| url.origin()) {
        Ok(origin) if Some(&origin) == paids_own.as_ref() => COLLECTOR.to_owned(),
        Ok(origin) => format!("{}{COLLECTOR_PATH}", origin.ascii_serialization()),
        // Not a URL: said as such when it is checked.
        Err(_) => base_url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paid_s_own_api_has_paid_s_collector() {
        for base_url in [BASE_URL, "https://api.agentpaid.io", "https://api.agentpaid.io:443/api/v3"] {
            assert_eq!(collector_beside(base_url), COLLECTOR, "{base_url}");
        }
        for (base_url, collector) in [
            ("http://127.0.0.1:4010/api/v2", "http://127.0.0.1:4010/v1/traces"),
            ("http://[::1]:4010/api/v2", "http://[::1]:4010/v1/traces"),
            ("https://paid.test/api/v2", "https://paid.test/v1/traces"),
            ("https://api.agentpaid.io.evil.test", "https://api.agentpaid.io.evil.test/v1/traces"),
            ("https://api.agentpaid.io:444/api/v2", "https://api.agentpaid.io:444/v1/traces"),
        ] {
            assert_eq!(collector_beside(base_url), collector, "{base_url}");
        }
    }

    #[test]
    fn the_switch_is_true_or_false_and_nothing_else() {
        for (value, is_on_then) in
            [(None, true), (Some("true"), true), (Some(" False "), false), (Some("FALSE"), false)]
        {
            assert_eq!(is_on(value).unwrap(), is_on_then, "{value:?}");
        }
        for value in ["0", "off", "no", "fasle"] {
            assert!(is_on(Some(value)).unwrap_err().to_string().contains(value));
        }
    }
}
