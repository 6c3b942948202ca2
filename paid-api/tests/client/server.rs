//! A server on threads of its own, so that no runtime of a test drives it. It answers with the bytes that a test wants.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The path and the query.
    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// The number of signals or cost records.
    pub(crate) fn records(&self) -> usize {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        ["signals", "costs"].iter().filter_map(|list| body[list].as_array()).map(Vec::len).sum()
    }
}

pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1", answer).unwrap()
    }

    /// Listens at a host; an error if this machine does not have it.
    pub(crate) fn at(
        host: &str,
        answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(format!("{host}:0"))?;
        let url = format!("http://{host}:{}", listener.local_addr()?.port());
        let (seen, answer) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::new(answer));
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                std::thread::spawn(move || serve(&stream?, &seen, &*answer));
            }
            Ok::<_, std::io::Error>(())
        });
        Ok(Self { url, seen })
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(
    stream: &TcpStream,
    seen: &Mutex<Vec<Request>>,
    answer: &(dyn Fn(&Request) -> Vec<u8> + Send + Sync),
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = read(&mut reader)? {
        seen.lock().unwrap().push(request.clone());
        let bytes = answer(&request);
        let mut writer = stream;
        writer.write_all(&bytes)?;
        if bytes.windows(17).any(|bytes| bytes.eq_ignore_ascii_case(b"connection: close")) {
            return stream.shutdown(std::net::Shutdown::Both);
        }
    }
    Ok(())
}

fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let headers = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let mut request = Request { line: lines.first().cloned().unwrap_or_default(), headers, body: Vec::new() };
    request.body = vec![0; request.header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn json(status: u16, body: &Value) -> Vec<u8> {
    answer(status, &[("content-type", "application/json")], body.to_string())
}

/// What Paid answers to a bulk request; to others an empty object.
pub(crate) fn accepts(request: &Request) -> Vec<u8> {
    let records = request.records();
    match records {
        0 => json(200, &serde_json::json!({})),
        _ => json(200, &serde_json::json!({"ingested": records, "duplicates": 0, "failed": 0})),
    }
}
