//! Where a published document comes from: a file, or a URL with limits of size and time (feature `url`).

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Options;
use crate::{document, project};

fn is_url(source: &str) -> bool {
    source.starts_with("https://") || source.starts_with("http://")
}

/// Reads the document.
pub(crate) fn read(source: &str) -> Result<Value> {
    if !is_url(source) {
        return document::load(Path::new(source));
    }
    let text = fetch(source).with_context(|| format!("cannot fetch {source}"))?;
    document::parse(&text).with_context(|| format!("{source} is not an OpenAPI document"))
}

/// Whether this program was built without what the source needs.
pub(crate) fn needs_feature(source: &str) -> bool {
    is_url(source) && !cfg!(feature = "url")
}

/// Builds this program with HTTP, and lets it do the work.
pub(crate) fn run_with_feature(options: &Options) -> Result<()> {
    let mut command = Command::new("cargo");
    command.current_dir(project::root()?);
    command.args(["run", "--quiet", "-p", "xtask", "--features", "url", "--", "spec", "update", &options.source]);
    if options.bump {
        command.arg("--bump");
    }
    ensure!(command.status().context("cannot start cargo")?.success(), "the update failed");
    Ok(())
}

#[cfg(not(feature = "url"))]
fn fetch(_: &str) -> Result<String> {
    anyhow::bail!("xtask was built without its feature `url`")
}

#[cfg(feature = "url")]
fn fetch(url: &str) -> Result<String> {
    http::fetch(url, &http::Limits::default())
}

#[cfg(feature = "url")]
mod http {
    use std::io::Read;
    use std::time::Duration;

    use anyhow::{Context, Result, bail, ensure};
    use reqwest::Url;
    use reqwest::blocking::Client;
    use reqwest::redirect::Policy;

    /// A published document is about a megabyte.
    #[derive(Debug)]
    pub(super) struct Limits {
        pub(super) bytes: u64,
        /// For everything, from the connection to the last byte.
        pub(super) time: Duration,
    }

    impl Default for Limits {
        fn default() -> Self {
            Self { bytes: 32 * 1024 * 1024, time: Duration::from_secs(60) }
        }
    }

    pub(super) fn fetch(url: &str, limits: &Limits) -> Result<String> {
        let url = Url::parse(url).context("not a URL")?;
        ensure!(safe(&url), "plain http is only for this machine; use https");
        let redirects = Policy::custom(|attempt| {
            if attempt.previous().len() > 5 {
                attempt.error("more than 5 redirects")
            } else if safe(attempt.url()) {
                attempt.follow()
            } else {
                attempt.error("a redirect to plain http")
            }
        });
        let client = Client::builder().timeout(limits.time).redirect(redirects).build()?;
        let response = client.get(url).send()?.error_for_status()?;
        let mut text = String::new();
        let read = response.take(limits.bytes + 1).read_to_string(&mut text).context("not text, or not in time")?;
        if read as u64 > limits.bytes {
            bail!("the document has more than {} bytes", limits.bytes);
        }
        Ok(text)
    }

    fn safe(url: &Url) -> bool {
        let loopback = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        url.scheme() == "https" || (url.scheme() == "http" && url.host_str().is_some_and(loopback))
    }

    #[cfg(test)]
    mod tests {
        use std::io::Write;
        use std::net::TcpListener;

        use super::*;

        /// Serves one answer, in pieces with a pause, and returns the URL.
        fn server(answer: &'static str, pause: Duration) -> String {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/openapi.json", listener.local_addr().unwrap());
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let mut stream = stream;
                    let mut request = [0; 4096];
                    let _ = stream.read(&mut request);
                    for piece in answer.as_bytes().chunks(16) {
                        if stream.write_all(piece).and_then(|()| stream.flush()).is_err() {
                            return;
                        }
                        std::thread::sleep(pause);
                    }
                }
            });
            url
        }

        const SMALL: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

        fn limits(bytes: u64, millis: u64) -> Limits {
            Limits { bytes, time: Duration::from_millis(millis) }
        }

        #[test]
        fn a_document_within_the_limits_is_read() {
            let url = server(SMALL, Duration::ZERO);
            assert_eq!(fetch(&url, &limits(2, 60_000)).unwrap(), "{}");
        }

        #[test]
        fn one_that_is_too_large_or_too_slow_is_refused() {
            let error = fetch(&server(SMALL, Duration::ZERO), &limits(1, 60_000)).unwrap_err();
            assert!(format!("{error:#}").contains("more than 1 bytes"), "{error:#}");
            let url = server(SMALL, Duration::from_secs(3600));
            assert!(fetch(&url, &limits(2, 50)).is_err());
        }

        #[test]
        fn errors_and_ways_to_plain_http_are_refused() {
            let missing = server("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", Duration::ZERO);
            assert!(fetch(&missing, &Limits::default()).is_err());
            let elsewhere = server(
                "HTTP/1.1 302 Found\r\nlocation: http://example.com/a\r\ncontent-length: 0\r\n\r\n",
                Duration::ZERO,
            );
            let error = fetch(&elsewhere, &Limits::default()).unwrap_err();
            assert!(format!("{error:#?}").contains("a redirect to plain http"), "{error:#?}");
            let error = fetch("http://example.com/openapi.json", &Limits::default()).unwrap_err();
            assert!(error.to_string().contains("use https"), "{error}");
        }
    }
}
