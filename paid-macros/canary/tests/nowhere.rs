//! Not one byte of a protected value is on disk, in a log, in what a program can print, or on the wire.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A part of it, which no escape changes.
const CANARY: &[u8] = b"canary-6b1f";
/// HMAC-SHA256 of it, with the program's key; made with `openssl dgst -sha256 -hmac`.
const HASH: &[u8] = b"b7cdb317004a96b39c4256f3b1b2c480cae68e449e6aec28c5cbd05d543a9834";

fn has(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[track_caller]
fn assert_nowhere(bytes: &[u8], place: &str) {
    assert!(!has(bytes, CANARY), "{place}:\n{}", String::from_utf8_lossy(bytes));
}

/// A server that gives one answer, and keeps every byte that it gets.
struct Server {
    url: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    fn start(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let all = Arc::clone(&heard);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let all = Arc::clone(&all);
                std::thread::spawn(move || answer(connection, status, &all));
            }
        });
        Self { url, heard }
    }

    fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }
}

/// Answers one request, and ends the connection.
fn answer(mut connection: TcpStream, status: &str, all: &Mutex<Vec<u8>>) {
    let mut request = Vec::new();
    let mut part = [0; 65_536];
    while !is_whole(&request) {
        match connection.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(length) => request.extend_from_slice(&part[..length]),
        }
    }
    all.lock().unwrap().extend_from_slice(&request);
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
    );
    let _ = connection.write_all(head.as_bytes());
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    request.len() >= end + 4 + length.unwrap_or_default()
}

/// Runs the program; nothing of the value is in what it says.
fn run(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_canary"));
    command.env_remove("PAID_API_KEY").env_remove("PAID_ENABLED").env_remove("RUST_LOG");
    let output = command.args(arguments).output().unwrap();
    let said = [&b"stdout:\n"[..], &output.stdout, &b"\nstderr:\n"[..], &output.stderr].concat();
    assert_nowhere(&said, "what the program said");
    assert!(!has(&said, b"of a hash's key"), "{}", String::from_utf8_lossy(&said));
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("TRACE") || arguments[0] == "recorder", "its log is not complete: {said}");
    said
}

/// Every file below a folder, one after the other.
fn files(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { files(&path) } else { std::fs::read(path).unwrap() });
    }
    all
}

const HASHED: [&str; 10] = [
    "annotated",
    "returned",
    "called",
    "block",
    "derived",
    "flat",
    "merged-hashed",
    "by_hand",
    "replaced",
    "over-trace",
];
const REFUSED: [&str; 3] = ["flat-secret", "merged-refused", "talkative"];

#[track_caller]
fn assert_sent(bytes: &[u8], ways: &[&str]) {
    assert!(has(bytes, HASH), "no hash in\n{}", String::from_utf8_lossy(bytes));
    assert!(!has(bytes, b"<hashed>"), "{}", String::from_utf8_lossy(bytes));
    for way in ways {
        assert!(has(bytes, format!("\"{way}\"").as_bytes()), "{way} is not in\n{}", String::from_utf8_lossy(bytes));
    }
    for way in REFUSED {
        assert!(!has(bytes, format!("\"{way}\"").as_bytes()), "{way} is in\n{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn outbox_dead_letters_and_wire_of_an_emitter_have_hashes_only() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = folder.path().to_str().unwrap();
    // Nothing is delivered, so all of it stays in the outbox.
    let away = Server::start("503 Service Unavailable");
    let said = run(&["emitter", &away.url, outbox]);
    let (written, heard) = (files(folder.path()), away.heard());
    assert_nowhere(&written, "the outbox");
    assert_nowhere(&heard, "the wire");
    assert_sent(&written, &HASHED[..9]);
    assert_sent(&heard, &HASHED[..9]);
    for problem in [
        "`token` is never sent in the clear, says signals.toml",
        "`external_user_id` is never sent in the clear",
        "`x` is not text",
    ] {
        assert!(said.contains("hook: ") && said.contains(problem), "{problem} is not in\n{said}");
    }
    // All of it is refused.
    let strict = Server::start("422 Unprocessable Entity");
    run(&["emitter", &strict.url, outbox]);
    let (written, heard) = (files(folder.path()), strict.heard());
    assert_nowhere(&written, "outbox and dead letters");
    assert_nowhere(&heard, "the wire");
    let letters = std::fs::read_to_string(folder.path().join("dead-letters.jsonl")).unwrap();
    assert_eq!(letters.lines().count(), 2 * (HASHED.len() - 1), "of both runs: {letters}");
    assert_sent(letters.as_bytes(), &HASHED[..9]);
}

#[test]
fn without_a_key_nothing_is_sent_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("503 Service Unavailable");
    let said = run(&["without-key", &server.url, folder.path().to_str().unwrap()]);
    assert_nowhere(&files(folder.path()), "the outbox");
    assert_nowhere(&server.heard(), "the wire");
    assert!(!has(&server.heard(), b"lead_contacted"), "{}", String::from_utf8_lossy(&server.heard()));
    let problem = "`email` is sent as a keyed hash, and there is no key: call `hash_key(paid::HashKey::new(secret)?)`";
    assert!(said.contains(&format!("hook: signal `lead_contacted`: {problem}")), "{said}");
    assert!(has(&server.heard(), b"\"replaced\""), "what has no protected value is sent");
}

#[test]
fn the_collector_gets_hashes_only() {
    let server = Server::start("200 OK");
    run(&["collector", &format!("{}/v1/traces", server.url)]);
    let heard = server.heard();
    assert_nowhere(&heard, "the wire");
    assert_sent(&heard, &HASHED);
}

#[test]
fn a_recorder_has_marks_only() {
    let said = run(&["recorder"]);
    assert!(said.contains("\"email\":\"<hashed>\""), "{said}");
}

struct Nats {
    process: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn nats() -> Option<Nats> {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new("nats-server");
    command.args(["--jetstream", "--addr", "127.0.0.1", "--port", &port.to_string(), "--store_dir"]).arg(folder.path());
    let Ok(process) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        eprintln!("skipped: no nats-server here (Debian's package is called so)");
        return None;
    };
    let nats = Nats { process, folder, port };
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(nats);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nats-server does not start");
}

#[test]
fn a_stream_of_nats_has_hashes_only() {
    let Some(nats) = nats() else { return };
    run(&["nats", &format!("nats://127.0.0.1:{}", nats.port)]);
    let written = files(nats.folder.path());
    assert_nowhere(&written, "the stream's files");
    assert_sent(&written, &HASHED[..9]);
}
