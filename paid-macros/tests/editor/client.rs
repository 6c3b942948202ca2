//! A client of the language server protocol: requests and answers in frames, and nothing else.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// rust-analyzer builds the library's dependencies, perhaps on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// rust-analyzer with one open file. A place in it is a text of the file with `|` where the cursor is.
pub(crate) struct Editor {
    process: Child,
    requests: ChildStdin,
    messages: Receiver<Value>,
    uri: String,
    text: String,
    /// Where the standard library's sources are, if they are installed.
    sources: PathBuf,
    last: u64,
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One message; `None` at the end.
fn message(from: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn sources() -> PathBuf {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    Path::new(String::from_utf8_lossy(&output.stdout).trim()).join("lib/rustlib/src/rust/library")
}

impl Editor {
    /// Opens the package in a folder, and its library with this text; `None` if there is no rust-analyzer.
    pub(crate) fn open(folder: &Path, text: &str) -> Option<Self> {
        // The command of rustup is there without the component, too.
        let is_there =
            Command::new("rust-analyzer").arg("--version").output().is_ok_and(|output| output.status.success());
        if !is_there {
            return None;
        }
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut process = Command::new("rust-analyzer")
            .env("CARGO_TARGET_DIR", target)
            .env_remove("PAID_SIGNALS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (requests, answers) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let (tell, messages) = channel();
        std::thread::spawn(move || {
            let mut answers = BufReader::new(answers);
            while let Some(message) = message(&mut answers) {
                if tell.send(message).is_err() {
                    break;
                }
            }
        });
        let root = format!("file://{}", folder.display());
        let uri = format!("{root}/src/lib.rs");
        let mut editor = Self { process, requests, messages, uri, text: text.to_owned(), sources: sources(), last: 0 };
        editor.start(&root);
        Some(editor)
    }

    /// Whether the sources of the standard library are here, without which an editor does not expand a `#[derive]`.
    pub(crate) fn knows_the_standard_library(&self) -> bool {
        self.sources.join("core").is_dir()
    }

    fn start(&mut self, root: &str) {
        let settings = json!({
            "checkOnSave": false,
            "cachePriming": { "enable": false },
            // Without a place for these sources, rust-analyzer would have rustup install them.
            "cargo": { "extraArgs": ["--offline"], "sysrootSrc": self.sources },
        });
        self.ask(
            "initialize",
            json!({
                "processId": std::process::id(),
                "workspaceFolders": [{ "uri": root, "name": "edited" }],
                "initializationOptions": settings,
                "capabilities": {
                    "experimental": { "serverStatusNotification": true },
                    "textDocument": { "hover": { "contentFormat": ["markdown"] } },
                },
            }),
        );
        self.tell("initialized", json!({}));
        let document = json!({ "uri": self.uri, "languageId": "rust", "version": 1, "text": self.text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        self.until(|message| {
            (message["method"] == "experimental/serverStatus" && message["params"]["quiescent"] == true).then_some(())
        });
    }

    fn send(&mut self, mut message: Value) {
        message["jsonrpc"] = json!("2.0");
        let body = message.to_string();
        write!(self.requests, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        self.requests.flush().unwrap();
    }

    fn tell(&mut self, method: &str, parameters: Value) {
        self.send(json!({ "method": method, "params": parameters }));
    }

    /// Reads messages until one is wanted. What rust-analyzer asks is answered with nothing.
    fn until<R>(&mut self, wanted: impl Fn(&Value) -> Option<R>) -> R {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let message =
                self.messages.recv_timeout(left).unwrap_or_else(|end| panic!("rust-analyzer does not answer: {end}"));
            if let Some(found) = wanted(&message) {
                return found;
            }
            if message.get("method").is_some()
                && let Some(id) = message.get("id").cloned()
            {
                self.send(json!({ "id": id, "result": null }));
            }
        }
    }

    /// Asks again where rust-analyzer was interrupted.
    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        for _ in 0..100 {
            self.last += 1;
            let id = self.last;
            self.send(json!({ "id": id, "method": method, "params": parameters }));
            let answer =
                self.until(|message| (message["id"] == id && message.get("method").is_none()).then(|| message.clone()));
            if answer.get("error").is_none() {
                return answer["result"].clone();
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{method} fails again and again");
    }

    fn ask_at(&mut self, method: &str, place: &str) -> Value {
        let (before, after) = place.split_once('|').unwrap();
        let found = self.text.find(&format!("{before}{after}"));
        let at = found.unwrap_or_else(|| panic!("{place} is not in the file")) + before.len();
        let (line, line_start) =
            (self.text[..at].matches('\n').count(), self.text[..at].rfind('\n').map_or(0, |end| end + 1));
        let position = json!({ "line": line, "character": at - line_start });
        self.ask(method, json!({ "textDocument": { "uri": self.uri }, "position": position }))
    }

    /// What is shown for the word at a place; empty if nothing is.
    pub(crate) fn hover(&mut self, place: &str) -> String {
        let answer = self.ask_at("textDocument/hover", place);
        answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// The lines of this file that define the word at a place.
    pub(crate) fn definition(&mut self, place: &str) -> Vec<u64> {
        let answer = self.ask_at("textDocument/definition", place);
        let places = answer.as_array().cloned().unwrap_or_default();
        let here = places.iter().filter(|place| place["uri"] == self.uri.as_str());
        here.filter_map(|place| place["range"]["start"]["line"].as_u64()).collect()
    }

    /// What is offered at a place, in the order of the alphabet.
    pub(crate) fn completions(&mut self, place: &str) -> Vec<String> {
        let answer = self.ask_at("textDocument/completion", place);
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        let mut labels: Vec<_> = items.iter().filter_map(|item| Some(item["label"].as_str()?.to_owned())).collect();
        labels.sort_unstable();
        labels
    }
}
