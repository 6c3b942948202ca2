//! How many signals the emulator takes in, what it needs to keep them, and how its page bears them: the released program, over
//! loopback.

mod browser;
mod page;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::measure;
use super::row::{Bar, Row};
use crate::project;

/// Signals in a request.
const BATCH: u64 = 500;
const CONNECTIONS: u64 = 2;
/// For the throughput, and for the memory.
const SIGNALS: [u64; 2] = [1_000_000, 10_000_000];

pub(crate) fn rows() -> Result<Vec<Row>> {
    let program = program()?;
    let emulator = Emulator::start(&program)?;
    emulator.prepare()?;
    eprintln!("  its page");
    let of_page = page::rows(&emulator)?;
    let emulator = Emulator::start(&program)?;
    emulator.prepare()?;
    let [some, all] = SIGNALS;
    eprintln!("  {some} signals");
    let begun = Instant::now();
    emulator.load(0, some)?;
    #[allow(clippy::cast_precision_loss)]
    let rate = some as f64 / begun.elapsed().as_secs_f64();
    eprintln!("  {all} signals");
    emulator.load(some, all)?;
    let peak = emulator.peak_mib()?;
    let begun = Instant::now();
    let invoices = emulator.call("GET", "/api/v2/invoices/", "")?;
    let read = begun.elapsed().as_secs_f64() * 1e3;
    let billed = format!("\"invoiceTotal\":{all}");
    if !invoices.contains(&billed) {
        bail!("not every signal was billed: no {billed} in {invoices}");
    }
    let mut rows = vec![
        Row::new(
            "signals taken in, a second",
            rate,
            Bar::AtLeast(100_000.0),
            "bulk of 500, validated, deduplicated, stored",
        ),
        Row::new("peak resident memory with 10 million signals, MiB", peak, Bar::Below(2048.0), "with keys and data"),
        Row::new("the invoice over all of them, read, ms", read, Bar::None, "each billed once"),
    ];
    rows.extend(of_page);
    Ok(rows)
}

/// The released program; or another that `PAID_EMULATOR` names.
fn program() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("PAID_EMULATOR") {
        return Ok(program.into());
    }
    let root = project::root()?;
    eprintln!("  building");
    let target = root.join("target");
    build(&root, &target, &["--bin", "paid-emulator", "--features", "emulator-cli"])?;
    Ok(target.join("release/paid-emulator"))
}

/// Builds released programs of the library.
pub(super) fn build(root: &Path, target: &Path, what: &[&str]) -> Result<()> {
    let mut arguments = vec!["build", "--quiet", "--release", "-p", "paid-api"];
    arguments.extend(what);
    if !measure::cargo(root, target, &arguments).status().context("cannot start cargo")?.success() {
        bail!("{what:?} does not build");
    }
    Ok(())
}

pub(super) struct Emulator {
    process: Child,
    pub(super) port: u16,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Emulator {
    pub(super) fn start(program: &Path) -> Result<Self> {
        let mut process = Command::new(program)
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the emulator")?;
        let stdout = process.stdout.take().context("no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = lines.find_map(|line| line.ok().filter(|line| line.contains("PAID_BASE_URL")));
        // It must not die of a closed pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let port = line.as_deref().and_then(|line| line.split("127.0.0.1:").nth(1)?.split('/').next()?.parse().ok());
        Ok(Self { process, port: port.context("the emulator printed no address")? })
    }

    /// A product that bills a smallest unit for each signal, a customer and an order.
    pub(super) fn prepare(&self) -> Result<()> {
        self.call("POST", "/api/v2/products/", r#"{"name":"P","externalId":"p"}"#)?;
        let pricing = r#"{"productAttributes":[{"name":"a","pricing":{"pricingType":"UsagePerUnit","eventName":"email_sent","pricePoints":[{"currency":"USD","unitPrice":1}]}}]}"#;
        self.call("PUT", "/api/v2/products/external/p", pricing)?;
        self.call("POST", "/api/v2/customers/", r#"{"name":"C","externalId":"acme"}"#)?;
        let order = r#"{"customerId":"cus_000003","currency":"USD","creationState":"active","lines":[{"productId":"prod_000001"}]}"#;
        let answer = self.call("POST", "/api/v2/orders/", order)?;
        if !answer.contains("\"creationState\":\"active\"") {
            bail!("the order was not accepted: {answer}");
        }
        Ok(())
    }

    /// Sends the signals with these numbers over all connections.
    fn load(&self, from: u64, to: u64) -> Result<()> {
        let share = (to - from) / CONNECTIONS;
        std::thread::scope(|scope| {
            let starts: Vec<u64> = (0..CONNECTIONS).map(|connection| from + connection * share).collect();
            let senders: Vec<_> = starts
                .into_iter()
                .map(|start| {
                    scope.spawn(move || {
                        let mut connection = Connection::open(self.port)?;
                        for first in (start..start + share).step_by(usize::try_from(BATCH)?) {
                            let answer = connection.call("POST", "/api/v2/signals/bulk", &bulk(first))?;
                            if !answer.contains("\"ingested\":500") {
                                bail!("not every signal was taken: {answer}");
                            }
                        }
                        Ok(())
                    })
                })
                .collect();
            senders.into_iter().try_for_each(|sender| sender.join().unwrap_or_else(|_| bail!("a sender panicked")))
        })
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Result<String> {
        Connection::open(self.port)?.call(method, path, body)
    }

    fn peak_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024.0)
    }
}

/// A request body of signals, each with a key and data.
fn bulk(first: u64) -> String {
    let mut body = String::from(r#"{"signals":["#);
    for number in first..first + BATCH {
        let comma = if number == first { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}{{"eventName":"email_sent","customer":{{"externalCustomerId":"acme"}},"attribution":{{"externalProductId":"p"}},"idempotencyKey":"0192f0c0-7e3a-7000-8000-{number:012}","data":{{"lead_id":"lead-{number}","quantity":1}}}}"#
        );
    }
    body.push_str("]}");
    body
}

pub(super) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(super) fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(super) fn call(&mut self, method: &str, path: &str, body: &str) -> Result<String> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer paid_bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let stream = self.0.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                bail!("the emulator closed the connection");
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}
