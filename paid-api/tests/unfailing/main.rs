//! What surrounds an emission must not reach its caller: a closed stderr, subscribers and hooks that panic, block or emit
//! signals of their own, values whose code panics, threads that panic or end.
//!
//! What ends a whole process is tried in one: the test binary runs itself again.
#![allow(clippy::unwrap_used, missing_docs)]

mod hooks;
mod installed;
mod outputs;
mod process;
mod threads;
mod values;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use paid::{Batch, Counts, DeliveryError, Emitter, EmitterBuilder, Signal, Sink, SinkFuture};
use serde_json::Value;

/// Stands for Paid: keeps what it gets, and refuses signals named `refused`.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Vec<Value>>>);

impl Server {
    fn names(&self) -> Vec<String> {
        let texts = self.0.lock().unwrap();
        texts.iter().map(|signal| signal["eventName"].as_str().unwrap().to_owned()).collect()
    }

    fn emitter(&self) -> EmitterBuilder {
        EmitterBuilder::over(self.clone()).linger(Duration::ZERO)
    }
}

impl Sink for Server {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async move {
            let refused = |record: &paid::Record| record.name() == "refused";
            if batch.records().any(refused) {
                return Err(paid::Error::refused("on purpose"));
            }
            let texts = batch.records().map(|record| serde_json::from_slice(record.body()).unwrap());
            self.0.lock().unwrap().extend(texts);
            Ok(Counts { ingested: batch.len() as u64, ..Counts::default() })
        })
    }
}

/// A sink that takes nothing before it is opened.
#[derive(Clone)]
struct Gate(Arc<tokio::sync::Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(tokio::sync::Semaphore::new(0)))
    }
}

impl Gate {
    fn open(&self) {
        self.0.close();
    }
}

impl Sink for Gate {
    fn send<'a>(&'a self, batch: Batch<'a>) -> SinkFuture<'a> {
        Box::pin(async move {
            let _opened = self.0.acquire().await;
            Ok(Counts { ingested: batch.len() as u64, ..Counts::default() })
        })
    }
}

fn signal(name: &'static str) -> Signal {
    Signal::new(name).customer("acme")
}

fn flush(emitter: &Emitter) {
    block_on(emitter.flush(Duration::from_secs(20))).unwrap();
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What hooks have heard.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn hook(&self) -> impl Fn(&DeliveryError) + Send + Sync + 'static {
        let heard = Arc::clone(&self.0);
        move |failure| heard.lock().unwrap().push(failure.to_string())
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// What was heard once this many failures were.
    fn wait_for(&self, number: usize) -> Vec<String> {
        let until = Instant::now() + Duration::from_secs(20);
        while self.all().len() < number && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.all()
    }
}
