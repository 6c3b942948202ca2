//! Whether the account can be reached, with this key, and whether its clock agrees.

use std::time::{Duration, Instant, SystemTime};

use crate::{Client, Error, Method};

/// What a connection to the account is like.
#[derive(Debug)]
#[non_exhaustive]
pub struct Connection {
    /// How long a small request took; why it failed otherwise.
    pub request: Result<Duration, Error>,
    /// How far this machine's clock is ahead of the server's, in seconds; negative if it is behind. `None` if the server does not
    /// tell its time.
    pub clock_ahead: Option<i64>,
}

/// Tries the connection: one request that changes nothing.
pub async fn connection(client: &Client) -> Connection {
    let begin = Instant::now();
    let request = client.request(Method::GET, "/products/").query("limit", "1").await.map(|_| begin.elapsed());
    Connection { request, clock_ahead: clock_ahead(client.base_url()).await }
}

/// The time of any answer will do, so nothing is asked that needs a key.
async fn clock_ahead(url: &str) -> Option<i64> {
    let before = SystemTime::now();
    let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().ok()?;
    let answer = http.get(url).send().await.ok()?;
    let after = SystemTime::now();
    let date = answer.headers().get(reqwest::header::DATE)?.to_str().ok()?;
    let server = httpdate::parse_http_date(date).ok()?;
    let seconds = |time: SystemTime| {
        time.duration_since(SystemTime::UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok())
    };
    let (server, before, after) = (seconds(server)?, seconds(before)?, seconds(after)?);
    // The header has whole seconds, and the answer took a while.
    Some(if server < before {
        before - server
    } else if server > after {
        after - server
    } else {
        0
    })
}
