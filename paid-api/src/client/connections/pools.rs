//! A pool of connections for each tokio runtime. A connection is driven by a task of the runtime that opened it, so a
//! request of another runtime on it waits for that runtime, and fails when that runtime ends.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::task::JoinHandle;

use super::HttpSettings;
use crate::duration::bounded;
use crate::error::{ConfigError, Failure};

/// A builder with this limit to connect.
pub(super) fn connecting_within(limit: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder().connect_timeout(bounded(limit))
}

/// Follows no redirect, which would pass the API key on; without encryption it uses no proxy and asks nobody who
/// `localhost` is.
pub(super) fn kept_safe(configured: reqwest::ClientBuilder, is_plain: bool) -> reqwest::ClientBuilder {
    // `connection_verbose` would log the key.
    let safe = configured.redirect(reqwest::redirect::Policy::none()).referer(false).connection_verbose(false);
    if !is_plain {
        return safe;
    }
    let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    safe.no_proxy().resolve_to_addrs("localhost", &here.map(|address| SocketAddr::new(address, 0)))
}

/// The pools, each made when its runtime makes its first request. The pool of a runtime that has ended is dropped.
pub(crate) struct Connections {
    settings: HttpSettings,
    pools: Mutex<Pools>,
}

struct Pools {
    /// Has no connections and belongs to no runtime.
    unused: Option<reqwest::Client>,
    used: Vec<Pool>,
}

struct Pool {
    runtime: Id,
    http: reqwest::Client,
    alive: Alive,
}

/// A task that ends with its runtime: an id alone may be given to another runtime later.
struct Alive(JoinHandle<()>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connections {
    /// Makes the first pool at once, so that settings that cannot work are an error now.
    pub(crate) fn new(settings: HttpSettings) -> Result<Self, ConfigError> {
        let unused = Some(settings.build()?);
        Ok(Self { settings, pools: Mutex::new(Pools { unused, used: Vec::new() }) })
    }

    /// Others with the same settings.
    #[allow(dead_code)] // Only background threads need them.
    pub(crate) fn separate(&self) -> Self {
        Self { settings: self.settings.clone(), pools: Mutex::new(Pools { unused: None, used: Vec::new() }) }
    }

    /// The HTTP client with the connections of the runtime that this is called in.
    pub(crate) fn here(&self) -> Result<reqwest::Client, Failure> {
        let runtime = Handle::try_current().map_err(|_| Failure::NoRuntime)?;
        self.of_runtime(&runtime).map_err(Failure::NotSetUp)
    }

    fn of_runtime(&self, runtime: &Handle) -> Result<reqwest::Client, ConfigError> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.used.retain(|pool| !pool.alive.0.is_finished());
        if let Some(pool) = pools.used.iter().find(|pool| pool.runtime == runtime.id()) {
            return Ok(pool.http.clone());
        }
        let http = match pools.unused.take() {
            Some(http) => http,
            None => self.settings.build()?,
        };
        let alive = Alive(runtime.spawn(std::future::pending()));
        pools.used.push(Pool { runtime: runtime.id(), http: http.clone(), alive });
        Ok(http)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    fn connections() -> Connections {
        let settings = HttpSettings { connect_timeout: Duration::MAX, configure: None, is_plain: true };
        Connections::new(settings).unwrap()
    }

    fn count(connections: &Connections) -> usize {
        connections.pools.lock().unwrap().used.len()
    }

    #[test]
    fn each_runtime_has_one_pool_and_takes_it_with_it() {
        let connections = connections();
        let (one, two) = (runtime(), runtime());
        for runtime in [&one, &two, &one] {
            connections.of_runtime(runtime.handle()).unwrap();
        }
        assert_eq!(count(&connections), 2);
        drop(one);
        connections.of_runtime(two.handle()).unwrap();
        assert_eq!(count(&connections), 1);
        assert_eq!(count(&connections.separate()), 0);
        for _ in 0..20 {
            connections.of_runtime(runtime().handle()).unwrap();
        }
        assert!(count(&connections) <= 2);
    }

    #[test]
    fn a_client_that_is_dropped_leaves_no_task_behind() {
        let runtime = runtime();
        let connections = connections();
        connections.of_runtime(runtime.handle()).unwrap();
        assert_eq!(runtime.metrics().num_alive_tasks(), 1);
        drop(connections);
        runtime.block_on(tokio::task::yield_now());
        assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    }
}
