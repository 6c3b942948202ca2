//! Keeps web pages of others away: a browser on this machine can be made to send requests to loopback (DNS rebinding,
//! cross-site requests), and everything in the emulator is readable to whoever knows a key that starts with `paid_`.

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;

use super::http::{JsonAnswer, respond, send_or_drop};

/// Which requests are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Those that name this machine as their `Host` and, if they come from a page, as their `Origin`.
    Local,
    /// All hosts, but no pages other than the emulator's own.
    Network,
}

pub(super) async fn guard(State(reach): State<Reach>, request: Request, next: Next) -> Response {
    match problem(reach, request.headers()) {
        None => next.run(request).await,
        Some(problem) => send_or_drop(respond(None, &JsonAnswer::error(403, problem, "not_local", Some("headers")))),
    }
}

fn problem(reach: Reach, headers: &HeaderMap) -> Option<&'static str> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if reach == Reach::Local && host.is_some_and(|host| !is_local(host)) {
        return Some("the emulator answers requests for this machine only: the `Host` header names another one");
    }
    let origin = headers.get(header::ORIGIN)?;
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    let is_own = origin.is_some_and(|origin| Some(origin) == host || (reach == Reach::Local && is_local(origin)));
    (!is_own).then_some("the emulator answers no web page of another machine: the `Origin` header names one")
}

fn is_local(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.to_ascii_lowercase().ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(reach: Reach, headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        problem(reach, &headers).is_some()
    }

    #[test]
    fn only_this_machine_and_its_own_pages_are_answered() {
        for host in ["127.0.0.1:4010", "localhost:4010", "LOCALHOST", "[::1]:4010", "127.9.9.9", "paid.localhost:1"] {
            assert!(!refused(Reach::Local, &[("host", host)]), "{host}");
        }
        for host in ["evil.example:4010", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.7:4010", ""] {
            assert!(refused(Reach::Local, &[("host", host)]), "{host}");
            assert!(!refused(Reach::Network, &[("host", host)]), "{host}");
        }
        for (origin, is_refused) in [
            ("http://localhost:3000", false),
            ("http://127.0.0.1:4010", false),
            ("https://evil.example", true),
            ("null", true),
            ("http://user@evil.example", true),
            ("http://localhost@evil.example", true),
        ] {
            let headers = [("host", "127.0.0.1:4010"), ("origin", origin)];
            assert_eq!(refused(Reach::Local, &headers), is_refused, "{origin}");
        }
        assert!(!refused(Reach::Network, &[("host", "emulator:4010"), ("origin", "http://emulator:4010")]));
        assert!(refused(Reach::Network, &[("host", "emulator:4010"), ("origin", "http://localhost:4010")]));
    }
}
