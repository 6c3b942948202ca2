//! How much memory an emitter takes while Paid is down: a limit in bytes holds, whatever happens to further signals. Each
//! policy in a process of its own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use paid::{Client, Emitter, Overflow, Signal};

const POLICY: &str = "PAID_MEMORY_POLICY";
const LIMIT: usize = 4 << 20;
/// Together 150 MB.
const SIGNALS: u64 = 1_500;
const LARGE: usize = 100_000;

/// A line of `/proc/self/status`, in KiB.
fn kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The process that is measured.
#[test]
fn child() {
    let Ok(policy) = std::env::var(POLICY) else { return };
    let overflow = if policy == "Reject" { Overflow::Reject } else { Overflow::DropOldest };
    // Takes connections and answers none.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let client = Client::builder().api_key("paid_x").base_url(url).build().unwrap();
    let builder = Emitter::builder(client).queue_bytes(LIMIT).overflow(overflow).patience(Duration::ZERO);
    let emitter = builder.on_error(|_| ()).build().unwrap();
    let small = |number| Signal::new("small").customer(format!("c{}", number % 50));
    for number in 0..SIGNALS {
        emitter.emit(small(number));
    }
    let before = kib("VmRSS");
    let text = "x".repeat(LARGE);
    for number in 0..SIGNALS {
        emitter.emit(small(number).field("text", &text));
    }
    let stats = emitter.stats();
    println!("grew {}", kib("VmHWM").saturating_sub(before));
    println!("out {}", stats.dropped + stats.refused);
    std::process::exit(0);
}

#[test]
fn a_limit_in_bytes_bounds_the_memory_of_the_process_while_paid_is_down() {
    for policy in ["Reject", "DropOldest"] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child", "--nocapture"]).env(POLICY, policy).stderr(Stdio::null());
        let output = command.output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let said = |word: &str| {
            let line = out.lines().find_map(|line| line.strip_prefix(word));
            line.unwrap_or_else(|| panic!("{policy}: {out}")).trim().parse::<u64>().unwrap()
        };
        assert!(said("grew ") < 64 << 10, "{policy}: {out}");
        assert!(output.status.success() && said("out ") > SIGNALS / 2, "{policy}: {out}");
        println!("{policy}: {} KiB", said("grew "));
    }
}
